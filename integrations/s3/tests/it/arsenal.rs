//! The KMIP client of Scality's Arsenal, unmodified, against a Claviger server, and its data keys with ours.
//!
//! `CLAVIGER_ARSENAL` names its built module `lib/network/kmip/Client.js`, which is not part of the repository; without it the
//! tests say that they are skipped. `tests/it/zenko.rs` of the workspace plays its requests from a record.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use claviger_s3::driver::{DataKey, Driver, KeyId, Options};
use serde_json::{Value, json};

use crate::claviger::Claviger;

/// The client, in a process of its own.
struct Arsenal {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Arsenal {
    /// As its options say, if there is one.
    fn start(claviger: &Claviger, client: &Value, depth: usize) -> Option<Self> {
        let Some(module) = std::env::var_os("CLAVIGER_ARSENAL").map(PathBuf::from) else {
            println!("skipped: CLAVIGER_ARSENAL names no client of Arsenal");
            return None;
        };
        let files = &claviger.files;
        let options = json!({"client": client, "codec": {}, "transport": {"pipelineDepth": depth, "tls": {
            "host": claviger.endpoint.host, "port": claviger.endpoint.port,
            "key": files.key, "cert": files.certificate, "ca": files.ca}}});
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/arsenal.js");
        let mut child = Command::new("node")
            .arg(script)
            .arg(module)
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, input, output })
    }

    fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it ended at {command}");
        serde_json::from_str(&line).unwrap()
    }

    fn does(&mut self, command: &Value) -> Value {
        let answer = self.ask(command);
        assert!(answer["error"].is_null(), "{command}: {answer}");
        answer["done"].clone()
    }

    fn text(&mut self, command: &Value) -> String {
        self.does(command).as_str().unwrap().to_owned()
    }
}

impl Drop for Arsenal {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[tokio::test]
async fn its_keys_and_data_keys_are_ours_and_ours_are_its() {
    let claviger = Claviger::start();
    let client = json!({"compoundCreateActivate": false, "bucketNameAttributeName": "x-bucket"});
    let Some(mut arsenal) = Arsenal::start(&claviger, &client, 8) else { return };
    let options = Options::new(vec![claviger.endpoint.clone()], claviger.files.settings());
    let driver = Driver::new(options).unwrap();
    let plain = DataKey::generate().unwrap();

    let theirs: KeyId = arsenal.text(&json!({"do": "create", "bucket": "one"})).parse().unwrap();
    let ours = driver.create_bucket_key("two").await.unwrap();
    for key in [&theirs, &ours] {
        let data = hex(plain.bytes());
        let sealed = arsenal.text(&json!({"do": "cipher", "key": key.as_str(), "data": data}));
        let opened = driver.decipher_data_key(key, &unhex(&sealed)).await.unwrap();
        assert_eq!(opened.bytes(), plain.bytes());
        let sealed_here = driver.cipher_data_key(key, &plain).await.unwrap();
        assert_eq!(hex(&sealed_here), sealed, "they are the same bytes");
        let opened = arsenal.text(&json!({"do": "decipher", "key": key.as_str(), "data": sealed}));
        assert_eq!(opened, data);
    }
    driver.destroy_bucket_key(&theirs).await.unwrap();
    arsenal.does(&json!({"do": "destroy", "key": ours.as_str()}));
    assert!(claviger.keys().is_empty());
    let gone = arsenal.ask(&json!({"do": "decipher", "key": ours.as_str(), "data": "00"}));
    assert!(gone["error"].is_string(), "{gone}");
}

#[test]
fn it_works_at_every_depth_and_with_either_way_to_activate() {
    let claviger = Claviger::start();
    for (depth, compound) in [(1, false), (8, true), (64, false)] {
        let client = json!({"compoundCreateActivate": compound});
        let Some(mut arsenal) = Arsenal::start(&claviger, &client, depth) else { return };
        let key = arsenal.text(&json!({"do": "create", "bucket": "b"}));
        assert_eq!(arsenal.does(&json!({"do": "parallel", "key": key, "count": 100})), 100);
        assert_eq!(arsenal.does(&json!({"do": "version"})), json!({"major": 1, "minor": 4}));
        assert!(
            arsenal.ask(&json!({"do": "cipher", "key": "none", "data": "00"}))["error"].is_string()
        );
        arsenal.does(&json!({"do": "health"}));
        arsenal.does(&json!({"do": "destroy", "key": key}));
    }
}
