//! The table of options: what each is called in Zenko's values.yaml, CloudServer's config.json and the environment, what it
//! takes and what it is when nobody says. The readers, docs/zenko.md and the tests come from it.

/// One option.
#[derive(Debug)]
pub struct Row {
    /// Which option.
    pub option: OptionId,
    /// In the map `kmip` of values.yaml; a file beside it if it ends with `.pem`.
    pub values_yaml: &'static str,
    /// Its path in config.json.
    pub config_json: &'static str,
    /// The environment variable.
    pub environment: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// What it is when nobody says, for people.
    pub default: &'static str,
    /// What it is for.
    pub text: &'static str,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `true` or `false`.
    Switch,
    /// A whole number up to this one.
    Number(u32),
    /// A text; an empty one is none.
    Text,
    /// Texts: a list, or separated by commas.
    Texts,
    /// A path.
    Path,
    /// Paths: a list, or separated by commas.
    Paths,
}

impl Shape {
    /// What is taken, for people.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Switch => String::from("true or false"),
            Self::Number(most) => format!("a number up to {most}"),
            Self::Text => String::from("text"),
            Self::Texts => String::from("a list"),
            Self::Path => String::from("a path"),
            Self::Paths => String::from("paths"),
        }
    }
}

macro_rules! options {
    ($($option:ident, $yaml:literal, $json:literal, $environment:literal, $shape:expr, $default:literal, $text:literal;)*) => {
        /// Which option.
        #[derive(Copy, Clone, Debug, PartialEq, Eq)]
        pub enum OptionId {
            $(#[doc = $text] $option,)*
        }

        /// Every option, in the order of [`OptionId`].
        pub static OPTIONS: &[Row] = &[$(
            Row {
                option: OptionId::$option, values_yaml: $yaml, config_json: $json, environment: $environment,
                shape: $shape, default: $default, text: $text,
            },
        )*];
    };
}

/// More than any server takes.
const DEPTH_MAX: u32 = 1024;

#[rustfmt::skip]
options! {
    Enabled, "enabled", "backends.kms", "S3KMS", Shape::Switch, "false",
        "Whether keys are kept on KMIP servers. In config.json and the environment, the word `kmip` says so.";
    Hosts, "hosts", "kmip.transport.tls.host", "S3KMIP_HOSTS", Shape::Texts, "",
        "The KMIP servers, `HOST` or `HOST:PORT`: any number, which all have the same keys. In config.json, `transport` is one or a list.";
    Port, "port", "kmip.transport.tls.port", "S3KMIP_PORT", Shape::Number(u16::MAX as u32), "5696",
        "The port of servers that name none.";
    CompoundCreate, "compoundCreate", "kmip.client.compoundCreateActivate", "S3KMIP_COMPOUND_CREATE", Shape::Switch, "false",
        "Whether Create makes a key Active at once, by an Activation Date in the past; else Activate follows.";
    BucketAttributeName, "bucketAttributeName", "kmip.client.bucketNameAttributeName", "S3KMIP_BUCKET_ATTRIBUTE_NAME", Shape::Text, "",
        "The custom attribute of a key that has its bucket's name, such as `x-bucket`; without one, no attribute.";
    PipelineDepth, "pipelineDepth", "kmip.transport.pipelineDepth", "S3KMIP_PIPELINE_DEPTH", Shape::Number(DEPTH_MAX), "8",
        "How many requests may be under way on the connection to a server. 1 waits for each answer, for servers that answer out of order; 0 falls back to 1.";
    Key, "kmip-key.pem", "kmip.transport.tls.key", "S3KMIP_KEY", Shape::Path, "",
        "The client's private key, in PEM.";
    Cert, "kmip-cert.pem", "kmip.transport.tls.cert", "S3KMIP_CERT", Shape::Path, "",
        "The client's certificate with its chain, in PEM.";
    Ca, "kmip-ca.pem", "kmip.transport.tls.ca", "S3KMIP_CA", Shape::Paths, "the system's",
        "Certificates of the authorities that servers' certificates may come from, in PEM.";
    Provider, "", "kmip.providerName", "", Shape::Text, "",
        "Whose servers they are, in lower-case letters and digits: identifiers of new keys begin with `arn:scality:kms:external:kmip:PROVIDER:key/` then. Identifiers with and without it are always read.";
}

impl OptionId {
    /// Its row of the table.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "the table has a row for each variant, in order")]
    pub fn row(self) -> &'static Row {
        &OPTIONS[self as usize]
    }
}
