//! An API whose answers are written down beforehand: for what takes a server of another kind.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::Value;

/// A request that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Method and path, as in `PUT /v1/sys/remount`.
    pub(crate) line: String,
    pub(crate) token: Option<String>,
    pub(crate) body: Value,
}

/// Answers one request after the other, and then no more.
pub(crate) struct Scripted {
    pub(crate) address: String,
    asked: JoinHandle<Vec<Asked>>,
}

impl Scripted {
    /// Will give these answers: a status and a body.
    pub(crate) fn start(answers: Vec<(u16, Value)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answer = move |(status, body)| answer(&listener, status, &body);
        let asked = std::thread::spawn(move || answers.into_iter().map(answer).collect());
        Self { address, asked }
    }

    /// What was asked, once all answers are given.
    pub(crate) fn asked(self) -> Vec<Asked> {
        self.asked.join().unwrap()
    }
}

fn answer(listener: &TcpListener, status: u16, body: &Value) -> Asked {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(&stream);
    let mut read = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let line = read().trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<String> =
        std::iter::from_fn(|| Some(read())).take_while(|it| !it.is_empty()).collect();
    let header = |name: &str| {
        let mut pairs = headers.iter().filter_map(|it| it.split_once(": "));
        pairs.find(|pair| pair.0.eq_ignore_ascii_case(name)).map(|pair| pair.1.to_owned())
    };
    let length = header("content-length").map_or(0, |it| it.parse().unwrap());
    let mut sent = vec![0; length];
    reader.read_exact(&mut sent).unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
    (&stream).write_all((head + &body).as_bytes()).unwrap();
    let body = serde_json::from_slice(&sent).unwrap_or_default();
    Asked { line, token: header("x-vault-token"), body }
}
