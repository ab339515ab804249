//! Zenko's own form of encrypted objects, `cryptoScheme` 1: read and written, so that what CloudServer stored is read
//! here and what is stored here is read there.
//!
//! AES-256-CTR with a key and a first counter that PBKDF2 makes of the object's data key; as long as the plaintext, read
//! from any offset, and **not authenticated**: whoever can change stored bytes changes plaintext. Pure: no IO, no clock.

mod metadata;

pub use metadata::{
    Algorithm, BucketEncryption, CRYPTO_SCHEME, CipheredDataKey, ForeignScheme, Location,
    PartEncryption,
};

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1};
use zeroize::Zeroizing;

use crate::driver::DataKey;

const SALT: &[u8] = b"ItsTasty";
/// A data key is random: there is nothing to slow down.
const ITERATIONS: NonZeroU32 = NonZeroU32::MIN;
const BLOCK: u64 = 16;

/// The cipher of the bytes that one data key protects: an object's, or those of one part of it.
pub struct Cipher {
    key: DecryptingKey,
    /// The counter of the first block.
    start: u128,
}

impl Cipher {
    /// The cipher of a data key.
    ///
    /// # Errors
    /// Never with the sizes that these keys have; it stands for a refusal of the cryptographic library.
    pub fn new(data_key: &DataKey) -> Result<Self, Unspecified> {
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::derive(PBKDF2_HMAC_SHA1, ITERATIONS, SALT, data_key.bytes(), key.as_mut_slice());
        let mut iv = Zeroizing::new([0; 16]);
        pbkdf2::derive(PBKDF2_HMAC_SHA1, ITERATIONS, SALT, key.as_slice(), iv.as_mut_slice());
        let key = UnboundCipherKey::new(&AES_256, key.as_slice())?;
        Ok(Self { key: DecryptingKey::ctr(key)?, start: u128::from_be_bytes(*iv) })
    }

    /// Turns plaintext that begins at an offset of the whole into ciphertext, or ciphertext into plaintext, in place.
    ///
    /// # Errors
    /// As [`Cipher::new`].
    pub fn apply(&self, offset: u64, bytes: &mut [u8]) -> Result<(), Unspecified> {
        let block = offset.checked_div(BLOCK).unwrap_or(0);
        let skipped =
            usize::try_from(offset.checked_rem(BLOCK).unwrap_or(0)).map_err(|_| Unspecified)?;
        let mut at = block;
        let mut rest = bytes;
        if skipped > 0 {
            // The part of a block that is wanted.
            let mut whole = Zeroizing::new([0; 16]);
            let place = whole.get_mut(skipped..).ok_or(Unspecified)?;
            let count = place.len().min(rest.len());
            let (head, tail) = rest.split_at_mut(count);
            place.get_mut(..count).ok_or(Unspecified)?.copy_from_slice(head);
            self.blocks(at, whole.as_mut_slice())?;
            head.copy_from_slice(
                whole.get(skipped..).and_then(|it| it.get(..count)).ok_or(Unspecified)?,
            );
            rest = tail;
            at = at.wrapping_add(1);
        }
        if rest.is_empty() { Ok(()) } else { self.blocks(at, rest) }
    }

    /// Whole blocks, and a part of the last.
    fn blocks(&self, block: u64, bytes: &mut [u8]) -> Result<(), Unspecified> {
        let counter = self.start.wrapping_add(u128::from(block)).to_be_bytes();
        let context = DecryptionContext::Iv128(FixedLength::from(counter));
        self.key.decrypt(bytes, context).map(|_| ())
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What CloudServer 8.8 makes of this key and this text.
    const PLAIN: &[u8] =
        b"I am the best content ever, repeated to span several AES blocks: 0123456789abcdef";
    const CIPHERED: &str = "2ec9135fd759a1331b8c029c32b5af093b67ce24432bdd4cdd29a5f7b6362fa0\
        180766ef169f344f552bec7d895434cbc6f7624a40de8dbd1195b7807da573d0d505452b42c5150466e9666d\
        d3fc29e6b2";
    const START: &str = "0759d2c77386445ce91aed15fd4f2a16";

    fn cipher() -> Cipher {
        let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        Cipher::new(&DataKey::copy_of(&key)).unwrap()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn applied(offset: u64, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        cipher().apply(offset, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn bytes_are_those_of_zenko() {
        assert_eq!(hex(&cipher().start.to_be_bytes()), START);
        assert_eq!(hex(&applied(0, PLAIN)), CIPHERED);
    }

    #[test]
    fn every_range_opens_by_itself() {
        let whole = applied(0, PLAIN);
        for from in 0..=PLAIN.len() {
            for to in from..=PLAIN.len() {
                let offset = u64::try_from(from).unwrap();
                assert_eq!(applied(offset, &whole[from..to]), &PLAIN[from..to], "{from}..{to}");
            }
        }
    }

    #[test]
    fn the_counter_goes_on_past_its_end() {
        let mut cipher = cipher();
        cipher.start = u128::MAX;
        let mut whole = PLAIN.to_vec();
        cipher.apply(0, &mut whole).unwrap();
        let mut tail = whole[16..].to_vec();
        cipher.apply(16, &mut tail).unwrap();
        assert_eq!(tail, &PLAIN[16..]);
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole(bytes in proptest::collection::vec(any::<u8>(), 0..600), cuts in proptest::collection::vec(0_usize..600, 0..5)) {
            let whole = applied(1 << 40, &bytes);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            for pair in cuts.windows(2) {
                let offset = (1 << 40) + u64::try_from(pair[0]).unwrap();
                pieces.extend(applied(offset, &bytes[pair[0]..pair[1]]));
            }
            prop_assert_eq!(pieces, whole);
        }
    }
}
