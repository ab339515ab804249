//! Server certificates renew themselves, and what ends is told, at any instant the clock is set to.

use serde_json::json;

use super::*;
use crate::pki::Serial;
use crate::upkeep::{Upkeep, Warning};

const DAY: i64 = 86_400;

fn upkeep(server: &Server) -> Upkeep {
    Upkeep::new(server.mounts.clone(), server.access.clone(), server.clock.clone())
}

fn warning(what: &str, days: i64) -> Warning {
    Warning { what: what.to_owned(), days }
}

/// Serials of the certificates that the two listeners show.
fn shown(server: &Server) -> Vec<Option<Serial>> {
    let mount = server.mounts.at(&MountPath::parse("kmip").unwrap()).unwrap();
    let own = mount.engine().unwrap().server_certificate().cloned();
    let named = mount.listener("l").unwrap().server_certificate().cloned();
    [own, named].iter().map(|der| Serial::of_certificate(der.as_ref().unwrap())).collect()
}

#[tokio::test]
async fn server_certificates_are_renewed_before_they_end() {
    let server = Server::ready().await;
    let ca = json!({"key_type": "ec", "key_bits": 256, "ttl": "400d"});
    server.write("kmip/ca/mine/generate", ca).await.data();
    let listener = json!({"ca": "mine", "address": "127.0.0.1:7001", "also_use_legacy_ca": true});
    server.write("kmip/listener/l", listener).await.data();
    let mut upkeep = upkeep(&server);
    let first = shown(&server);
    let applied = server.listeners.applied();
    assert_eq!(upkeep.run(), []);
    server.clock.set(NOW + 300 * DAY);
    upkeep.run();
    assert_eq!((shown(&server), server.listeners.applied()), (first.clone(), applied));

    server.clock.set(NOW + 310 * DAY);
    upkeep.run();
    let second = shown(&server);
    assert!(first.iter().zip(&second).all(|(first, second)| first != second));
    assert_eq!(server.listeners.applied(), applied + 2);
    upkeep.run();
    assert_eq!(shown(&server), second, "once");

    // The named authority ends on day 400: no certificate can outlive it, and none is tried.
    server.clock.set(NOW + 399 * DAY + 1);
    let warnings = upkeep.run();
    assert!(
        warnings.contains(&warning("the certificate authority kmip/ca/mine", 1)),
        "{warnings:?}"
    );
    let of_listener = warning("the server certificate of kmip/listener/l", 1);
    assert!(warnings.contains(&of_listener), "{warnings:?}");
    assert_eq!(shown(&server)[1], second[1]);

    let listeners = Arc::new(FakeListeners::default());
    let again = Mounts::open(server.store.reopen(), server.clock.clone(), listeners).unwrap();
    let mount = again.at(&MountPath::parse("kmip").unwrap()).unwrap();
    let kept = mount.engine().unwrap().server_certificate().cloned().unwrap();
    assert_eq!(Serial::of_certificate(&kept), second[0], "stored");
}

#[tokio::test]
async fn what_ends_is_told_once_for_each_role() {
    let server = Server::ready().await;
    let role = "kmip/scope/finance/role/accounting";
    server.write(role, json!({"tls_client_ttl": "40d"})).await.empty();
    for _ in 0..3 {
        server.write(&format!("{role}/credential/generate"), json!(null)).await.data();
    }
    let mut upkeep = upkeep(&server);
    let mut told = Vec::new();
    for hour in 0..(41 * 24) {
        server.clock.set(NOW + hour * 3600);
        told.extend(upkeep.run().into_iter().map(|warning| (warning, hour)));
    }
    let what = "3 credential(s) of kmip/scope/finance/role/accounting";
    let expected = [(30, 10 * 24), (7, 33 * 24), (1, 39 * 24), (0, 40 * 24 + 1)];
    let expected: Vec<_> =
        expected.iter().map(|(days, hour)| (warning(what, *days), *hour)).collect();
    assert_eq!(told, expected);
    let mut new_process =
        Upkeep::new(server.mounts.clone(), server.access.clone(), server.clock.clone());
    assert_eq!(new_process.run(), [], "ended before this process began: no news");
}
