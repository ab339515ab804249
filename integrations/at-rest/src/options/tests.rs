//! Every row of the table, and every rule, from flags and from mongod.conf.

use std::path::Path;
use std::time::Duration;

use super::*;

/// A value that the row takes, other than its default.
fn sample(row: &Row) -> String {
    match &row.shape {
        Shape::Switch => String::from("true"),
        Shape::Boolean(default) => (!default).to_string(),
        Shape::Integer { default, .. } => (default + 1).to_string(),
        Shape::Word(words) => (*words.last().unwrap()).to_owned(),
        _ => format!("sample of {}", row.flag),
    }
}

/// The option, all that it needs, and who keeps the key.
fn with_needs(option: OptionId, given: &mut Vec<OptionId>) {
    if given.contains(&option) {
        return;
    }
    given.push(option);
    for needed in option.row().requires {
        with_needs(*needed, given);
    }
}

fn flags(given: &[OptionId]) -> Options {
    let mut options = Options::new();
    for option in given {
        options.set(*option, &sample(option.row())).unwrap();
    }
    options
}

/// The same as a file: dots are nested maps.
fn file(given: &[(OptionId, String)]) -> String {
    let mut text = String::from("storage: {dbPath: /data, engines: [a, b]}\nnet:\n  bindIp: [a]\n");
    for (section, prefix) in [
        ("security:\n", "security."),
        ("  kmip:\n", "security.kmip."),
        ("  vault:\n", "security.vault."),
    ] {
        text.push_str(section);
        for (option, value) in given {
            let Some(name) = option.row().key.strip_prefix(prefix) else { continue };
            if !name.contains('.') {
                let indent = " ".repeat(prefix.matches('.').count() * 2);
                text.push_str(&format!("{indent}{name}: {value}\n"));
            }
        }
    }
    text
}

fn kmip() -> Vec<OptionId> {
    let mut given = Vec::new();
    with_needs(OptionId::KmipServerName, &mut given);
    given
}

fn said(problems: Result<impl fmt::Debug, Vec<Problem>>) -> String {
    problems.unwrap_err().iter().map(|it| format!("{it}\n")).collect()
}

fn kmip_settings(options: &Options, level: Level) -> KmipSettings {
    match options.settings(level).unwrap().facility {
        Facility::Kmip(kmip) => kmip,
        Facility::KeyFile(_) => panic!("a key file"),
    }
}

#[test]
fn the_table_stands_in_the_order_of_its_options() {
    for row in OPTIONS {
        assert!(std::ptr::eq(row, row.option.row()));
        assert!(row.key.starts_with("security."), "{}", row.key);
        for other in row.conflicts {
            assert!(other.row().conflicts.contains(&row.option), "{} both ways", row.key);
        }
    }
}

#[test]
fn every_option_is_the_same_from_a_flag_and_from_a_file() {
    for row in OPTIONS {
        let mut given = kmip();
        with_needs(row.option, &mut given);
        given.retain(|other| !row.conflicts.contains(other));
        let by_flags = flags(&given);
        let values: Vec<_> = given.iter().map(|it| (*it, sample(it.row()))).collect();
        let by_file = Options::from_mongod_conf(&file(&values)).unwrap();
        let understood = |options: &Options| format!("{:?}", options.settings(Level::V5_0));
        let values = |options: &Options| {
            options.0.iter().map(|(id, (value, _))| (*id, value.clone())).collect::<Vec<_>>()
        };
        assert!(values(&by_flags) == values(&by_file), "{}", row.key);
        if row.option != OptionId::VaultServerName {
            assert_eq!(understood(&by_flags), understood(&by_file), "{}", row.key);
            by_flags.settings(Level::V5_0).unwrap();
        }
    }
}

#[test]
fn what_an_option_needs_and_excludes_is_said_by_name() {
    for row in OPTIONS {
        for needed in row.requires {
            let mut given = Vec::new();
            with_needs(row.option, &mut given);
            given.retain(|other| other != needed);
            let said = said(flags(&given).settings(Level::V5_0));
            assert!(
                said.contains(&format!("--{}: it needs --{}", row.flag, needed.row().flag)),
                "{said}"
            );
        }
        for other in row.conflicts {
            let mut given = Vec::new();
            with_needs(row.option, &mut given);
            with_needs(*other, &mut given);
            let said = said(flags(&given).settings(Level::V5_0));
            assert!(
                said.contains(&format!("--{}: it excludes --{}", row.flag, other.row().flag)),
                "{said}"
            );
        }
    }
}

