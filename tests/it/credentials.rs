//! Many credentials: each belongs to its role and to no other, opens its own scope, and ends alone; after a restart
//! too. What a hundred thousand of them cost is measured by `.ci/measure credentials`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::api::Api;
use crate::kmip::{Client, create, on, op, reason};
use crate::server::Server;
use crate::tls::Identity;

const SCOPES: usize = 10;
const ROLES: usize = 10;
const PER_ROLE: usize = 10;
const VERSION: (i32, i32) = (1, 4);

fn path(scope: usize, role: usize) -> String {
    format!("kmip/scope/s{scope}/role/r{role}")
}

/// The serial numbers of every role, and of each scope one credential.
struct Made {
    serials: BTreeMap<(usize, usize), BTreeSet<String>>,
    holders: Vec<(String, Identity)>,
}

fn make(server: &Server) -> Made {
    let scopes: Vec<_> = std::thread::scope(|threads| {
        let begin = |scope| threads.spawn(move || make_scope(server, scope));
        let begun: Vec<_> = (0..SCOPES).map(begin).collect();
        begun.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (serials, holders): (Vec<_>, Vec<_>) = scopes.into_iter().unzip();
    Made { serials: serials.into_iter().flatten().collect(), holders }
}

type OfScope = (BTreeMap<(usize, usize), BTreeSet<String>>, (String, Identity));

fn make_scope(server: &Server, scope: usize) -> OfScope {
    let api = Api::root(server);
    assert_eq!(api.write(&format!("kmip/scope/s{scope}"), &json!({})).status, 204);
    let (mut serials, mut holder) = (BTreeMap::new(), None);
    for role in 0..ROLES {
        let path = path(scope, role);
        assert_eq!(api.write(&path, &json!({"operation_all": true})).status, 204);
        let issued = (0..PER_ROLE).map(|_| api.issue(&path));
        let issued: Vec<_> = issued.collect();
        serials.insert((scope, role), issued.iter().map(|(serial, _)| serial.clone()).collect());
        holder = issued.into_iter().next_back();
    }
    (serials, holder.unwrap())
}

fn listed(api: &Api, scope: usize, role: usize) -> BTreeSet<String> {
    let answer = api.list(&format!("{}/credential", path(scope, role)));
    if answer.status == 404 {
        return BTreeSet::new();
    }
    let keys: Vec<Value> = serde_json::from_value(answer.data()["keys"].clone()).unwrap();
    let found: BTreeSet<_> = keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect();
    assert_eq!(found.len(), keys.len(), "each once");
    found
}

/// Every list is its role's, and one serial of each is found under that role only.
fn check(server: &Server, serials: &BTreeMap<(usize, usize), BTreeSet<String>>) {
    let api = Api::root(server);
    for ((scope, role), expected) in serials {
        assert_eq!(listed(&api, *scope, *role), *expected, "scope {scope}, role {role}");
        let Some(serial) = expected.first() else { continue };
        let lookup = |role| {
            let at = format!("{}/credential/lookup?serial_number={serial}", path(*scope, role));
            api.get(&at).status
        };
        assert_eq!((lookup(*role), lookup((role + 1) % ROLES)), (200, 404));
    }
}

#[test]
fn a_thousand_credentials_stay_apart() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_on(directory.path());
    let Made { mut serials, holders } = make(&server);
    assert_eq!(serials.values().map(BTreeSet::len).sum::<usize>(), SCOPES * ROLES * PER_ROLE);
    check(&server, &serials);
    let get = |server: &Server, identity, id: &str| {
        Client::connect_as(server, VERSION, identity).call(on(op::GET, id))
    };
    let make_object = |(_, identity): &(String, Identity)| {
        let mut client = Client::connect_as(&server, VERSION, identity);
        client.call(create(VERSION, None)).unique_identifier()
    };
    let ids: Vec<String> = holders.iter().map(make_object).collect();
    server.kill();

    let server = Server::start_on(directory.path());
    check(&server, &serials);
    for (scope, (_, identity)) in holders.iter().enumerate() {
        get(&server, identity, &ids[scope]).success();
        let foreign = get(&server, identity, &ids[(scope + 1) % SCOPES]);
        assert_eq!(foreign.failure(), reason::ITEM_NOT_FOUND);
    }

    // Of the scopes 0, 1 and 2: a credential, a role, everything.
    let api = Api::root(&server);
    let last = ROLES - 1;
    let revoke = format!("{}/credential/revoke", path(0, last));
    let serial = &holders[0].0;
    assert_eq!(api.write(&revoke, &json!({"serial_number": serial})).status, 204);
    assert!(serials.get_mut(&(0, last)).unwrap().remove(serial));
    assert_eq!(api.delete(&path(1, last)).status, 204);
    serials.get_mut(&(1, last)).unwrap().clear();
    assert_eq!(api.delete("kmip/scope/s2?force=true").status, 204);
    (0..ROLES).for_each(|role| serials.get_mut(&(2, role)).unwrap().clear());
    check(&server, &serials);
    server.kill();

    let server = Server::start_on(directory.path());
    check(&server, &serials);
    for (scope, (_, identity)) in holders.iter().enumerate() {
        if scope > 2 {
            get(&server, identity, &ids[scope]).success();
            continue;
        }
        let refused = get(&server, identity, &ids[scope]);
        assert_eq!(
            refused.failure(),
            reason::AUTHENTICATION_NOT_SUCCESSFUL,
            "the credential of scope {scope}"
        );
    }
}
