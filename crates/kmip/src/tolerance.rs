//! What known clients send against the letter of their version, and what we do with it.
//!
//! One row per quirk: who sends it, in which version, which field, what is done, and why. Each row
//! is backed by a request that the tests replay. A quirk that is not here is refused.
//!
//! Rows with `Ignore` are applied by the decoder, through [`ignores`]. Rows with `Accept` change
//! nothing by themselves: they name the leniencies that stand elsewhere, so that nobody takes them
//! away unknowingly. Fields of a later minor version: `codec::Decoder` here. Key blocks, names,
//! usage masks and policy names of registered objects: the server's `ops::register` and
//! `object::rules` do not check them. Credentials and missing batch item IDs: its `dispatch`.

use claviger_ttlv::Tag;

use crate::{Version, tags};

/// What is done with the quirk.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The item is skipped as if it were not there.
    Ignore,
    /// The item is taken at its meaning; the reason says which rule is bent.
    Accept,
}

/// One quirk.
#[derive(Debug)]
pub struct Quirk {
    /// Which client sends it.
    pub client: &'static str,
    /// First version of the messages it is seen in.
    pub since: Version,
    /// Last version of the messages it is seen in.
    pub until: Version,
    /// The structure that the field stands in: right around it if it is ignored, at any depth if it
    /// is accepted.
    pub structure: Tag,
    /// The field.
    pub field: Tag,
    /// What is done.
    pub treatment: Treatment,
    /// Why.
    pub reason: &'static str,
    /// Where a request with it can be seen.
    pub evidence: Evidence,
}

/// The request that backs a quirk.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Recorded from the client; the name of the recording's step begins so.
    Recorded(&'static str),
    /// Replayed by this test of the `it` package, from a byte sample or a described sequence.
    Replayed(&'static str),
}

/// Every quirk that is tolerated.
pub static QUIRKS: &[Quirk] = &[
    Quirk {
        client: "libkmip, kmippp (Percona)",
        since: Version::V1_0,
        until: Version::V1_0,
        structure: tags::REQUEST_PAYLOAD,
        field: tags::OFFSET_ITEMS,
        treatment: Treatment::Accept,
        reason: "Locate pages with a 1.3 field under a 1.0 header; any field of a later minor version is taken",
        evidence: Evidence::Recorded("pp_"),
    },
    Quirk {
        client: "kmipclient (Percona) at 2.0",
        since: Version::V2_0,
        until: Version::V2_1,
        structure: tags::REQUEST_PAYLOAD,
        field: tags::ARCHIVE_DATE,
        treatment: Treatment::Ignore,
        reason: "Get Attributes carries the Attribute Reference under the tag of Archive Date; without it all attributes are answered",
        evidence: Evidence::Recorded("gtest14"),
    },
    Quirk {
        client: "libkmip register demo (Percona)",
        since: Version::V1_0,
        until: Version::V1_4,
        structure: tags::KEY_BLOCK,
        field: tags::KEY_COMPRESSION_TYPE,
        treatment: Treatment::Accept,
        reason: "names a compression for a symmetric key, where none exists; stored and not used",
        evidence: Evidence::Recorded("pl_register"),
    },
    Quirk {
        client: "libmongocrypt",
        since: Version::V1_0,
        until: Version::V1_0,
        structure: tags::REQUEST_PAYLOAD,
        field: tags::CRYPTOGRAPHIC_USAGE_MASK,
        treatment: Treatment::Accept,
        reason: "registers Secret Data with an empty usage mask",
        evidence: Evidence::Recorded("mc_"),
    },
    Quirk {
        client: "PSMDB 4.2 to 5.0.16",
        since: Version::V1_0,
        until: Version::V1_4,
        structure: tags::REQUEST_PAYLOAD,
        field: tags::NAME,
        treatment: Treatment::Accept,
        reason: "registers keys with an empty Name, or an empty Object Group",
        evidence: Evidence::Replayed("old_percona_clients_register_an_empty_name_and_a_base64_key"),
    },
    Quirk {
        client: "PSMDB before 5.0.17",
        since: Version::V1_0,
        until: Version::V1_4,
        structure: tags::KEY_BLOCK,
        field: tags::CRYPTOGRAPHIC_LENGTH,
        treatment: Treatment::Accept,
        reason: "registers the base64 text of a key as an AES key of 352 bits",
        evidence: Evidence::Replayed("old_percona_clients_register_an_empty_name_and_a_base64_key"),
    },
    Quirk {
        client: "libkmip get demo (OpenKMIP), Ceph RGW",
        since: Version::V1_0,
        until: Version::V2_1,
        structure: tags::REQUEST_HEADER,
        field: tags::AUTHENTICATION,
        treatment: Treatment::Accept,
        reason: "sends a credential, even an empty one, beside its certificate; the certificate is the identity",
        evidence: Evidence::Recorded("ok_get"),
    },
    Quirk {
        client: "PyKMIP, kmipclient (Percona), Synology DSM, VAST Data",
        since: Version::V1_0,
        until: Version::V1_4,
        structure: tags::REQUEST_PAYLOAD,
        field: tags::OPERATION_POLICY_NAME,
        treatment: Treatment::Accept,
        reason: "names an operation policy; stored, the role decides",
        evidence: Evidence::Recorded("gtest14"),
    },
    Quirk {
        client: "FortiGate",
        since: Version::V1_0,
        until: Version::V1_4,
        structure: tags::BATCH_ITEM,
        field: tags::UNIQUE_BATCH_ITEM_ID,
        treatment: Treatment::Accept,
        reason: "sends batches without Unique Batch Item IDs; they are answered in order",
        evidence: Evidence::Replayed("fortigate_finds_and_gets_in_one_batch_at_1_0"),
    },
];

/// Whether an item that the structure does not know is skipped instead of refused.
#[must_use]
pub fn ignores(structure: Tag, field: Tag, version: Version) -> bool {
    QUIRKS.iter().any(|quirk| {
        quirk.treatment == Treatment::Ignore
            && quirk.structure == structure
            && quirk.field == field
            && quirk.since <= version
            && version <= quirk.until
    })
}