#[test]
fn values_are_checked_at_their_limits() {
    for row in OPTIONS {
        let wrong: Vec<String> = match &row.shape {
            Shape::Switch | Shape::Boolean(_) => vec!["".into(), "1".into(), "yes".into()],
            Shape::Integer { min, max, .. } => {
                for right in [min, max] {
                    Options::new().set(row.option, &right.to_string()).unwrap();
                }
                vec![(min - 1).to_string(), (max + 1).to_string(), "".into(), "1.5".into()]
            }
            Shape::Word(_) => vec!["".into(), "AES128".into()],
            Shape::Text | Shape::Secret | Shape::Path => vec!["".into()],
            Shape::Identifier => continue,
        };
        for text in wrong {
            let problem = Options::new().set(row.option, &text).unwrap_err();
            assert_eq!(problem.name, format!("--{}", row.flag), "{text:?}");
            let in_file = file(&[(row.option, format!("'{text}'"))]);
            let said = said(Options::from_mongod_conf(&in_file));
            assert!(said.contains(row.key) && said.starts_with("line "), "{said}");
        }
    }
}

#[test]
fn the_defaults_are_those_of_the_original() {
    let settings = kmip_settings(&flags(&kmip()), Level::V5_0);
    assert_eq!(settings.servers.len(), 1);
    assert_eq!(settings.servers[0].port, 5696);
    assert_eq!(settings.connect_retries, 0);
    assert_eq!(settings.connect_timeout, Duration::from_millis(5000));
    assert_eq!(settings.polling, Some(Duration::from_secs(900)));
    assert_eq!(settings.activation, Activation::Tolerant);
    assert_eq!((&settings.key_identifier, settings.rotate_master_key), (&None, false));
}

#[test]
fn activation_and_polling_depend_on_what_was_said_and_on_the_level() {
    for (activate, level, expected) in [
        (None, Level::V5_0, Activation::Tolerant),
        (None, Level::V8_0, Activation::Strict),
        (Some("true"), Level::V5_0, Activation::Strict),
        (Some("true"), Level::V8_0, Activation::Strict),
        (Some("false"), Level::V5_0, Activation::Off),
        (Some("false"), Level::V8_0, Activation::Off),
    ] {
        let mut options = flags(&kmip());
        if let Some(text) = activate {
            options.set(OptionId::KmipActivateKeys, text).unwrap();
        }
        for (seconds, period) in
            [(None, Some(900)), (Some("7"), Some(7)), (Some("0"), None), (Some("-1"), None)]
        {
            if let Some(seconds) = seconds {
                options.set(OptionId::KmipKeyStatePollingSeconds, seconds).unwrap();
            }
            let settings = kmip_settings(&options, level);
            assert_eq!(settings.activation, expected);
            let period = period.filter(|_| expected != Activation::Off).map(Duration::from_secs);
            assert_eq!(settings.polling, period, "{activate:?} {seconds:?}");
        }
    }
}

#[test]
fn level_4_2_takes_a_name_and_no_states() {
    let mut options = flags(&kmip());
    assert!(said(options.settings(Level::V4_2)).contains("--kmipKeyIdentifier"));
    options.set(OptionId::KmipKeyIdentifier, "mongo").unwrap();
    let settings = kmip_settings(&options, Level::V4_2);
    assert_eq!((settings.activation, settings.polling), (Activation::Off, None));
    options.set(OptionId::KmipActivateKeys, "true").unwrap();
    let said = said(options.settings(Level::V4_2));
    assert!(said.contains("--kmipActivateKeys: it does not exist at level 4.2"), "{said}");
}

#[test]
fn servers_are_a_list_with_one_port() {
    let mut options = flags(&kmip());
    options.set(OptionId::KmipServerName, "a,b.example,::1").unwrap();
    options.set(OptionId::KmipPort, "7").unwrap();
    let servers = kmip_settings(&options, Level::V5_0).servers;
    let servers: Vec<_> = servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["a:7", "b.example:7", "[::1]:7"]);
    options.set(OptionId::KmipServerName, "a,,b").unwrap();
    assert!(said(options.settings(Level::V5_0)).contains("empty"));
}

