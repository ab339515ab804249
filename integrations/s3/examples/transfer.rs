//! The client of the gateway's measurements: moves bytes over presigned URLs and does nothing else, so that its own time hardly
//! counts. `.ci/measure s3` makes the URLs.
//!
//! ```text
//! transfer get URL COUNT            whole answers, one after the other
//! transfer put URL SIZE COUNT       a body of so many bytes
//! transfer first URL FIRST-LAST COUNT    how long the first byte of a range takes
//! transfer md5|gcm SIZE COUNT       the hash and the cipher alone, on one core
//! ```
//!
//! Prints `{"bytes_per_second": …, "first_byte_us": …}`: medians.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use claviger_s3::segments::{SEGMENT_LEN, Stream};
use s3s::crypto::{Checksum, Md5};

const PIECE_LEN: usize = 256 << 10;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runs = match arguments.as_slice() {
        ["get", url, count] => repeat(count, || get(url, None))?,
        ["put", url, size, count] => {
            let size = size.parse()?;
            repeat(count, || put(url, size))?
        }
        ["first", url, range, count] => repeat(count, || get(url, Some(range)))?,
        ["md5", size, count] => {
            let content = vec![7; size.parse()?];
            repeat(count, || {
                let began = Instant::now();
                std::hint::black_box(Md5::checksum(&content));
                Ok(Run::new(content.len(), began))
            })?
        }
        ["gcm", size, count] => {
            let content = vec![7; size.parse()?];
            let stream = Stream::new(&[1; 32], &[2; 16])?;
            let mut stored = Vec::with_capacity(SEGMENT_LEN + 16);
            repeat(count, || {
                let began = Instant::now();
                for (index, segment) in content.chunks(SEGMENT_LEN).enumerate() {
                    stored.clear();
                    stream.seal(u32::try_from(index)?, false, segment, &mut stored)?;
                }
                Ok(Run::new(content.len(), began))
            })?
        }
        _ => {
            bail!("get URL COUNT | put URL SIZE COUNT | first URL RANGE COUNT | md5|gcm SIZE COUNT")
        }
    };
    let mut rates: Vec<f64> = runs.iter().map(Run::rate).collect();
    let mut firsts: Vec<u128> = runs.iter().map(|run| run.first.as_micros()).collect();
    rates.sort_by(f64::total_cmp);
    firsts.sort_unstable();
    let rate = rates.get(rates.len() / 2).context("no run")?;
    let first = firsts.get(firsts.len() / 2).context("no run")?;
    println!("{{\"bytes_per_second\": {rate:.0}, \"first_byte_us\": {first}}}");
    Ok(())
}

/// One transfer.
struct Run {
    bytes: usize,
    first: Duration,
    whole: Duration,
}

impl Run {
    fn new(bytes: usize, began: Instant) -> Self {
        let whole = began.elapsed();
        Self { bytes, first: whole, whole }
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is not exact")]
    fn rate(&self) -> f64 {
        self.bytes as f64 / self.whole.as_secs_f64()
    }
}

fn repeat(count: &str, mut run: impl FnMut() -> anyhow::Result<Run>) -> anyhow::Result<Vec<Run>> {
    (0..count.parse::<usize>()?).map(|_| run()).collect()
}

/// Host and path of an `http://` URL.
fn parts(url: &str) -> anyhow::Result<(&str, String)> {
    let rest = url.strip_prefix("http://").context("only http://")?;
    let (host, path) = rest.split_once('/').context("a URL has a path")?;
    Ok((host, format!("/{path}")))
}

fn get(url: &str, range: Option<&str>) -> anyhow::Result<Run> {
    let (host, path) = parts(url)?;
    let mut stream = TcpStream::connect(host)?;
    let range = range.map(|range| format!("range: bytes={range}\r\n")).unwrap_or_default();
    let began = Instant::now();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{range}\r\n")?;
    let mut buffer = vec![0; PIECE_LEN];
    let mut head = Vec::new();
    let body = loop {
        let len = stream.read(&mut buffer)?;
        head.extend_from_slice(buffer.get(..len).context("more than was asked")?);
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = head.len().saturating_sub(end.saturating_add(4));
            if body > 0 || len == 0 {
                break body;
            }
        }
        if len == 0 {
            bail!("no answer");
        }
    };
    let first = began.elapsed();
    if !head.starts_with(b"HTTP/1.1 20") {
        bail!("{}", String::from_utf8_lossy(&head));
    }
    let mut bytes = body;
    loop {
        let len = stream.read(&mut buffer)?;
        if len == 0 {
            break;
        }
        bytes = bytes.saturating_add(len);
    }
    Ok(Run { bytes, first, whole: began.elapsed() })
}

fn put(url: &str, size: usize) -> anyhow::Result<Run> {
    let (host, path) = parts(url)?;
    let mut stream = TcpStream::connect(host)?;
    let piece = vec![7; PIECE_LEN];
    let began = Instant::now();
    write!(
        stream,
        "PUT {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n"
    )?;
    let mut left = size;
    while left > 0 {
        let len = left.min(PIECE_LEN);
        stream.write_all(piece.get(..len).context("a piece")?)?;
        left = left.saturating_sub(len);
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if !answer.starts_with(b"HTTP/1.1 200") {
        bail!("{}", String::from_utf8_lossy(&answer));
    }
    Ok(Run::new(size, began))
}
