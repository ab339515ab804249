//! The requests are those of the products, as they were recorded or described; and what is demanded of answers.

use claviger_client::{Dialect, Outgoing};
use claviger_kmip::Version;
use claviger_kmip::compat::name_of;
use claviger_kmip::payload::Request;

use super::*;

/// What mongod sends when it saves the key 000102…1f, at 0x6b02048b.
const MONGOD_REGISTER: &str = "\
42007801000001b04200770100000058420069010000002042006a0200000004000000010000000042006b0200000004\
0000000000000000420050020000000400002000000000004200920900000008000000006b02048b42000d0200000004\
000000010000000042000f010000014842005c0500000004000000030000000042007901000001304200570500000004\
000000020000000042009101000000a8420008010000003042000a070000001743727970746f6772617068696320416c\
676f726974686d0042000b05000000040000000300000000420008010000003042000a070000001443727970746f6772\
6170686963204c656e6774680000000042000b02000000040000010000000000420008010000003042000a0700000018\
43727970746f67726170686963205573616765204d61736b42000b02000000040000000c0000000042008f0100000068\
420040010000006042004205000000040000000100000000420045010000002842004308000000200001020304050607\
08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f4200280500000004000000030000000042002a0200000004\
0000010000000000";

/// CloudServer's Create has 336 bytes; 24 of them are a Unique Batch Item ID, which ours has not.
const CLOUDSERVER_CREATE_BYTES: usize = 336 - 24;

fn probe() -> Probe {
    Probe { name: String::from("claviger-doctor-0"), bytes: Secret::new((0..32).collect()) }
}

fn bytes<R: Request>(dialect: &Dialect, version: Version, request: &R) -> Vec<u8> {
    let outgoing = Outgoing::with_header(&dialect.header(version, 1), request).unwrap();
    outgoing.bytes.to_vec()
}

fn names(attributes: &TemplateAttributes) -> Vec<String> {
    let attributes = attributes.attributes.iter();
    attributes.map(|attribute| name_of(&attribute.reference()).into_owned()).collect()
}

#[test]
fn mongod_registers_without_a_name() {
    let dialect =
        Dialect { maximum_response_size: Some(8192), time_stamp: true, ..Dialect::default() };
    let sent = bytes(&dialect, Version::V1_0, &probe().register(None));
    let mut sent: String = sent.iter().map(|byte| format!("{byte:02x}")).collect();
    // The Time Stamp is the only thing that differs from one time to the next.
    let time = "4200920900000008";
    let from = sent.find(time).unwrap() + time.len();
    sent.replace_range(from..from + 16, "000000006b02048b");
    assert_eq!(sent, MONGOD_REGISTER);
}

#[test]
fn mysqld_registers_with_its_name_and_group_first() {
    let standard = ["Cryptographic Algorithm", "Cryptographic Length", "Cryptographic Usage Mask"];
    let request = probe().register(Some(Some("group")));
    assert_eq!(names(&request.attributes), [&["Name", "Object Group"][..], &standard].concat());
    let request = probe().register(Some(None));
    assert_eq!(names(&request.attributes), [&["Name"][..], &standard].concat());
}

#[test]
fn cloudserver_creates_with_the_bucket_first_and_the_activation_last() {
    let standard = ["Cryptographic Algorithm", "Cryptographic Length", "Cryptographic Usage Mask"];
    let request = probe().create(true, Some("x-bucket"));
    let all = [&["x-bucket"][..], &standard, &["Activation Date"]].concat();
    assert_eq!(names(&request.attributes), all);
    let dialect = Dialect { maximum_response_size: Some(8000), ..Dialect::default() };
    let sent = bytes(&dialect, Version::V1_2, &probe().create(false, None));
    assert_eq!(sent.len(), CLOUDSERVER_CREATE_BYTES);
}

#[test]
fn no_two_probes_are_alike() {
    let (one, two) = (Probe::new().unwrap(), Probe::new().unwrap());
    assert_ne!(one.name, two.name);
    assert!(one.bytes != two.bytes);
    assert_eq!(one.name.len(), "claviger-doctor-".len() + 32);
}

#[test]
fn mongod_takes_the_state_and_nothing_else() {
    let answer = |attributes: Vec<Attribute>| GetAttributesResponse {
        unique_identifier: "id".into(),
        attributes: AttributeList(attributes.into_iter().collect()),
    };
    let active = Attribute::State(State::ACTIVE);
    let name = Attribute::Name(Name::text("n"));
    assert_eq!(state(&answer(vec![active.clone()]), "id", None).unwrap(), State::ACTIVE);
    let both = answer(vec![active.clone(), name]);
    assert!(state(&both, "id", None).is_err());
    assert_eq!(state(&both, "id", Some("n")).unwrap(), State::ACTIVE);
    assert!(state(&both, "id", Some("m")).is_err());
    assert!(state(&both, "other", Some("n")).is_err());
    assert!(state(&answer(Vec::new()), "id", None).is_err());
}
