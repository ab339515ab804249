//! Known answers, computed by another program with tables of logarithms, and properties.

use super::*;
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn share(text: &str) -> Share {
    Share::new(Zeroizing::new(hex(text)))
}

const SECRET: &str = "000102030405060708090a0b0c0d0e0f636c6176696765722073686172657321";
/// SHA-256 of "coefficient 1" and of "coefficient 2".
const COEFFICIENTS: [&str; 2] = [
    "55283d6bc29fe9146817ac7d1e79f01cb5fd93fe1b8162cada85469c0504e769",
    "d0dc86d6a9853358cf3f23e17cfd9057205338d2e1c1a8c9a897669c39090dfe",
];
/// At x = 1, 2, 0x53, 0xca, 0xff.
const SHARES: [&str; 5] = [
    "85f5b9be6f1fdc4baf2185976e896e44f6c2ca5a9327af71526148614e6899b601",
    "c70c56a009020354c9dbc558db26837092dabcf4f65737f4190867049c49922602",
    "1c44ad1acf484ccf2be1e6767fbf3490f1c5f6c06c729be4b7a5fe16e858de1053",
    "56b456cc21c9b2c663bb3039a5615b1112af260da9b4bd3b6ed5f1097e90d4c6ca",
    "3c7a0763a56700a0d237b632ed1a07f0c528927809016090422973b9aa3f776aff",
];

#[test]
fn the_field_is_the_one_of_aes() {
    // FIPS 197 §4.2.
    assert_eq!((multiply(0x57, 0x83), multiply(0x57, 0x13)), (0xc1, 0xfe));
    let mut sum = 0u32;
    for left in 0..=255 {
        for right in 0..=255 {
            sum = sum.wrapping_mul(31).wrapping_add(u32::from(multiply(left, right)));
        }
        assert_eq!(multiply(left, invert(left)), u8::from(left != 0));
    }
    assert_eq!(sum, 0xb9f6_6f80, "the whole multiplication table");
}

#[test]
fn shares_are_the_known_ones() {
    let mut draws = 0;
    let xs = [1, 0, 2, 0x53, 0x53, 0xca, 0xff];
    let made = split_with(&hex(SECRET), 5, 3, |bytes| {
        let drawn = if draws == 0 { hex(&COEFFICIENTS.concat()) } else { xs.to_vec() };
        draws += 1;
        bytes[..drawn.len()].copy_from_slice(&drawn);
        Ok(())
    });
    assert_eq!(made.unwrap(), SHARES.map(share));
}

#[test]
fn known_shares_combine() {
    for pick in [[0, 1, 2], [4, 2, 0], [3, 1, 4], [2, 3, 4]] {
        let picked = pick.map(|index| share(SHARES[index]));
        assert_eq!(*combine(&picked).unwrap(), hex(SECRET));
    }
    assert_eq!(*combine(&SHARES.map(share)).unwrap(), hex(SECRET), "more than needed");
    let two = [share("75e58c6f01"), share("8b0060beff")];
    assert_eq!(combine(&two).unwrap().as_slice(), b"test");
    assert_ne!(*combine(&SHARES.map(share)[..2]).unwrap(), hex(SECRET), "fewer than needed");
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |result: Result<_, SealError>| match result {
        Err(SealError::Shamir(reason)) => reason,
        other => panic!("{other:?}"),
    };
    for (shares, threshold) in [(0, 0), (1, 1), (2, 1), (2, 3), (0, 2), (255, 0)] {
        assert_eq!(refused(split(b"x", shares, threshold)), ShamirError::Numbers);
    }
    assert_eq!(refused(split(b"", 2, 2)), ShamirError::Secret);
    assert_eq!(refused(split(&[0; 1025], 2, 2)), ShamirError::Secret);
    let combined =
        |texts: &[&str]| combine(&texts.iter().map(|text| share(text)).collect::<Vec<_>>());
    assert_eq!(combined(&[]), Err(ShamirError::TooFew));
    assert_eq!(combined(&[SHARES[0]]), Err(ShamirError::TooFew));
    assert_eq!(combined(&[SHARES[0], SHARES[1], SHARES[0]]), Err(ShamirError::Twice));
    for bad in ["", "01", "0000", "75e58c6f01", "75e58c00"] {
        assert_eq!(combined(&[bad, "75e58c6f02"][..]).is_err(), bad != "75e58c6f01", "{bad}");
    }
    let mut no_randomness = |_: &mut [u8]| Err(SealError::Crypto);
    assert!(matches!(split_with(b"x", 2, 2, &mut no_randomness), Err(SealError::Crypto)));
}

#[test]
fn the_largest_sharing_has_all_coordinates_and_says_nothing_of_itself() {
    let made = split(b"0123456789abcdef", 255, 255).unwrap();
    let mut xs: Vec<u8> = made.iter().map(|share| *share.bytes().last().unwrap()).collect();
    xs.sort_unstable();
    assert_eq!(xs, (1..=255).collect::<Vec<u8>>());
    assert_eq!(combine(&made).unwrap().as_slice(), b"0123456789abcdef");
    assert_ne!(combine(&made[1..]).unwrap().as_slice(), b"0123456789abcdef");
    assert_eq!(format!("{:?}", made[0]), "Share(…)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_threshold_of_the_shares_combine_and_any_fewer_do_not(
        secret in prop::collection::vec(any::<u8>(), 16..48),
        (shares, threshold) in (2u8..40).prop_flat_map(|shares| (Just(shares), 2..=shares)),
        seed in any::<u64>(),
    ) {
        let mut made = split(&secret, shares, threshold).unwrap();
        // Any subset, in any order.
        let mut state = seed | 1;
        for index in (1..made.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            made.swap(index, (state >> 33) as usize % (index + 1));
        }
        let enough = &made[..usize::from(threshold)];
        prop_assert_eq!(&*combine(enough).unwrap(), &secret);
        if threshold > 2 {
            prop_assert_ne!(&*combine(&enough[1..]).unwrap(), &secret);
        }
    }
}