#[test]
fn an_empty_identifier_is_none() {
    let mut options = flags(&kmip());
    options.set(OptionId::KmipKeyIdentifier, "").unwrap();
    assert_eq!(kmip_settings(&options, Level::V5_0).key_identifier, None);
    options.set(OptionId::KmipKeyIdentifier, "a\nb").unwrap();
    assert!(said(options.settings(Level::V5_0)).contains("control characters"));
}

#[test]
fn a_flag_counts_more_than_a_file_and_problems_say_where_they_are() {
    let text = "security:\n  enableEncryption: true\n  kmip:\n    serverName: a\n    port: 1\n";
    let mut options = Options::from_mongod_conf(text).unwrap();
    let said = said(options.settings(Level::V5_0));
    assert_eq!(said, "security.kmip.serverName: it needs --kmipClientCertificateFile\n");
    options.set(OptionId::KmipClientCertificateFile, "c.pem").unwrap();
    options.set(OptionId::KmipPort, "2").unwrap();
    assert_eq!(kmip_settings(&options, Level::V5_0).servers[0].port, 2);
}

#[test]
fn the_documentation_s_example_is_read() {
    let text = "\
systemLog:
   destination: file
   path: \"/var/log/mongodb/mongod.log\"
setParameter: { a: 1, b: [x, {y: z}] }
security:
  enableEncryption: true
  kmip:
    serverName: kms1.example.com,kms2.example.com # two
    port: 5696
    clientCertificateFile: /path/client_certificate.pem
    clientKeyFile: /path/client_key.pem
    serverCAFile: /path/ca.pem
    keyIdentifier: \"42\"
    activateKeys: true
    keyStatePollingSeconds: 900
";
    let settings = kmip_settings(&Options::from_mongod_conf(text).unwrap(), Level::V5_0);
    assert_eq!(settings.servers.len(), 2);
    assert_eq!(settings.key.as_deref(), Some(Path::new("/path/client_key.pem")));
    assert_eq!(settings.key_identifier.as_deref(), Some("42"));
    assert_eq!(settings.activation, Activation::Strict);
    let dotted = "security.enableEncryption: true\nsecurity.encryptionKeyFile: /k\n";
    let settings = Options::from_mongod_conf(dotted).unwrap().settings(Level::V5_0).unwrap();
    assert!(matches!(settings.facility, Facility::KeyFile(path) if path == Path::new("/k")));
}

#[test]
fn a_file_that_says_something_wrong_is_refused_with_the_place() {
    for (text, expected) in [
        (
            "security:\n  kmip:\n    serverNam: a\n",
            "line 3: security.kmip.serverNam: there is no such option",
        ),
        (
            "security:\n  kmip:\n    port: [1]\n",
            "line 3: security.kmip.port: write a whole number from 0 to 65535",
        ),
        ("security:\n  kmip:\n    port: 1\n    port: 2\n", "given twice"),
        ("security:\n  kmip:\n    serverName: {a: b}\n", "security.kmip.serverName: write text"),
        (
            "security:\n  kmip: &a\n    port: 1\n  other: *a\nx: {y: *a}\nsecurity.kmip.connectRetries: *a\n",
            "connectRetries: write a whole number",
        ),
        ("security: [\n", "mongod.conf"),
        ("security:\n  kmip:\n    port: 1\n   port: 2\n", "mongod.conf"),
    ] {
        let said = said(Options::from_mongod_conf(text));
        assert!(said.contains(expected), "{text}: {said}");
    }
    let deep = "a: ".to_owned() + &"{a: ".repeat(40) + &"}".repeat(40);
    assert!(said(Options::from_mongod_conf(&deep)).contains("nested too deeply"));
    for nothing in ["", "# only a comment\n", "security:\n", "security:\n  kmip:\n"] {
        let options = Options::from_mongod_conf(nothing).unwrap();
        assert!(said(options.settings(Level::V5_0)).contains("--kmipServerName: it is missing"));
    }
}

#[test]
fn no_password_is_printed() {
    let mut given = kmip();
    given.push(OptionId::KmipClientCertificatePassword);
    let options = flags(&given);
    let secret = sample(OptionId::KmipClientCertificatePassword.row());
    let shown = format!("{options:?} {:?}", options.settings(Level::V5_0));
    assert!(!shown.contains(&secret), "{shown}");
}
