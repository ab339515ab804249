//! The command line of OpenBao, which is that of Vault, unmodified, from PyPI: HashiCorp's KMIP tutorial with the tables
//! that it shows, and what operators do from a server's first start on.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::address::free_address;
use crate::clients::python;
use crate::kmip::{Client, create, on, op, reason};
use crate::lifecycle::Place;
use crate::server::{ROOT_TOKEN, Server};
use crate::tls::Identity;

const VERSION: (i32, i32) = (1, 4);

/// `bao`, with a home directory of its own.
struct Bao {
    program: PathBuf,
    home: tempfile::TempDir,
    address: String,
    token: String,
    authority: Option<PathBuf>,
}

/// What became of a command.
struct Said {
    code: i32,
    out: String,
    error: String,
}

impl Bao {
    fn of(server: &Server, token: &str) -> Self {
        let program = python().with_file_name("bao");
        assert!(program.exists(), "{} is not there: run ./test clients", program.display());
        let home = tempfile::tempdir().unwrap();
        Self {
            program,
            home,
            address: server.api.clone(),
            token: token.to_owned(),
            authority: None,
        }
    }

    fn run(&self, line: &str, format: &str) -> Said {
        let mut command = Command::new(&self.program);
        command
            .args(line.split(' '))
            .stdin(Stdio::null())
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("BAO_ADDR", &self.address)
            .env("BAO_TOKEN", &self.token)
            .env("BAO_FORMAT", format)
            .env_remove("VAULT_ADDR")
            .env_remove("VAULT_TOKEN");
        if let Some(authority) = &self.authority {
            command.env("BAO_CACERT", authority);
        }
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        Said { code, out: text(output.stdout), error: text(output.stderr) }
    }

    /// A command, written as one line, that succeeds; what it prints.
    fn does(&self, line: &str) -> String {
        self.succeeds(line, "table")
    }

    fn succeeds(&self, line: &str, format: &str) -> String {
        let said = self.run(line, format);
        assert_eq!(said.code, 0, "bao {line}: {}{}", said.out, said.error);
        said.out
    }

    /// A command that fails; what it says.
    fn fails(&self, line: &str, code: i32) -> String {
        let said = self.run(line, "table");
        assert_eq!(said.code, code, "bao {line}: {}{}", said.out, said.error);
        said.out + &said.error
    }

    /// A command that prints exactly this.
    fn prints(&self, line: &str, expected: &str) {
        assert_eq!(self.does(line), expected.trim_start_matches('\n'), "bao {line}");
    }

