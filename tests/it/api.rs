//! A small HTTP/1.1 client for the admin API: any method, any headers, any body, one request per connection; and
//! [`Kept`], a connection that stays open for many.
//!
//! Small enough to send what a polite library would not. It knows nothing of Vault beyond the token header.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::{Value, json};

use crate::server::{ROOT_TOKEN, Server};
use crate::tls::Identity;

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A response: status, headers in lower case, body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is empty.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        let shown = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {shown}"))
    }

    /// `data` of the envelope of a success.
    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()["data"].clone()
    }

    /// The `errors` list, checked to be what a Vault client can read.
    pub(crate) fn errors(&self) -> Vec<String> {
        assert!(self.status >= 400, "not an error: {self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let body = self.json();
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors list: {body}"));
        errors.iter().map(|error| error.as_str().expect("a text").to_owned()).collect()
    }
}

/// The API of one server, as the holder of one token.
#[derive(Clone)]
pub(crate) struct Api {
    authority: String,
    token: Option<String>,
    /// For HTTPS: who to be and whom to trust.
    tls: Option<Arc<ClientConfig>>,
}

impl Api {
    /// As the holder of the root token.
    pub(crate) fn root(server: &Server) -> Self {
        Self { token: Some(ROOT_TOKEN.to_owned()), ..Self::anonymous(server) }
    }

    /// As the holder of another token, good or not.
    pub(crate) fn with_token(server: &Server, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::anonymous(server) }
    }

    /// Without a token.
    pub(crate) fn anonymous(server: &Server) -> Self {
        let authority = server.api.strip_prefix("http://").unwrap().to_owned();
        Self { authority, token: None, tls: None }
    }

    /// Over HTTPS, with a token or without.
    pub(crate) fn https(server: &Server, token: Option<&str>, identity: &Identity) -> Self {
        let authority = server.api.strip_prefix("https://").unwrap().to_owned();
        let tls = Some(Arc::new(identity.config()));
        Self { authority, token: token.map(str::to_owned), tls }
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.call("GET", path, None)
    }

    pub(crate) fn list(&self, path: &str) -> Response {
        self.call("LIST", path, None)
    }

    pub(crate) fn delete(&self, path: &str) -> Response {
        self.call("DELETE", path, None)
    }

    /// A write with a JSON body.
    pub(crate) fn write(&self, path: &str, body: &Value) -> Response {
        self.call("PUT", path, Some(body.to_string().as_bytes()))
    }

    /// Issues a credential under a role, such as `kmip/scope/s/role/r`: its serial number, and who holds it.
    pub(crate) fn issue(&self, role: &str) -> (String, Identity) {
        let made = self.write(&format!("{role}/credential/generate"), &json!({"format": "pem"}));
        let made = made.data();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ca: Vec<String> = made["ca_chain"].as_array().unwrap().iter().map(text).collect();
        let [certificate, key] = ["certificate", "private_key"].map(|field| text(&made[field]));
        let ca = ca.join("\n");
        let identity = Identity::from_pem(ca.as_bytes(), certificate.as_bytes(), key.as_bytes());
        (text(&made["serial_number"]), identity)
    }

    /// A connection of its own, for many requests.
    pub(crate) fn keep(&self) -> Kept {
        let stream = TcpStream::connect(&self.authority).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Kept { api: self.clone(), stream: BufReader::new(stream) }
    }

    fn head(&self, method: &str, path: &str) -> String {
        let mut head = format!("{method} /v1/{path} HTTP/1.1\r\nHost: {}\r\n", self.authority);
        if let Some(token) = &self.token {
            head.push_str(&format!("X-Vault-Token: {token}\r\nX-Vault-Request: true\r\n"));
        }
        head
    }

    /// Any method on `/v1/<path>`; no Content-Type, as the Vault client sends none.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&[u8]>) -> Response {
        let mut head = self.head(method, path);
        if let Some(body) = body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("Connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        let answer = self.exchange(&bytes, &[PATIENCE]);
        parse(&answer).unwrap_or_else(|| {
            panic!("{method} {path}: no HTTP answer: {:?}", String::from_utf8_lossy(&answer))
        })
    }

    /// Sends bytes as they are and reads until the server closes. A server that waits for more is told, after a
    /// moment, that no more will come.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        self.exchange(bytes, &[Duration::from_secs(2), PATIENCE])
    }

    /// Between these times without an answer, the server is told that no more will come: it may give up a request
    /// that it is busy with then.
    fn exchange(&self, bytes: &[u8], patience: &[Duration]) -> Vec<u8> {
        if let Some(config) = &self.tls {
            return self.raw_tls(config, bytes).unwrap();
        }
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        // A server may answer and close before it has read everything; what it said still counts.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        for patience in patience {
            stream.set_read_timeout(Some(*patience)).unwrap();
            match stream.read_to_end(&mut answer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let _ = stream.shutdown(Shutdown::Write);
                }
                _ => break,
            }
        }
        answer
    }

    /// The same over TLS, for polite requests; an error when the handshake fails.
    pub(crate) fn raw_tls(&self, config: &Arc<ClientConfig>, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let tcp = TcpStream::connect(&self.authority)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::from(tcp.peer_addr()?.ip());
        let session = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, tcp);
        stream.write_all(bytes)?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(answer),
        }
    }

    /// Whether a handshake succeeds.
    pub(crate) fn is_trusted(&self) -> bool {
        let head = format!(
            "GET /v1/sys/init HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.authority
        );
        self.tls.as_ref().is_some_and(|config| self.raw_tls(config, head.as_bytes()).is_ok())
    }
}

/// A plain connection to the API that stays open between requests.
pub(crate) struct Kept {
    api: Api,
    stream: BufReader<TcpStream>,
}

impl Kept {
    /// A read of `/v1/<path>`; an error when the server has closed.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<Response> {
        let head = self.api.head("GET", path) + "\r\n";
        self.stream.get_mut().write_all(head.as_bytes())?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if self.stream.read_until(b'\n', &mut answer)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let mut response = parse(&answer).ok_or(ErrorKind::InvalidData)?;
        let length = response.header("content-length").map_or(0, |text| text.parse().unwrap());
        response.body = vec![0; length];
        self.stream.read_exact(&mut response.body)?;
        Ok(response)
    }
}

/// An HTTP/1.1 answer that ends with the connection.
pub(crate) fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut body = answer[end + 4..].to_vec();
    if headers.iter().any(|(key, value)| key == "transfer-encoding" && value == "chunked") {
        body = unchunk(&body)?;
    }
    Some(Response { status, headers, body })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 2 + size + 2..)?;
    }
}

#[test]
fn an_answer_is_read_plain_and_chunked() {
    let plain =
        parse(b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\n{\"errors\":[]}");
    assert_eq!(plain.unwrap().errors(), Vec::<String>::new());
    let chunked = parse(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
    );
    assert_eq!(chunked.unwrap().body, b"abcd");
}
