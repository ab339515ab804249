//! A credential as files, named as the product that reads them wants them.
//!
//! It must never leave a private key readable for others, or half written.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use claviger_client::Endpoint;
use serde_json::Value;

use crate::failure::{Failure, Outcome};

const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Who reads the files.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Product {
    /// MongoDB and Percona Server for MongoDB: client.pem, ca.pem
    Mongod,
    /// MySQL's keyring_okv: okvclient.ora, ssl/{CA,cert,key}.pem
    Okv,
    /// PyKMIP: pykmip.conf, {ca,cert,key}.pem
    Pykmip,
    /// Zenko CloudServer: kmip-{ca,cert,key}.pem
    Zenko,
}

impl Product {
    /// Whether its files say where the server is.
    pub(super) const fn names_servers(self) -> bool {
        matches!(self, Self::Okv | Self::Pykmip)
    }
}

/// The PEM texts of a credential.
pub(super) struct Material {
    certificate: String,
    chain: String,
    key: Option<String>,
}

impl Material {
    /// From an answer of the API in the format `pem`.
    pub(super) fn from_data(data: &Value) -> Outcome<Self> {
        let block = |value: &Value| value.as_str().map(|text| format!("{}\n", text.trim_end()));
        let chain = data.get("ca_chain").and_then(Value::as_array).map(Vec::as_slice);
        let chain: String = chain.unwrap_or_default().iter().filter_map(block).collect();
        let certificate = data.get("certificate").and_then(block);
        match certificate {
            Some(certificate) if !chain.is_empty() => {
                Ok(Self { certificate, chain, key: data.get("private_key").and_then(block) })
            }
            _ => Err(Failure::new("the server's answer has no certificate, or no chain")),
        }
    }

    fn key(&self) -> Outcome<&str> {
        self.key.as_deref().ok_or_else(|| Failure::new("the server's answer has no private key"))
    }

    /// Certificate and intermediate: what a client shows to the server.
    fn presented(&self) -> String {
        format!("{}{}", self.certificate, self.chain)
    }

    fn bundle(&self) -> Outcome<String> {
        Ok(format!("{}{}", self.key()?, self.presented()))
    }
}

/// Writes the files for a product, or, for nobody in particular, those of `--export-client`.
pub(super) fn write(
    material: &Material,
    product: Option<Product>,
    directory: &Path,
    servers: &[Endpoint],
) -> Outcome<Vec<PathBuf>> {
    let key = || material.key().map(str::to_owned);
    let files = match product {
        None => vec![
            ("ca.pem", PUBLIC, material.chain.clone()),
            ("cert.pem", PUBLIC, material.presented()),
            ("key.pem", PRIVATE, key()?),
            ("client.pem", PRIVATE, material.bundle()?),
        ],
        Some(Product::Mongod) => vec![
            ("client.pem", PRIVATE, material.bundle()?),
            ("ca.pem", PUBLIC, material.chain.clone()),
        ],
        Some(Product::Okv) => vec![
            ("okvclient.ora", PUBLIC, okvclient(servers)?),
            ("ssl/CA.pem", PUBLIC, material.chain.clone()),
            ("ssl/cert.pem", PUBLIC, material.presented()),
            ("ssl/key.pem", PRIVATE, key()?),
        ],
        Some(Product::Pykmip) => vec![
            ("pykmip.conf", PUBLIC, pykmip(servers, directory)?),
            ("ca.pem", PUBLIC, material.chain.clone()),
            ("cert.pem", PUBLIC, material.presented()),
            ("key.pem", PRIVATE, key()?),
        ],
        Some(Product::Zenko) => vec![
            ("kmip-ca.pem", PUBLIC, material.chain.clone()),
            ("kmip-cert.pem", PUBLIC, material.presented()),
            ("kmip-key.pem", PRIVATE, key()?),
        ],
    };
    write_all(directory, &files)
}

/// Writes what a signed request gives: there is no key to write.
pub(super) fn write_signed(material: &Material, directory: &Path) -> Outcome<Vec<PathBuf>> {
    let files =
        [("ca.pem", PUBLIC, material.chain.clone()), ("cert.pem", PUBLIC, material.presented())];
    write_all(directory, &files)
}

fn okvclient(servers: &[Endpoint]) -> Outcome<String> {
    let (server, standby) = match servers {
        [] => return Err(no_server()),
        [server] => (server, server),
        [server, standby, ..] => (server, standby),
    };
    Ok(format!("SERVER={server}\nSTANDBY_SERVER={standby}\n"))
}

