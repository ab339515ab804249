//! Requests byte by byte against those of the original, as they were described from its source.

use super::*;

/// The TimeStamp and the Unique Identifier in the samples.
const NOW: DateTime = DateTime(0x6b02_048b);
const IDENTIFIER: &str = "5f0c";

const REGISTER: &str = "\
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

const ACTIVATE: &str = "\
42007801000000904200770100000058420069010000002042006a0200000004000000010000000042006b0200000004\
0000000000000000420050020000000400002000000000004200920900000008000000006b02048b42000d0200000004\
000000010000000042000f010000002842005c0500000004000000120000000042007901000000104200940700000004\
3566306300000000";

const GET_ATTRIBUTES: &str = "\
42007801000000a04200770100000058420069010000002042006a0200000004000000010000000042006b0200000004\
0000000000000000420050020000000400002000000000004200920900000008000000006b02048b42000d0200000004\
000000010000000042000f010000003842005c05000000040000000b0000000042007901000000204200940700000004\
356630630000000042000a07000000055374617465000000";

const GET: &str = "\
42007801000000904200770100000058420069010000002042006a0200000004000000010000000042006b0200000004\
0000000000000000420050020000000400002000000000004200920900000008000000006b02048b42000d0200000004\
000000010000000042000f010000002842005c05000000040000000a0000000042007901000000104200940700000004\
3566306300000000";

fn hex<R: Request>(request: &R) -> String {
    message(request, NOW).unwrap().bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key() -> MasterKey {
    MasterKey::parse(&std::array::from_fn::<u8, 32, _>(|at| u8::try_from(at).unwrap())).unwrap()
}

#[test]
fn without_a_name_every_request_is_the_original_s() {
    assert_eq!(hex(&register(&key(), None)), REGISTER);
    assert_eq!(hex(&activate(IDENTIFIER)), ACTIVATE);
    assert_eq!(hex(&state(IDENTIFIER)), GET_ATTRIBUTES);
    assert_eq!(hex(&get(IDENTIFIER)), GET);
}

#[test]
fn a_name_is_one_more_attribute_and_nothing_else() {
    let named = hex(&register(&key(), Some("psmdb/1")));
    let name: String = "psmdb/1".bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(named.contains(&name));
    // The attributes before it are the same, and so is the key behind them.
    let (before, behind) = REGISTER.split_at(REGISTER.find("42008f").unwrap());
    assert!(named.ends_with(behind));
    let (_, attributes) = before.split_at(before.find("420008").unwrap());
    assert!(named.contains(attributes));
}

#[test]
fn answers_about_something_else_are_garbage() {
    let states = |count: usize| {
        let state = Instance::from(Attribute::State(State::ACTIVE));
        GetAttributesResponse {
            unique_identifier: IDENTIFIER.into(),
            attributes: AttributeList(Attributes(vec![state; count])),
        }
    };
    assert_eq!(state_of(&states(1), IDENTIFIER), Ok(State::ACTIVE));
    for count in [0, 2] {
        state_of(&states(count), IDENTIFIER).unwrap_err();
    }
    state_of(&states(1), "other").unwrap_err();
    for text in ["", "a\nb", &"x".repeat(IDENTIFIER_MAX + 1)] {
        identifier(&text.into()).unwrap_err();
    }
    assert_eq!(identifier(&"7".into()), Ok(String::from("7")));
}

#[test]
fn only_a_raw_aes_key_of_the_right_length_is_a_master_key() {
    type Change<'a> = &'a dyn Fn(&mut KeyBlock);
    let answer = |change: Change<'_>| {
        let RegisterRequest { mut object, object_type, .. } = register(&key(), None);
        change(object.key_block_mut().unwrap());
        let unique_identifier = IDENTIFIER.into();
        key_of(&GetResponse { object_type, unique_identifier, object }, IDENTIFIER)
    };
    let bytes = |bytes: Vec<u8>| Some(KeyValue::plain(KeyMaterial::Bytes(Secret::new(bytes))));
    assert!(matches!(answer(&|_| {}), Ok(Got::Key(_))));
    let legacy = b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_vec();
    let Ok(Got::Key(read)) = answer(&|block| {
        block.key_value = bytes(legacy.clone());
        block.cryptographic_length = Some(352);
    }) else {
        panic!("the legacy text is no key")
    };
    assert_eq!(read.expose(), key().expose());
    let others: [(Change<'_>, &str); 3] = [
        (&|block| block.key_value = bytes(vec![0; 16]), "16 bytes"),
        (&|block| block.key_format_type = KeyFormatType::OPAQUE, "OPAQUE"),
        (
            &|block| block.cryptographic_algorithm = Some(CryptographicAlgorithm::CAMELLIA),
            "CAMELLIA",
        ),
    ];
    for (change, said) in others {
        let Ok(Got::Other(problem)) = answer(change) else { panic!("{said}") };
        assert!(problem.to_uppercase().contains(&said.to_uppercase()), "{problem}");
    }
    answer(&|block| block.key_value = None).unwrap_err();
}
