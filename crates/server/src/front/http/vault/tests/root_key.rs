//! The life of the root key over the API, on a whole node: rotation, new shares, a root token by shares.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};

use super::super::seal::decode_share;
use super::seal::Live;
use crate::backup;
use crate::seal::Opener;
use crate::seal::shamir::Share;

/// A node with `shares` of which `threshold` unseal, unsealed.
async fn live(shares: u32, threshold: u32) -> (Live, Vec<String>) {
    let mut live = Live::new();
    let keys = live.init(shares, threshold).await;
    for key in &keys[..threshold as usize] {
        live.unseal(key).await;
    }
    assert_eq!(live.status().await["sealed"], false);
    (live, keys)
}

async fn give(live: &Live, path: &str, nonce: &Value, key: &str) -> Value {
    let answered = live.put(path, json!({"key": key, "nonce": nonce})).await;
    assert_eq!(answered.status, 200, "{:?}", String::from_utf8_lossy(&answered.body));
    answered.json()
}

fn keys(dealt: &Value) -> Vec<String> {
    serde_json::from_value(dealt["keys"].clone()).unwrap()
}

/// Whether the shares unseal the store after a restart.
async fn unseals(live: Live, keys: &[String]) -> (Live, bool) {
    let live = live.restart();
    for key in keys {
        live.unseal(key).await;
    }
    let sealed = live.status().await["sealed"] == json!(true);
    live.put("sys/unseal", json!({"reset": true})).await;
    (live, !sealed)
}

#[tokio::test]
async fn rotation_changes_the_key_of_new_records() {
    let (live, keys) = live(1, 1).await;
    live.put("sys/mounts/kmip", json!({"type": "kmip"})).await.empty();
    let before = live.get("sys/key-status").await.data();
    let sealed = before["encryptions"].as_u64().unwrap();
    assert!((1..100).contains(&sealed), "{sealed}");
    assert_eq!(
        before,
        json!({"term": 1, "install_time": "2027-01-15T08:00:00.000000Z", "encryptions": sealed})
    );
    live.call("POST", "sys/rotate", &Value::Null).await.empty();
    assert_eq!(live.get("sys/key-status").await.data()["term"], 2);
    live.put("kmip/scope/after", json!({})).await.empty();
    let (live, opened) = unseals(live, &keys).await;
    assert!(opened);
    assert_eq!(live.get("sys/key-status").await.data()["term"], 2);
    let scopes = live.call("LIST", "kmip/scope", &Value::Null).await.data();
    assert_eq!(scopes["keys"], json!(["after"]));
}

