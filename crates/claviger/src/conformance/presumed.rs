//! What some cases presume of the server without saying so: objects that are there before the
//! first message. The runner puts them there with requests of its own.
//!
//! Must never know a published message: the documents are ours.

use claviger_ttlv::{Limits, xml};

use super::catalogue::Group;
use super::pattern::Pattern;

/// By the beginning of the names of a group's cases.
const PRESUMED: [(&str, &str); 2] = [
    ("TC-OTP-", include_str!("presumed/one_time_pad.xml")),
    ("TC-151-", include_str!("presumed/fresh_key.xml")),
];

/// The requests that come before the first case of a group.
pub(crate) fn requests(group: &Group) -> Result<Vec<Pattern>, String> {
    let Some(first) = group.cases.first() else { return Ok(Vec::new()) };
    let of_group = PRESUMED.iter().find(|(prefix, _)| first.name.starts_with(prefix));
    of_group.map_or_else(|| Ok(Vec::new()), |(_, document)| read(document))
}

fn read(document: &str) -> Result<Vec<Pattern>, String> {
    let roots = xml::elements(document, &Limits::default()).map_err(|error| error.to_string())?;
    let messages = roots.iter().flat_map(|root| &root.children);
    messages.map(Pattern::from_element).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_one_request() {
        for (prefix, document) in PRESUMED {
            let requests = read(document).expect("a document of ours");
            assert_eq!(requests.len(), 1, "{prefix}");
        }
    }
}
