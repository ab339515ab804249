//! Batches: what an error does to the items before and after it, the ID Placeholder, and Undo as a real rollback.
//! KMIP 1.4 §4 and §6.14, KMIP 2.1 §6.1.

use crate::kmip::{
    Client, Operation, Reply, ReplyItem, SUCCESS, Version, aes_attributes, attribute, create,
    name_fields, on, op, reason, request, revoke, tag, unique_identifier,
};
use crate::server::Server;
use crate::ttlv::{Item, Value};

const CONTINUE: u32 = 1;
const STOP: u32 = 2;
const UNDO: u32 = 3;
const UNDONE: u32 = 3;

fn send(client: &mut Client, option: Option<u32>, operations: Vec<Operation>) -> Vec<ReplyItem> {
    let mut header = Vec::new();
    let continuation = |code| Item::enumeration(tag::BATCH_ERROR_CONTINUATION_OPTION, code);
    header.extend(option.map(continuation));
    header.push(Item::boolean(tag::BATCH_ORDER_OPTION, true));
    let operations: Vec<_> = operations
        .into_iter()
        .enumerate()
        .map(|(index, operation)| operation.id(&[index as u8; 8]))
        .collect();
    let message = request(client.version, header, &operations);
    let reply: Reply = client.send(&message);
    for (index, item) in reply.items.iter().enumerate() {
        assert_eq!(item.id.as_deref(), Some(&[index as u8; 8][..]), "in order, each with its id");
        assert_eq!(item.operation, Some(operations[index].code));
    }
    reply.items
}

fn located(client: &mut Client, name: &str) -> Vec<String> {
    let filter = match client.version.0 {
        1 => attribute("Name", name_fields(name)),
        _ => Item::structure(
            tag::ATTRIBUTES,
            vec![Item { tag: tag::NAME, value: name_fields(name) }],
        ),
    };
    let found = client.call(Operation::new(op::LOCATE, vec![filter])).success();
    let ids = found.children().iter().filter(|item| item.tag == tag::UNIQUE_IDENTIFIER);
    ids.filter_map(Item::as_text).map(str::to_owned).collect()
}

fn statuses(items: &[ReplyItem]) -> Vec<u32> {
    items.iter().map(|item| item.status).collect()
}

const VERSIONS: [Version; 3] = [(1, 0), (1, 4), (2, 1)];

#[test]
fn stop_is_the_default_and_leaves_the_rest_undone() {
    let server = Server::start();
    for version in VERSIONS {
        let mut client = Client::connect(&server, version);
        for (index, option) in [None, Some(STOP)].into_iter().enumerate() {
            let name = format!("stop {version:?} {index}");
            let batch = vec![
                create(version, Some(&name)),
                on(op::GET, "no-such-object"),
                create(version, Some(&name)),
            ];
            let items = send(&mut client, option, batch);
            assert_eq!(statuses(&items), [SUCCESS, 1], "{name}: the third is not answered");
            assert!(reason::ABSENT.contains(&items[1].failure()));
            assert_eq!(located(&mut client, &name).len(), 1, "{name}: nor carried out");
        }
    }
}

#[test]
fn continue_answers_every_item() {
    let server = Server::start();
    for version in VERSIONS {
        let mut client = Client::connect(&server, version);
        let name = format!("continue {version:?}");
        let batch = vec![
            create(version, Some(&name)),
            on(op::GET, "no-such-object"),
            create(version, Some(&name)),
        ];
        let items = send(&mut client, Some(CONTINUE), batch);
        assert_eq!(statuses(&items), [SUCCESS, 1, SUCCESS]);
        assert_eq!(located(&mut client, &name).len(), 2);
    }
}

#[test]
fn undo_takes_back_everything_before_the_failure() {
    let server = Server::start();
    for version in VERSIONS {
        let mut client = Client::connect(&server, version);
        let name = format!("undo {version:?}");
        let kept = client.call(create(version, Some("kept"))).unique_identifier();
        let before = client.call(on(op::GET, &kept)).success();
        let batch = vec![
            create(version, Some(&name)),
            on(op::DESTROY, &kept),
            on(op::GET, "no-such-object"),
            create(version, Some(&name)),
        ];
        let items = send(&mut client, Some(UNDO), batch);
        assert_eq!(statuses(&items), [UNDONE, UNDONE, 1], "{version:?}");
        assert!(located(&mut client, &name).is_empty(), "{version:?}: the Create is taken back");
        assert_eq!(client.call(on(op::GET, &kept)).success(), before, "and so is the Destroy");
        // Without a failure it is a batch like any other.
        let batch = vec![create(version, Some(&name)), on(op::DESTROY, &kept)];
        assert_eq!(statuses(&send(&mut client, Some(UNDO), batch)), [SUCCESS, SUCCESS]);
        assert_eq!(located(&mut client, &name).len(), 1);
        assert_ne!(client.call(on(op::GET, &kept)).status, SUCCESS);
    }
}

