//! What no client should send, on both doors: the specified error where one can be given, a closed connection where
//! not, and never harm to anybody else.

mod access;
mod http;
mod messages;
mod transport;

use crate::kmip::{Client, create, on, op};
use crate::server::Server;

/// A connection that minds its own business; each bad message is followed by one of its requests.
struct Bystander {
    client: Client,
    id: String,
}

impl Bystander {
    fn new(server: &Server) -> Self {
        let mut client = Client::connect(server, (1, 4));
        let id = client.call(create((1, 4), None)).unique_identifier();
        Self { client, id }
    }

    fn is_unharmed(&mut self, after: &str) {
        let item = self.client.call(on(op::GET, &self.id));
        assert_eq!(item.status, 0, "after {after}: {item:?}");
    }
}
