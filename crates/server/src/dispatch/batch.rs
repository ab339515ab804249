//! What the items of one batch pass on to each other (KMIP 2.1 §8.9 ID Placeholder, §4.60).

use claviger_kmip::enums::UniqueIdentifier as Producer;

/// The ID Placeholder and what else later items may refer to.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    placeholder: Option<String>,
    produced: Vec<(Producer, String)>,
    /// What each finished item produced, by its position.
    positions: Vec<Option<String>>,
    current: Option<String>,
}

impl Batch {
    /// The ID Placeholder.
    #[must_use]
    pub fn placeholder(&self) -> Option<String> {
        self.placeholder.clone()
    }

    /// Empties the ID Placeholder.
    pub fn clear_placeholder(&mut self) {
        self.placeholder = None;
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
        self.placeholder = Some(identifier.clone());
        self.current = Some(identifier.clone());
        self.produced.push((producer, identifier));
    }

    /// Notes an object that later items may name, without setting the ID Placeholder.
    pub fn also_produce(&mut self, producer: Producer, identifier: String) {
        self.produced.push((producer, identifier));
    }

    /// The running item is finished.
    pub fn end_item(&mut self) {
        self.positions.push(self.current.take());
    }
}