#[tokio::test]
async fn rotation_is_configured_as_in_vault() {
    let (live, keys) = live(1, 1).await;
    let default = json!({"enabled": true, "max_operations": 3_865_470_566_u32, "interval": 0});
    assert_eq!(live.get("sys/rotate/config").await.data(), default);
    let wanted = json!({"max_operations": "3221225472", "interval": "5432h", "enabled": false});
    live.put("sys/rotate/config", wanted).await.empty();
    let changed =
        json!({"enabled": false, "max_operations": 3_221_225_472_u32, "interval": "5432h0m0s"});
    assert_eq!(live.get("sys/rotate/config").await.data(), changed);
    for (wrong, complaint) in [
        (json!({"interval": "23h"}), "interval must be greater or equal to 24h0m0s"),
        (json!({"interval": -86_400}), "interval must be"),
        (json!({"max_operations": 1}), "max_operations must be in the range [1000000,3865470566]"),
    ] {
        let refused = live.put("sys/rotate/config", wrong).await.refused(400);
        assert!(refused.starts_with(complaint), "{refused}");
    }
    let (live, opened) = unseals(live, &keys).await;
    assert!(opened);
    assert_eq!(live.get("sys/rotate/config").await.data(), changed);
    let reset = json!({"enabled": null, "max_operations": null, "interval": null});
    live.put("sys/rotate/config", reset).await.empty();
    assert_eq!(live.get("sys/rotate/config").await.data(), default);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_shares_as_the_vault_command_makes_them() {
    let (live, old) = live(3, 2).await;
    let idle = live.get("sys/rekey/init").await.json();
    assert_eq!(
        (&idle["started"], &idle["required"], &idle["nonce"]),
        (&json!(false), &json!(2), &json!(""))
    );
    let begun = live.put(
        "sys/rekey/init",
        json!({"secret_shares": 5, "secret_threshold": 3,
        "stored_shares": 0, "pgp_keys": null, "backup": false, "require_verification": false}),
    );
    let begun = begun.await.json();
    assert_eq!((&begun["t"], &begun["n"], &begun["started"]), (&json!(3), &json!(5), &json!(true)));
    let nonce = &begun["nonce"];
    live.put("sys/rekey/init", json!({})).await.refused(400);
    live.put("sys/rekey/update", json!({"key": old[0], "nonce": "other"})).await.refused(400);
    live.put("sys/rekey/update", json!({"key": old[0]})).await.refused(400);
    live.put("sys/rekey/update", json!({"key": "??", "nonce": nonce})).await.refused(400);
    assert_eq!(give(&live, "sys/rekey/update", nonce, &old[0]).await["progress"], 1);
    let dealt = give(&live, "sys/rekey/update", nonce, &old[2]).await;
    assert_eq!((&dealt["complete"], &dealt["nonce"]), (&json!(true), nonce));
    let new = keys(&dealt);
    assert_eq!((new.len(), dealt["keys_base64"].as_array().unwrap().len()), (5, 5));
    assert_eq!(live.status().await["t"], 3);

    // Nobody has shown yet that the new ones arrived.
    let (live, opened) = unseals(live, &old[1..]).await;
    assert!(opened);
    let (live, opened) = unseals(live, &new[2..]).await;
    assert!(opened);
    let (live, opened) = unseals(live, &old[..]).await;
    assert!(!opened, "the new ones have opened the store: the old ones are waste paper");
    let (_, opened) = unseals(live, &new[..3]).await;
    assert!(opened);
}

#[tokio::test(flavor = "multi_thread")]
async fn verified_shares_replace_the_old_ones_at_once() {
    let (live, old) = live(1, 1).await;
    let terms = json!({"secret_shares": 3, "secret_threshold": 2, "require_verification": true});
    let nonce = live.put("sys/rekey/init", terms).await.json()["nonce"].clone();
    live.get("sys/rekey/verify").await.refused(400);
    let dealt = give(&live, "sys/rekey/update", &nonce, &old[0]).await;
    let (new, proof) = (keys(&dealt), dealt["verification_nonce"].clone());
    assert_eq!(dealt["verification_required"], true);
    assert_eq!(live.get("sys/rekey/init").await.json()["verification_nonce"], proof);
    give(&live, "sys/rekey/verify", &proof, &new[1]).await;
    assert_eq!(live.get("sys/rekey/verify").await.json()["progress"], 1);
    let again = live.call("DELETE", "sys/rekey/verify", &Value::Null).await.json();
    assert_eq!((&again["progress"], again["nonce"] != proof), (&json!(0), true));
    give(&live, "sys/rekey/verify", &again["nonce"], &new[1]).await;
    let done = give(&live, "sys/rekey/verify", &again["nonce"], &new[2]).await;
    assert_eq!(done, json!({"nonce": again["nonce"], "complete": true}));
    let (live, opened) = unseals(live, &old).await;
    assert!(!opened);
    let (_, opened) = unseals(live, &new[1..]).await;
    assert!(opened);
}

#[tokio::test]
async fn a_rekeying_needs_a_token_right_shares_and_possible_numbers() {
    let (mut live, keys) = live(2, 2).await;
    for (shares, threshold) in [(0, 0), (5, 1), (2, 3), (256, 3)] {
        let terms = json!({"secret_shares": shares, "secret_threshold": threshold});
        live.put("sys/rekey/init", terms).await.refused(400);
    }
    let nonce = live.put("sys/rekey/init", json!({})).await.json()["nonce"].clone();
    give(&live, "sys/rekey/update", &nonce, &keys[0]).await;
    let wrong = json!({"key": format!("{}ff", "00".repeat(32)), "nonce": nonce});
    let said = live.put("sys/rekey/update", wrong).await.refused(400);
    assert_eq!(said, "these key shares do not open this store");
    assert_eq!(live.get("sys/rekey/init").await.json()["progress"], 0);
    live.call("DELETE", "sys/rekey/init", &Value::Null).await.empty();
    assert_eq!(live.get("sys/rekey/init").await.json()["started"], false);
    live.token = None;
    live.put("sys/rekey/init", json!({})).await.refused(403);
}

#[tokio::test]
async fn enough_shares_make_a_root_token_that_only_the_asker_can_read() {
    let (mut live, keys) = live(3, 2).await;
    live.token = None;
    let idle = live.get("sys/generate-root/attempt").await.json();
    assert_eq!((&idle["started"], &idle["otp_length"]), (&json!(false), &json!(28)));
    live.put("sys/generate-root/attempt", json!({"otp": "short"})).await.refused(400);
    live.put("sys/generate-root/attempt", json!({"pgp_key": "x"})).await.refused(400);
    let begun = live.put("sys/generate-root/attempt", json!({})).await.json();
    let (nonce, pad) = (&begun["nonce"], begun["otp"].as_str().unwrap());
    assert_eq!(pad.len(), 28);
    assert_eq!(live.get("sys/generate-root/attempt").await.json()["otp"], "", "shown once");
    live.put("sys/generate-root/attempt", json!({})).await.refused(400);
    let first = give(&live, "sys/generate-root/update", nonce, &keys[0]).await;
    assert_eq!((&first["progress"], &first["complete"]), (&json!(1), &json!(false)));
    let done = give(&live, "sys/generate-root/update", nonce, &keys[1]).await;
    assert_eq!(done["complete"], true);
    let hidden = STANDARD_NO_PAD.decode(done["encoded_token"].as_str().unwrap()).unwrap();
    let token: Vec<u8> = hidden.iter().zip(pad.bytes()).map(|(left, right)| left ^ right).collect();
    live.token = Some(String::from_utf8(token).unwrap());
    assert_eq!(live.get("auth/token/lookup-self").await.data()["policies"], json!(["root"]));
    assert_eq!(live.get("sys/generate-root/attempt").await.json()["started"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_a_file_that_the_shares_open() {
    let (mut live, keys) = live(3, 2).await;
    live.put("sys/mounts/kmip", json!({"type": "kmip"})).await.empty();
    let answered = live.get("sys/storage/snapshot").await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.content_type.as_deref(), Some("application/octet-stream"));
    let mut file = std::io::Cursor::new(answered.body);
    assert!(!backup::verify(&mut file, None).unwrap().opened);
    let share = |key: &String| Share::new(decode_share(key).unwrap());
    let opener = Opener::Shares(keys[1..].iter().map(share).collect());
    assert!(backup::verify(&mut file, Some(&opener)).unwrap().opened);
    let text = String::from_utf8_lossy(file.get_ref()).into_owned();
    assert!(!text.contains("kmip/"), "what it holds is sealed");
    live.token = None;
    live.get("sys/storage/snapshot").await.refused(403);
}
