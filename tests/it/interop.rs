//! Interop marks the begin and the end of a test case; Reset is refused, because it would have to destroy objects.
//! KMIP 2.1 §6.1.24.

use crate::kmip::{Client, Operation, on, op, register};
use crate::server::Server;
use crate::ttlv::Item;

const INTEROP: u32 = 0x34;
const INTEROP_FUNCTION: u32 = 0x42_0160;
const FEATURE_NOT_SUPPORTED: u32 = 0x08;

#[test]
fn begin_and_end_are_marks_and_reset_is_refused() {
    let server = Server::start();
    let mut client = Client::connect(&server, (2, 1));
    let id = client.call(register((2, 1), &[7; 32], None)).unique_identifier();
    let interop =
        |function| Operation::new(INTEROP, vec![Item::enumeration(INTEROP_FUNCTION, function)]);
    client.call(interop(1)).success();
    client.call(interop(2)).success();
    assert_eq!(client.call(interop(3)).failure(), FEATURE_NOT_SUPPORTED);
    client.call(on(op::GET, &id)).success();
}
