//! The master key: 32 bytes, from wherever they come. Never written anywhere by this module.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Error;

/// Bytes of a master key, and of a data key.
pub const KEY_LENGTH: usize = 32;
/// Bytes of its base64 text, which versions before 5.0.17-14 registered instead of the key.
const TEXT_LENGTH: usize = 44;

/// A key that seals data keys. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_LENGTH]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    /// A new key.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| Error::Randomness)?;
        Ok(Self(bytes))
    }

    /// Reads what a server or a file holds: 32 bytes, or the base64 text of 32 bytes.
    ///
    /// # Errors
    /// It is neither; what it is, for people, without a byte of it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if let Ok(raw) = <&[u8; KEY_LENGTH]>::try_from(bytes) {
            return Ok(Self(Zeroizing::new(*raw)));
        }
        let refused = || format!("a key of {} bytes, not of {KEY_LENGTH}", bytes.len());
        if bytes.len() != TEXT_LENGTH {
            return Err(refused());
        }
        // One more than a key has, as the decoder reckons before it looks at the padding.
        let mut decoded = Zeroizing::new([0; KEY_LENGTH + 1]);
        match STANDARD.decode_slice(bytes, decoded.as_mut_slice()) {
            Ok(KEY_LENGTH) => {
                let mut key = Zeroizing::new([0; KEY_LENGTH]);
                key.iter_mut().zip(decoded.iter()).for_each(|(to, from)| *to = *from);
                Ok(Self(key))
            }
            _ => {
                Err(format!("a key of {TEXT_LENGTH} bytes that are not the base64 of {KEY_LENGTH}"))
            }
        }
    }

    /// Reads a key file: base64 text, which nobody but its owner may read.
    ///
    /// # Errors
    /// The file cannot be read, others may read it, or it holds something else.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let refused = |problem: String| Error::KeyFile { path: path.to_owned(), problem };
        let file = File::open(path).map_err(|error| refused(error.to_string()))?;
        let metadata = file.metadata().map_err(|error| refused(error.to_string()))?;
        if metadata.mode() & 0o077 != 0 {
            return Err(refused(String::from("others than its owner have rights on it")));
        }
        // The text, a line's end, and one more to notice that there is more.
        let mut text = Zeroizing::new(Vec::with_capacity(TEXT_LENGTH + 3));
        file.take(TEXT_LENGTH as u64 + 3)
            .read_to_end(&mut text)
            .map_err(|error| refused(error.to_string()))?;
        let text = text.trim_ascii();
        if text.len() != TEXT_LENGTH {
            let problem = format!("it holds {} bytes of text, not {TEXT_LENGTH}", text.len());
            return Err(refused(problem));
        }
        Self::parse(text).map_err(|problem| refused(format!("it holds {problem}")))
    }

    /// The bytes. The name is long so that every use stands out in a review.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_raw_or_the_legacy_text() {
        let raw: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let text = STANDARD.encode(raw);
        assert_eq!(text.len(), TEXT_LENGTH);
        assert_eq!(MasterKey::parse(&raw).unwrap().expose(), &raw);
        assert_eq!(MasterKey::parse(text.as_bytes()).unwrap().expose(), &raw);
        for wrong in [&raw[..31], &[0; 33], &[], &[b'A'; 44], &[b'='; 44], &[0xff; 44], &[0; 43]] {
            let said = MasterKey::parse(wrong).unwrap_err();
            assert!(said.contains(&wrong.len().to_string()), "{said}");
        }
    }

    #[test]
    fn a_key_file_is_its_owner_s_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let write = |content: &[u8], mode| {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            MasterKey::read(&path)
        };
        let text = STANDARD.encode([7; 32]);
        assert_eq!(write(format!("{text}\n").as_bytes(), 0o600).unwrap().expose(), &[7; 32]);
        assert_eq!(write(text.as_bytes(), 0o400).unwrap().expose(), &[7; 32]);
        for (content, mode) in [
            (text.as_bytes(), 0o640),
            (&[7; 32][..], 0o600),
            (format!("{text}\n{text}").as_bytes(), 0o600),
            (b"", 0o600),
        ] {
            assert!(matches!(write(content, mode), Err(Error::KeyFile { .. })));
        }
    }
}
