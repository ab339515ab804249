//! What is revoked ends on connections that are open: the very next request on each of a hundred is refused, whether
//! the connection was busy or idle, and whatever else was under way. Each test prints how long that took.

use std::io::Write as _;
use std::sync::{Barrier, OnceLock};
use std::time::Instant;

use serde_json::json;

use crate::api::Api;
use crate::kmip::{Client, SUCCESS, create, on, op, reason};
use crate::server::Server;
use crate::tls::Identity;

const CONNECTIONS: usize = 100;
const VERSION: (i32, i32) = (1, 4);

/// Asks once on a connection that is open; whether it was served. What is neither served nor refused is a panic.
type Ask = Box<dyn FnMut() -> bool + Send>;

/// Every connection is served; `end` is called; from its answer on none is. Half of them ask all the time, half
/// wait for the answer.
fn ends_everywhere(what: &str, asks: Vec<Ask>, end: impl FnOnce()) {
    assert_eq!(asks.len(), CONNECTIONS);
    let (begin, ended) = (Barrier::new(CONNECTIONS + 1), OnceLock::new());
    let mut latencies = std::thread::scope(|scope| {
        let connections: Vec<_> = asks
            .into_iter()
            .enumerate()
            .map(|(number, mut ask)| {
                let (begin, ended) = (&begin, &ended);
                scope.spawn(move || {
                    assert!(ask(), "connection {number} is served at first");
                    begin.wait();
                    if number % 2 == 1 {
                        ended.wait();
                    }
                    loop {
                        let sent = Instant::now();
                        if !ask() {
                            let refused = Instant::now();
                            assert!(!ask(), "connection {number} is served again");
                            return refused;
                        }
                        let late = ended.get().is_some_and(|ended| sent >= *ended);
                        assert!(!late, "connection {number} is served after the answer");
                    }
                })
            })
            .collect();
        begin.wait();
        end();
        let answered = *ended.get_or_init(Instant::now);
        let refused = connections.into_iter().map(|thread| thread.join().unwrap());
        let after = refused.map(|refused| refused.saturating_duration_since(answered));
        after.collect::<Vec<_>>()
    });
    latencies.sort();
    let (median, max) = (latencies[CONNECTIONS / 2], latencies[CONNECTIONS - 1]);
    // Not by a macro: the tests' runner would keep it to itself.
    let printed =
        format!("{what}: refused on {CONNECTIONS} connections, median {median:?}, max {max:?}\n");
    std::io::stderr().write_all(printed.as_bytes()).unwrap();
}

/// A Get, again and again, on a connection of this credential.
fn get(server: &Server, identity: &Identity, id: &str) -> Ask {
    let mut client = Client::connect_as(server, VERSION, identity);
    let message = crate::kmip::request(VERSION, Vec::new(), &[on(op::GET, id)]).encode();
    Box::new(move || {
        // After a refusal the server may close.
        let Ok(frame) = client.connection.exchange(&message) else { return false };
        let item = crate::kmip::Reply::read(&frame.bytes).unwrap().only();
        if item.status != SUCCESS {
            // Permission Denied while the scope is being deleted: that may yet fail.
            let refusals = [reason::AUTHENTICATION_NOT_SUCCESSFUL, reason::PERMISSION_DENIED];
            assert!(refusals.contains(&item.failure()), "{item:?}");
        }
        item.status == SUCCESS
    })
}

/// A scope with these roles, `count` credentials in each, and an object; the credentials' serial numbers, and all
/// connections spread over them.
fn scope(server: &Server, roles: &[&str], count: usize) -> (Vec<String>, Vec<Ask>) {
    let api = Api::root(server);
    assert_eq!(api.write("kmip/scope/s", &json!({})).status, 204);
    let issue = |role: &&str| {
        let role = format!("kmip/scope/s/role/{role}");
        assert_eq!(api.write(&role, &json!({"operation_all": true})).status, 204);
        (0..count).map(|_| api.issue(&role)).collect::<Vec<_>>()
    };
    let (serials, identities): (Vec<_>, Vec<_>) = roles.iter().flat_map(issue).unzip();
    let mut client = Client::connect_as(server, VERSION, &identities[0]);
    let id = client.call(create(VERSION, None)).unique_identifier();
    let each = identities.iter().cycle().take(CONNECTIONS);
    (serials, each.map(|identity| get(server, identity, &id)).collect())
}

#[test]
fn a_revoked_credential() {
    let server = Server::start();
    let (serials, asks) = scope(&server, &["r"], 1);
    let body = json!({"serial_number": serials[0]});
    ends_everywhere("credential revoked", asks, || {
        let answer = Api::root(&server).write("kmip/scope/s/role/r/credential/revoke", &body);
        assert_eq!(answer.status, 204, "{answer:?}");
    });
}

#[test]
fn the_credentials_of_a_deleted_role() {
    let server = Server::start();
    let (_, asks) = scope(&server, &["r"], 10);
    ends_everywhere("role deleted", asks, || {
        assert_eq!(Api::root(&server).delete("kmip/scope/s/role/r").status, 204);
    });
}

#[test]
fn the_credentials_of_a_scope_deleted_with_its_objects() {
    let server = Server::start();
    let (_, asks) = scope(&server, &["a", "b"], 5);
    ends_everywhere("scope deleted by force", asks, || {
        let answer = Api::root(&server).delete("kmip/scope/s?force=true");
        assert_eq!(answer.status, 204, "{answer:?}");
    });
}

#[test]
fn a_revoked_token_and_what_it_made() {
    let server = Server::start();
    let made = |api: &Api| {
        let made = api.write("auth/token/create", &json!({"policies": ["root"]}));
        let token = made.json()["auth"]["client_token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("{made:?}"))
    };
    let parent = made(&Api::root(&server));
    let child = made(&Api::with_token(&server, &parent));
    let get = |token: &String| -> Ask {
        let mut kept = Api::with_token(&server, token).keep();
        Box::new(move || {
            let answer = kept.get("kmip/config").unwrap();
            assert!([200, 403].contains(&answer.status), "{answer:?}");
            answer.status == 200
        })
    };
    let asks = [&parent, &parent, &child, &child].into_iter().cycle().take(CONNECTIONS);
    ends_everywhere("token revoked", asks.map(get).collect(), || {
        let answer = Api::root(&server).write("auth/token/revoke", &json!({"token": parent}));
        assert_eq!(answer.status, 204, "{answer:?}");
    });
}