fn pykmip(servers: &[Endpoint], directory: &Path) -> Outcome<String> {
    let server = servers.first().ok_or_else(no_server)?;
    // PyKMIP reads its files from wherever the program runs.
    let directory = std::path::absolute(directory).map_err(Failure::new)?;
    let file = |name: &str| directory.join(name).display().to_string();
    let (ca, certificate, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
    Ok(format!(
        "[client]\nhost={}\nport={}\nkeyfile={key}\ncertfile={certificate}\n\
         cert_reqs=CERT_REQUIRED\nssl_version=PROTOCOL_SSLv23\nca_certs={ca}\n\
         do_handshake_on_connect=True\nsuppress_ragged_eofs=True\nusername=\npassword=\n",
        server.host, server.port
    ))
}

fn no_server() -> Failure {
    Failure::usage("those files name the KMIP server").next("Give --server HOST[:PORT].")
}

fn write_all(directory: &Path, files: &[(&str, u32, String)]) -> Outcome<Vec<PathBuf>> {
    let mut written = Vec::with_capacity(files.len());
    for (name, mode, content) in files {
        let path = directory.join(name);
        write_one(&path, *mode, content).map_err(|error| Failure::file(&path, &error))?;
        written.push(path);
    }
    Ok(written)
}

/// A reader sees the old file or the new one, never half of one.
fn write_one(path: &Path, mode: u32, content: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file: File =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    fn written(product: Option<Product>, servers: &[&str]) -> Vec<(String, u32, String)> {
        let data =
            json!({ "certificate": "CERT\n", "private_key": "KEY", "ca_chain": ["INT", "ROOT\n"] });
        let material = Material::from_data(&data).unwrap();
        let servers: Vec<Endpoint> = servers.iter().map(|it| it.parse().unwrap()).collect();
        let directory = tempfile::tempdir().unwrap();
        let paths = write(&material, product, directory.path(), &servers).unwrap();
        let read = |path: &PathBuf| {
            let name = path.strip_prefix(directory.path()).unwrap().display().to_string();
            let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
            let text = fs::read_to_string(path).unwrap();
            (name, mode, text.replace(&directory.path().display().to_string(), "DIR"))
        };
        paths.iter().map(read).collect()
    }

    fn file(name: &str, mode: u32, text: &str) -> (String, u32, String) {
        (name.to_owned(), mode, text.to_owned())
    }

    #[test]
    fn each_product_finds_its_files() {
        assert_eq!(
            written(Some(Product::Mongod), &[]),
            [
                file("client.pem", 0o600, "KEY\nCERT\nINT\nROOT\n"),
                file("ca.pem", 0o644, "INT\nROOT\n"),
            ]
        );
        assert_eq!(
            written(Some(Product::Okv), &["a", "b:1"])[0],
            file("okvclient.ora", 0o644, "SERVER=a:5696\nSTANDBY_SERVER=b:1\n")
        );
        let okv = written(Some(Product::Okv), &["a"]);
        assert_eq!(okv[0].2, "SERVER=a:5696\nSTANDBY_SERVER=a:5696\n");
        let names: Vec<_> = okv.iter().map(|it| (it.0.as_str(), it.1)).collect();
        let expected = [
            ("okvclient.ora", 0o644),
            ("ssl/CA.pem", 0o644),
            ("ssl/cert.pem", 0o644),
            ("ssl/key.pem", 0o600),
        ];
        assert_eq!(names, expected);
        let pykmip = written(Some(Product::Pykmip), &["kms:5697"]);
        assert!(pykmip[0].2.starts_with("[client]\nhost=kms\nport=5697\nkeyfile=DIR/key.pem\n"));
        let zenko: Vec<_> = written(Some(Product::Zenko), &[]).into_iter().map(|it| it.0).collect();
        assert_eq!(zenko, ["kmip-ca.pem", "kmip-cert.pem", "kmip-key.pem"]);
        let plain: Vec<_> = written(None, &[]).into_iter().map(|it| it.0).collect();
        assert_eq!(plain, ["ca.pem", "cert.pem", "key.pem", "client.pem"]);
    }

    #[test]
    fn files_are_replaced_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        for text in ["long old text", "new"] {
            write_one(&path, PRIVATE, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
