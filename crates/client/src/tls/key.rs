//! Private keys: PEM files of the forms that programs write, also encrypted ones.

use std::fs;
use std::path::Path;

use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::unusable;
use crate::Error;

const BEGIN_ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const END_ENCRYPTED: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// OpenSSL's own encryption, in a header of the old forms.
const OLD_ENCRYPTED: &str = "Proc-Type: 4,ENCRYPTED";
const CONVERT: &str = "convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc`";

/// Whether a PEM file holds a private key, encrypted or not.
///
/// # Errors
/// The file cannot be read.
pub fn holds_private_key(path: &Path) -> Result<bool, Error> {
    let text = text(path)?;
    Ok(text.lines().any(|line| line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY--")))
}

/// Reads the private key of a PEM file.
///
/// # Errors
/// The file cannot be read, has no private key, or its key is encrypted and the password wrong.
pub(super) fn read(path: &Path, password: Option<&str>) -> Result<PrivateKeyDer<'static>, Error> {
    let text = text(path)?;
    if let Some(pem) = encrypted(&text) {
        return decrypt(path, pem, password);
    }
    if text.contains(OLD_ENCRYPTED) {
        let problem = format!("the private key is encrypted in OpenSSL's old form; {CONVERT}");
        return Err(unusable(path, &problem));
    }
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| unusable(path, &error))
}

/// The file, wiped when it is dropped.
fn text(path: &Path) -> Result<Zeroizing<String>, Error> {
    let bytes = Zeroizing::new(fs::read(path).map_err(|error| unusable(path, &error))?);
    let text = std::str::from_utf8(&bytes).map_err(|error| unusable(path, &error))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn encrypted(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(BEGIN_ENCRYPTED)?;
    let (body, _) = rest.split_once(END_ENCRYPTED)?;
    Some(body)
}

/// Decrypts a PKCS#8 key (RFC 5958): PBES2 with AES or 3DES in CBC mode and PBKDF2 or scrypt.
fn decrypt(
    path: &Path,
    body: &str,
    password: Option<&str>,
) -> Result<PrivateKeyDer<'static>, Error> {
    let Some(password) = password else {
        return Err(Error::Password { path: path.to_owned(), is_given: false });
    };
    let pem =
        Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----{body}-----END PRIVATE KEY-----\n"));
    // The armour is the same whatever is inside.
    let sealed = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| unusable(path, &error))?;
    let not_supported = |_| {
        let problem = format!("the private key's encryption is not supported; {CONVERT}");
        unusable(path, &problem)
    };
    let sealed =
        EncryptedPrivateKeyInfoRef::try_from(sealed.secret_pkcs8_der()).map_err(not_supported)?;
    match sealed.decrypt(password) {
        Ok(key) => Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()),
        Err(pkcs8::Error::EncryptedPrivateKey(error)) if error != pkcs5::Error::DecryptFailed => {
            Err(not_supported(error.into()))
        }
        // Either the padding is wrong or, by chance, only what is inside.
        Err(_) => Err(Error::Password { path: path.to_owned(), is_given: true }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`, and that key encrypted
    /// with `openssl pkcs8 -topk8 -passout pass:correct-horse` in the way that the name says.
    fn path(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name)
    }

    const SUPPORTED: [&str; 4] = [
        "aes256_pbkdf2_sha256.pem",
        "aes128_pbkdf2_sha512.pem",
        "aes256_scrypt.pem",
        "des3_pbkdf2_sha1.pem",
    ];

    #[test]
    fn encrypted_keys_are_what_they_were() {
        let plain = read(&path("plain.pem"), None).unwrap();
        for name in SUPPORTED {
            let key = read(&path(name), Some("correct-horse")).unwrap();
            assert_eq!(key.secret_der(), plain.secret_der(), "{name}");
        }
    }

    #[test]
    fn a_wrong_or_missing_password_is_called_that() {
        for name in SUPPORTED {
            for (password, given) in [(None, false), (Some("wrong"), true), (Some(""), true)] {
                let error = read(&path(name), password).unwrap_err();
                let is_right =
                    matches!(&error, Error::Password { is_given, .. } if *is_given == given);
                assert!(is_right, "{error}");
            }
        }
    }

    #[test]
    fn encryption_that_is_not_supported_says_what_to_do() {
        for name in ["old_form.pem", "pkcs12_sha1_des3.pem"] {
            let error = read(&path(name), Some("correct-horse")).unwrap_err().to_string();
            assert!(error.contains("openssl pkcs8 -topk8"), "{error}");
        }
    }
}
