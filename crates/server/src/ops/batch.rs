//! What the items of one batch pass on to each other (KMIP 2.1 §8.9 ID Placeholder, §4.60).

use claviger_kmip::codec::Secret;
use claviger_kmip::enums::{Data, UniqueIdentifier as Producer};

/// The ID Placeholder and what else later items may refer to.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    placeholder: Option<String>,
    /// An item has found no object that it could be.
    was_emptied: bool,
    produced: Vec<(Producer, String)>,
    /// What each finished item produced, by its position.
    positions: Vec<Option<String>>,
    current: Option<String>,
    /// The data of cryptographic operations, in the order of their items.
    data: Vec<(Data, Secret)>,
}

impl Batch {
    /// The ID Placeholder.
    #[must_use]
    pub fn placeholder(&self) -> Option<String> {
        self.placeholder.clone()
    }

    /// Sets the ID Placeholder to an object that the running item has not produced.
    pub fn set_placeholder(&mut self, identifier: String) {
        self.placeholder = Some(identifier.clone());
        self.current = Some(identifier);
    }

    /// Empties the ID Placeholder.
    pub fn clear_placeholder(&mut self) {
        self.placeholder = None;
        self.was_emptied = true;
    }

    /// Whether an earlier item has emptied the ID Placeholder.
    #[must_use]
    pub const fn was_emptied(&self) -> bool {
        self.was_emptied
    }

    /// The object that the last item of that kind produced; the placeholder's for
    /// `ID Placeholder`.
    #[must_use]
    pub fn produced(&self, producer: Producer) -> Option<String> {
        if producer == Producer::ID_PLACEHOLDER {
            return self.placeholder();
        }
        let found = self.produced.iter().rev().find(|(kind, _)| *kind == producer);
        found.map(|(_, identifier)| identifier.clone())
    }

    /// The object that the item at a position produced.
    #[must_use]
    pub fn at(&self, position: i32) -> Option<String> {
        let position = usize::try_from(position).ok()?;
        self.positions.get(position).cloned().flatten()
    }

    /// Notes an object that the running item has produced and sets the ID Placeholder.
    pub fn produce(&mut self, producer: Producer, identifier: String) {
        self.set_placeholder(identifier.clone());
        self.produced.push((producer, identifier));
    }

    /// Notes an object that later items may name, without setting the ID Placeholder.
    pub fn also_produce(&mut self, producer: Producer, identifier: String) {
        self.produced.push((producer, identifier));
    }

    /// Notes data that the running item has produced (KMIP 2.1 §7.9).
    pub fn produce_data(&mut self, kind: Data, data: Secret) {
        self.data.push((kind, data));
    }

    /// The data that the last item of that kind produced.
    #[must_use]
    pub fn data(&self, kind: Data) -> Option<Secret> {
        let found = self.data.iter().rev().find(|(produced, _)| *produced == kind);
        found.map(|(_, data)| data.clone())
    }

    /// The data at a position among all produced; counted back from the end if negative.
    #[must_use]
    pub fn data_at(&self, position: i32) -> Option<Secret> {
        let distance = usize::try_from(position.unsigned_abs()).ok()?;
        let at = if position < 0 { self.data.len().checked_sub(distance)? } else { distance };
        self.data.get(at).map(|(_, data)| data.clone())
    }

    /// The position of the running item.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.positions.len()
    }

    /// The running item is finished.
    pub fn end_item(&mut self) {
        self.positions.push(self.current.take());
    }
}