    /// The answer of a command, in JSON.
    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.succeeds(line, "json")).unwrap()
    }

    fn file(&self, name: &str, content: &str) {
        std::fs::write(self.home.path().join(name), content).unwrap();
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

/// What a client needs of a credential in PEM.
fn identity(data: &Value) -> Identity {
    let chain: Vec<&str> = data["ca_chain"].as_array().unwrap().iter().map(text).collect();
    Identity::from_pem(
        chain.join("\n").as_bytes(),
        text(&data["certificate"]).as_bytes(),
        text(&data["private_key"]).as_bytes(),
    )
}

#[test]
fn the_kmip_tutorial() {
    let mut server = Server::start();
    let address = free_address();
    server.kmip = address;
    let bao = Bao::of(&server, ROOT_TOKEN);
    bao.prints(
        "secrets enable -path=corp kmip",
        "Success! Enabled the kmip secrets engine at: corp/\n",
    );
    bao.prints(
        &format!("write corp/config listen_addrs={address} server_hostnames=localhost,kms"),
        "Success! Data written to: corp/config\n",
    );
    bao.prints(
        "read corp/config",
        &format!(
            "
Key                            Value
---                            -----
default_tls_client_key_bits    256
default_tls_client_key_type    ec
default_tls_client_ttl         336h
listen_addrs                   [{address}]
server_hostnames               [localhost kms]
server_ips                     [127.0.0.1 ::1]
tls_ca_key_bits                256
tls_ca_key_type                ec
tls_min_version                tls12
"
        ),
    );
    let authority = bao.does("read -field=ca_pem corp/ca");
    assert_eq!(authority.matches("-----BEGIN CERTIFICATE-----").count(), 2);

    bao.prints("write -f corp/scope/finance", "Success! Data written to: corp/scope/finance\n");
    bao.prints("list corp/scope", "Keys\n----\nfinance\n");
    let role = "corp/scope/finance/role/accounting";
    bao.prints(
        &format!("write {role} operation_all=true"),
        &format!("Success! Data written to: {role}\n"),
    );
    bao.prints("list corp/scope/finance/role", "Keys\n----\naccounting\n");
    bao.prints(
        &format!("read {role}"),
        "
Key                    Value
---                    -----
operation_all          true
tls_client_key_bits    0
tls_client_key_type    n/a
tls_client_ttl         0s
",
    );

    let made = bao.json(&format!("write {role}/credential/generate format=pem"));
    let serial = text(&made["data"]["serial_number"]).to_owned();
    bao.prints(&format!("list {role}/credential"), &format!("Keys\n----\n{serial}\n"));
    let lookup = format!("read {role}/credential/lookup serial_number={serial}");
    let found = bao.json(&lookup);
    assert_eq!(found["data"]["certificate"], made["data"]["certificate"]);
    assert_eq!(found["data"].get("private_key"), None);
    let mut client = Client::connect_as(&server, VERSION, &identity(&made["data"]));
    let id = client.call(create(VERSION, None)).unique_identifier();
    client.call(on(op::GET, &id)).success();

    bao.does(&format!(
        "write {role} operation_activate=true operation_create=true operation_get=true"
    ));
    bao.prints(
        &format!("read {role}"),
        "
Key                    Value
---                    -----
operation_activate     true
operation_create       true
operation_get          true
tls_client_key_bits    0
tls_client_key_type    n/a
tls_client_ttl         0s
",
    );
    assert_eq!(client.call(on(op::DESTROY, &id)).failure(), reason::PERMISSION_DENIED);
    client.call(on(op::GET, &id)).success();
    let revoke = format!("write {role}/credential/revoke serial_number={serial}");
    bao.prints(&revoke, &format!("Success! Data written to: {role}/credential/revoke\n"));
    let refused = client.call(on(op::GET, &id)).failure();
    assert_eq!(refused, reason::AUTHENTICATION_NOT_SUCCESSFUL);
    assert!(bao.fails(&lookup, 2).contains("No value found at"));
    let nothing = bao.fails(&format!("list {role}/credential"), 2);
    assert_eq!(nothing, format!("No value found at {role}/credential\n"));

    let refused = bao.fails("delete corp/scope/finance", 2);
    assert!(refused.contains("Code: 400"), "{refused}");
    bao.prints(
        "delete corp/scope/finance force=true",
        "Success! Data deleted (if it existed) at: corp/scope/finance\n",
    );
    assert!(bao.does("path-help corp/config").contains("listen_addrs (array)"));
    bao.prints(
        "secrets disable corp",
        "Success! Disabled the secrets engine (if it existed) at: corp/\n",
    );
}

#[test]
fn what_surrounds_the_engine() {
    let server = Server::start();
    let bao = Bao::of(&server, ROOT_TOKEN);
    bao.file("p.hcl", "path \"kmip/*\" { capabilities = [\"read\", \"list\"] }\n");
    bao.prints("policy write p p.hcl", "Success! Uploaded policy: p\n");
    bao.prints("policy list", "default\np\nroot\n");
    let made = bao.json("token create -policy=p -ttl=1h");
    let token = text(&made["auth"]["client_token"]);
    let limited = Bao::of(&server, token);
    limited.prints("token capabilities kmip/config", "list, read\n");
    assert_eq!(text(&limited.json("token lookup")["data"]["path"]), "auth/token/create");
    limited.prints("list kmip/scope", "Keys\n----\ndefault\n");
    assert!(limited.fails("write -f kmip/scope/x", 2).contains("permission denied"));
    bao.does(&format!("token revoke {token}"));
    assert!(limited.fails("list kmip/scope", 2).contains("permission denied"));

    bao.prints("auth enable userpass", "Success! Enabled userpass auth method at: userpass/\n");
    bao.does("write auth/userpass/users/al password=pw policies=p");
    let nobody = Bao::of(&server, "");
    let login = nobody.json("login -method=userpass -no-store username=al password=pw");
    assert_eq!(login["auth"]["policies"], json!(["default", "p"]));
    bao.does("auth disable userpass");

    let audit = bao.home.path().join("audit.log");
    bao.does(&format!("audit enable file file_path={}", audit.display()));
    assert!(bao.does("audit list").contains("file/    file"));
    bao.does("audit disable file");
    assert!(std::fs::read_to_string(&audit).unwrap().contains("\"sys/audit/file\""));

    bao.does("secrets enable -path=second kmip");
    bao.does("secrets tune -description=moved second");
    assert!(bao.does("secrets move second third").contains("Success! Finished moving"));
    let listed = bao.json("secrets list");
    assert_eq!(listed["third/"]["description"], "moved");
    assert_eq!(listed.get("second/"), None);

    let generate = "kmip/scope/default/role/admin/credential/generate format=pem";
    let wrapped = bao.json(&format!("write -wrap-ttl=60s {generate}"));
    let unwrap = format!("unwrap {}", text(&wrapped["wrap_info"]["token"]));
    Client::connect_as(&server, VERSION, &identity(&bao.json(&unwrap)["data"]))
        .call(create(VERSION, None))
        .success();
    assert!(bao.fails(&unwrap, 2).contains("wrapping token is not valid or does not exist"));
    assert!(bao.does("status").contains("Sealed          false"));
    bao.does("operator seal");
    assert!(bao.fails("status", 2).contains("Sealed             true"));
}

#[test]
fn a_production_server_from_its_first_start() {
    let place = Place::new("type = \"shamir\"");
    let server = place.start();
    let mut bao = Bao::of(&server, "");
    bao.authority = Some(place.path("api.pem"));
    assert!(bao.fails("status", 2).contains("Initialized        false"));
    let made = bao.json("operator init -key-shares=3 -key-threshold=2");
    let shares: Vec<String> = serde_json::from_value(made["unseal_keys_b64"].clone()).unwrap();
    text(&made["root_token"]).clone_into(&mut bao.token);
    let unseal = |bao: &Bao, shares: &[String]| {
        let given = shares.iter().map(|share| bao.json(&format!("operator unseal {share}")));
        let given: Vec<Value> = given.collect();
        given.last().unwrap()["sealed"].clone()
    };
    assert_eq!(unseal(&bao, &shares[..2]), json!(false));

    let before = bao.json("operator key-status")["term"].clone();
    bao.does("operator rotate");
    let after = bao.json("operator key-status");
    assert_eq!((before, &after["term"]), (json!(1), &json!(2)));
    bao.does("write sys/rotate/config interval=48h");
    assert_eq!(bao.json("read sys/rotate/config")["data"]["interval"], "48h0m0s");

    // New shares, then the server with them.
    let begun = bao.json("operator rekey -init -key-shares=1 -key-threshold=1");
    let nonce = text(&begun["nonce"]);
    let mut dealt = Value::Null;
    for share in &shares[1..] {
        dealt = bao.json(&format!("operator rekey -nonce={nonce} {share}"));
    }
    let new: Vec<String> = serde_json::from_value(dealt["keys_base64"].clone()).unwrap();
    bao.does("operator seal");
    assert_eq!(unseal(&bao, &new), json!(false));

    let pad = bao.does("operator generate-root -generate-otp");
    let begun = bao.json(&format!("operator generate-root -init -otp={}", pad.trim()));
    let nonce = text(&begun["nonce"]);
    let given = bao.json(&format!("operator generate-root -nonce={nonce} {}", new[0]));
    let hidden = text(&given["encoded_token"]);
    let decode = format!("operator generate-root -decode={hidden} -otp={}", pad.trim());
    bao.token = bao.does(&decode).trim().to_owned();
    assert_eq!(bao.json("token lookup")["data"]["policies"], json!(["root"]));
    assert!(server.terminate(std::time::Duration::from_secs(30)).success());
}