#[test]
fn undone_attributes_and_states_are_as_before() {
    let server = Server::start();
    let version = (1, 4);
    let mut client = Client::connect(&server, version);
    let id = client.call(create(version, Some("before"))).unique_identifier();
    let all = |client: &mut Client| {
        client.call(Operation::new(op::GET_ATTRIBUTES, vec![unique_identifier(&id)])).success()
    };
    let before = all(&mut client);
    let batch = vec![
        Operation::new(
            op::MODIFY_ATTRIBUTE,
            vec![unique_identifier(&id), attribute("Name", name_fields("after"))],
        ),
        on(op::ACTIVATE, &id),
        revoke(&id, 1),
        on(op::DESTROY, &id),
        on(op::DESTROY, "no-such-object"),
    ];
    assert_eq!(
        statuses(&send(&mut client, Some(UNDO), batch)),
        [UNDONE, UNDONE, UNDONE, UNDONE, 1]
    );
    assert_eq!(all(&mut client), before);
    assert_eq!(located(&mut client, "before"), [id.as_str()]);
    assert!(located(&mut client, "after").is_empty());
}

#[test]
fn the_id_placeholder_carries_what_was_made() {
    let server = Server::start();
    for version in VERSIONS {
        let mut client = Client::connect(&server, version);
        let nameless = |code| Operation::new(code, Vec::new());
        let batch = vec![create(version, None), nameless(op::ACTIVATE), nameless(op::GET)];
        let items = send(&mut client, None, batch);
        assert_eq!(statuses(&items), [SUCCESS; 3], "{version:?}: {items:?}");
        let id = |item: &ReplyItem| {
            let payload = item.payload.as_ref().unwrap();
            payload.child(tag::UNIQUE_IDENTIFIER).and_then(Item::as_text).unwrap().to_owned()
        };
        assert_eq!(id(&items[0]), id(&items[1]));
        assert_eq!(id(&items[0]), id(&items[2]));
        // It ends with its batch.
        assert_ne!(client.call(nameless(op::GET)).status, SUCCESS, "{version:?}");
    }
}

#[test]
fn locate_fills_the_placeholder_only_with_one_hit() {
    let server = Server::start();
    let version = (1, 4);
    let mut client = Client::connect(&server, version);
    for name in ["one", "two", "two"] {
        client.call(create(version, Some(name))).success();
    }
    let mut locate_and_get = |name: &str| {
        let filter = attribute("Name", name_fields(name));
        let batch =
            vec![Operation::new(op::LOCATE, vec![filter]), Operation::new(op::GET, Vec::new())];
        let items = send(&mut client, None, batch);
        (statuses(&items), items[1].reason)
    };
    assert_eq!(locate_and_get("one"), (vec![SUCCESS, SUCCESS], None));
    let nothing = (vec![SUCCESS, 1], Some(reason::ITEM_NOT_FOUND));
    assert_eq!(locate_and_get("two"), nothing, "which of the two?");
    assert_eq!(locate_and_get("none"), nothing);
}

#[test]
fn locate_by_state_and_get_attributes_agree_as_a_date_passes() {
    let server = Server::start();
    let version = (1, 4);
    let mut client = Client::connect(&server, version);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut attributes = aes_attributes(version, 12, None);
    let Value::Structure(fields) = &mut attributes.value else { unreachable!() };
    fields.push(attribute("Activation Date", Value::DateTime(now as i64 + 3)));
    fields.push(attribute("Deactivation Date", Value::DateTime(now as i64 + 5)));
    let payload = vec![Item::enumeration(tag::OBJECT_TYPE, 2), attributes];
    let id = client.call(Operation::new(op::CREATE, payload)).unique_identifier();
    let asked = vec![unique_identifier(&id), Item::text(tag::ATTRIBUTE_NAME, "State")];
    let mut seen = Vec::new();
    // One batch is one moment: what it says of the state must not differ within it.
    while seen.last() != Some(&3) {
        let locate = |state| {
            let filter = attribute("State", Value::Enumeration(state));
            Operation::new(op::LOCATE, vec![filter])
        };
        let get = Operation::new(op::GET_ATTRIBUTES, asked.clone());
        let items = send(&mut client, None, vec![get, locate(1), locate(2), locate(3)]);
        let path = [tag::ATTRIBUTE, tag::ATTRIBUTE_VALUE];
        let state = items[0].payload.as_ref().unwrap().at(&path).and_then(Item::as_enumeration);
        let found: Vec<u32> = (1..4)
            .filter(|state| {
                let payload = items[*state as usize].payload.as_ref();
                payload.is_some_and(|payload| payload.child(tag::UNIQUE_IDENTIFIER).is_some())
            })
            .collect();
        assert_eq!(found, [state.unwrap()], "Locate and Get Attributes disagree");
        if seen.last() != state.as_ref() {
            seen.extend(state);
        }
        let elapsed = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() - now;
        assert!(elapsed < 60, "the states never came: {seen:?}");
    }
    // A machine that is busy may miss one; the same with a clock of its own is in crates/server.
    assert!(seen.is_sorted() && seen.len() > 1, "Pre-Active, Active, Deactivated: {seen:?}");
}
