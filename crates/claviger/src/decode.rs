//! `claviger decode`: any KMIP message, pretty-printed.
//!
//! It must never open a connection or need a server.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use claviger_kmip::tables::{KmipNames, is_secret};
use claviger_ttlv::{Layout, Limits, Node, json, text, xml};

use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};

/// A dump may hold more than one message, and larger ones than a server takes.
const INPUT_BYTES_MAX: u64 = 64 << 20;

/// What to decode, and into what.
#[derive(Args, Debug)]
pub(crate) struct DecodeArguments {
    /// What to write [default: text, or json with --json]
    #[arg(long, value_enum)]
    to: Option<Encoding>,
    /// Leave out key material, passwords and clear text (text only)
    #[arg(long)]
    redact: bool,
    /// The message: TTLV as bytes or as hex, JSON or XML; `-` is stdin
    file: PathBuf,
}

/// What a message can be written as.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// KMIP's XML
    Xml,
    /// KMIP's JSON
    Json,
    /// One line per item
    Text,
}

/// Runs the command.
pub(crate) fn run(arguments: &DecodeArguments, format: Format) -> Outcome {
    let to = arguments.to.unwrap_or(match format {
        Format::Json => Encoding::Json,
        Format::Text => Encoding::Text,
    });
    if arguments.redact && to != Encoding::Text {
        return Err(Failure::usage("--redact goes with --to text"));
    }
    let bytes = read(arguments)?;
    let name = arguments.file.display();
    let messages = decode(&bytes).map_err(|problem| {
        Failure::new(format_args!("{name}: {problem}"))
            .next("This reads TTLV as bytes or hex digits, and KMIP's JSON and XML.")
    })?;
    for message in &messages {
        let text = match to {
            Encoding::Xml => xml::write(message, &KmipNames, Layout::Indented),
            Encoding::Json => json::write(message, &KmipNames, Layout::Indented),
            Encoding::Text => {
                let hides = |node: &Node| arguments.redact && is_secret(node);
                text::write(message, &KmipNames, &hides)
            }
        };
        output::line(text.trim_end())?;
    }
    Ok(())
}

fn read(arguments: &DecodeArguments) -> Outcome<Vec<u8>> {
    let path = &arguments.file;
    let mut bytes = Vec::new();
    let result = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(INPUT_BYTES_MAX).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(INPUT_BYTES_MAX).read_to_end(&mut bytes))
    };
    result.map_err(|error| Failure::file(path, &error))?;
    Ok(bytes)
}

/// Tells the encoding by the first character, and reads every message that is there.
fn decode(bytes: &[u8]) -> Result<Vec<Node>, String> {
    let limits = Limits { size_max: bytes.len().max(1 << 20), ..Limits::default() };
    let as_text = || std::str::from_utf8(bytes).map_err(|_| String::from("it is not UTF-8"));
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(String::from("there is nothing in it")),
        Some(b'<') => read_xml(as_text()?, &limits),
        Some(b'{' | b'[') => {
            json::read(as_text()?, &KmipNames, &limits).map(|node| vec![node]).map_err(say)
        }
        Some(_) => match hex(bytes) {
            Some(bytes) => read_ttlv(&bytes, &limits),
            None => read_ttlv(bytes, &limits),
        },
    }
}

fn say(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// One message, or a document with several, as the published test cases are.
fn read_xml(text: &str, limits: &Limits) -> Result<Vec<Node>, String> {
    let elements = xml::elements(text, limits).map_err(say)?;
    let is_wrapper =
        |element: &xml::Element| matches!(element.name.as_str(), "KMIP" | "KmipTestCase");
    let mut nodes = Vec::new();
    for element in &elements {
        let messages =
            if is_wrapper(element) { &element.children } else { std::slice::from_ref(element) };
        for message in messages {
            nodes.push(message.to_node(&KmipNames, limits).map_err(say)?);
        }
    }
    if nodes.is_empty() { Err(String::from("there is no message in it")) } else { Ok(nodes) }
}

/// Hex digits with blanks, `:` or `|` between and `0x` before, as dumps have them.
fn hex(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let mut digits = Vec::with_capacity(text.len());
    for character in text.chars() {
        match character.to_digit(16) {
            Some(digit) => digits.push(u8::try_from(digit).ok()?),
            None if character.is_ascii_whitespace() || matches!(character, ':' | '|') => {}
            None => return None,
        }
    }
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    };
    digits.chunks(2).map(pair).collect()
}

/// Messages back to back, as a recording of a connection has them.
fn read_ttlv(mut bytes: &[u8], limits: &Limits) -> Result<Vec<Node>, String> {
    let mut nodes = Vec::new();
    while let Some(header) = bytes.first_chunk::<8>() {
        let [.., a, b, c, d] = *header;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        // An item of one of the short types is padded.
        let total = length.next_multiple_of(8).saturating_add(header.len()).min(bytes.len());
        let (message, rest) = bytes.split_at(total);
        nodes.push(Node::from_bytes(message, limits).map_err(say)?);
        bytes = rest;
    }
    if nodes.is_empty() || !bytes.is_empty() {
        return Err(String::from("it is no whole message"));
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTEGER: &str = "42002002 00000004 00000008 00000000";

    #[test]
    fn every_encoding_is_recognised() {
        let bytes = hex(INTEGER.as_bytes()).unwrap();
        let node = decode(&bytes).unwrap();
        assert_eq!(node.len(), 1);
        let dump = "0x42:00:20:02|00000004\n00000008 00000000\n";
        let xml = xml::write(&node[0], &KmipNames, Layout::Indented);
        let json = json::write(&node[0], &KmipNames, Layout::Compact);
        let document = format!("<KMIP>{xml}{xml}</KMIP>");
        for text in [INTEGER, dump, &format!("  {xml}"), &json] {
            assert_eq!(decode(text.as_bytes()).unwrap(), node, "{text}");
        }
        assert_eq!(decode(document.as_bytes()).unwrap().len(), 2);
        assert_eq!(decode(&bytes.repeat(3)).unwrap().len(), 3);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let bytes = hex(INTEGER.as_bytes()).unwrap();
        for bad in [&b""[..], b"  ", b"<KMIP/>", b"{}", b"hello", b"4200", &bytes[..12]] {
            assert!(decode(bad).is_err(), "{bad:?}");
        }
        assert!(decode(&[&bytes[..], &[0x42]].concat()).is_err());
    }
}
