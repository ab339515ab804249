//! One HTTP/1.1 exchange, over TCP or TLS.
//!
//! It must never know what is asked; it knows Vault's header for tokens and no more.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Reply;
use crate::failure::{Failure, Outcome};

const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(60);
const BODY_BYTES_MAX: usize = 32 << 20;

/// Where the API is.
pub(super) struct Target {
    address: String,
    host: String,
    port: u16,
    prefix: String,
    tls: Option<Arc<ClientConfig>>,
}

/// Who we are to the server's TLS: PEM files.
pub(super) struct Identity {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Target {
    /// Reads an `http://` or `https://` URL.
    pub(super) fn parse(
        address: &str,
        authority: Option<&Path>,
        identity: Option<&Identity>,
    ) -> Outcome<Self> {
        let bad = |problem: &str| {
            Failure::usage(format_args!("`{address}`: {problem}"))
                .next("Give --address http://HOST:PORT or https://HOST:PORT.")
        };
        let uri: Uri = address.parse().map_err(|_| bad("this is no URL"))?;
        let host = uri.host().ok_or_else(|| bad("there is no host in it"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(bad("it must begin with http:// or https://")),
        };
        Ok(Self {
            address: address.to_owned(),
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            tls: if is_tls { Some(tls(authority, identity)?) } else { None },
        })
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn exchange(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: String,
    ) -> Outcome<Reply> {
        let exchange = async {
            let request = self.request(method, path, token, body)?;
            self.connect().await?.send(request, whole).await
        };
        match tokio::time::timeout(EXCHANGE_TIMEOUT, exchange).await {
            Ok(reply) => reply,
            Err(_) => Err(self.too_late()),
        }
    }

    /// Reads a file and writes it as it comes; gives the answer if it is a refusal.
    pub(super) async fn download(
        &self,
        path: &str,
        token: Option<&str>,
        out: &mut dyn Write,
    ) -> Outcome<Option<Reply>> {
        let request = self.request("GET", path, token, String::new())?;
        let connect = tokio::time::timeout(EXCHANGE_TIMEOUT, self.connect());
        let stream = connect.await.map_err(|_| self.too_late())??;
        stream
            .send(request, async |answer| {
                if answer.status().as_u16() >= 400 {
                    return whole(answer).await.map(Some);
                }
                let mut body = answer.into_body();
                loop {
                    let frame = tokio::time::timeout(EXCHANGE_TIMEOUT, body.frame()).await;
                    let Some(frame) = frame.map_err(|_| self.too_late())? else { return Ok(None) };
                    let frame = frame.map_err(|error| {
                        Failure::new(format_args!("the file was cut off: {error}"))
                            .next("The server's log says why. Try again.")
                    })?;
                    if let Some(bytes) = frame.data_ref() {
                        out.write_all(bytes).map_err(Failure::new)?;
                    }
                }
            })
            .await
    }

    fn too_late(&self) -> Failure {
        Failure::new(format_args!("{}: no answer in time", self.address))
    }

    async fn connect(&self) -> Outcome<Stream> {
        let unreachable = |error: std::io::Error| {
            Failure::new(format_args!("{}: {error}", self.address))
                .next("Is the server running? --address or CLAVIGER_ADDR say where its API is.")
        };
        let socket =
            TcpStream::connect((self.host.as_str(), self.port)).await.map_err(unreachable)?;
        let Some(config) = &self.tls else { return Ok(Stream::Plain(socket)) };
        let name = ServerName::try_from(self.host.clone()).map_err(Failure::new)?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name, socket).await.map_err(|error| {
            Failure::new(format_args!("{}: {error}", self.address))
                .next("--ca-cert or CLAVIGER_CACERT name the authority to trust.")
        })?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: String,
    ) -> Outcome<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.prefix))
            .header("Host", format!("{}:{}", self.host, self.port))
            .header("X-Vault-Request", "true");
        if let Some(token) = token {
            request = request.header("X-Vault-Token", token);
        }
        request.body(Full::new(Bytes::from(body))).map_err(|_| {
            Failure::usage("the token or the path has a character that HTTP does not allow")
        })
    }
}

/// A connection.
enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl Stream {
    /// Sends the request and has `read` read the answer.
    async fn send<T>(
        self,
        request: Request<Full<Bytes>>,
        read: impl AsyncFnOnce(Response<Incoming>) -> Outcome<T>,
    ) -> Outcome<T> {
        match self {
            Self::Plain(stream) => send(stream, request, read).await,
            Self::Tls(stream) => send(*stream, request, read).await,
        }
    }
}

async fn send<S, T>(
    stream: S,
    request: Request<Full<Bytes>>,
    read: impl AsyncFnOnce(Response<Incoming>) -> Outcome<T>,
) -> Outcome<T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(Failure::new)?;
    let answer = async { read(sender.send_request(request).await.map_err(Failure::new)?).await };
    // The connection does its work only while it is polled, and ends when the sender is gone.
    tokio::pin!(answer, connection);
    tokio::select! {
        biased;
        reply = &mut answer => reply,
        // The end of the answer may still lie in a buffer.
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(Failure::new(error)),
        },
    }
}

/// An answer's JSON.
async fn whole(answer: Response<Incoming>) -> Outcome<Reply> {
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), BODY_BYTES_MAX);
    let body = body.collect().await.map_err(Failure::new)?.to_bytes();
    let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
    let body = body.map_err(|_| {
        Failure::new("the answer is no JSON").next("Is this address really that of the API?")
    })?;
    Ok(Reply { status, body })
}

/// Trusts the given authority, else those that the operating system trusts.
fn tls(authority: Option<&Path>, identity: Option<&Identity>) -> Outcome<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let path = authority.unwrap_or(Path::new("/etc/ssl/certs/ca-certificates.crt"));
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: {error}", path.display()))
            .next("--ca-cert or CLAVIGER_CACERT name a PEM file with the authority to trust.")
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        // A system's bundle may hold certificates that rustls has no use for.
        if let Err(error) = roots.add(certificate)
            && authority.is_some()
        {
            return Err(unusable(&error));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Failure::new)?
        .with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some(Identity { certificate, key }) => {
            let unusable = |path: &Path, error: &dyn std::fmt::Display| {
                Failure::new(format_args!("{}: {error}", path.display()))
                    .next("--client-cert and --client-key name PEM files that belong together.")
            };
            let chain = CertificateDer::pem_file_iter(certificate)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unusable(certificate, &error))?;
            if chain.is_empty() {
                return Err(unusable(certificate, &"there is no certificate in it"));
            }
            let private =
                PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
            config.with_client_auth_cert(chain, private).map_err(|error| unusable(key, &error))?
        }
    };
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(address: &str) -> Outcome<Target> {
        Target::parse(address, None, None)
    }

    #[test]
    fn addresses() {
        let target = parse("http://[::1]:8200/prefix/").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("::1", 8200));
        assert_eq!(target.prefix, "/prefix");
        assert!(target.tls.is_none());
        let target = parse("http://kms").unwrap();
        assert_eq!((target.port, target.prefix.as_str()), (80, ""));
        for bad in ["kms:8200", "ftp://kms", "http://", "", "http://a b"] {
            assert_eq!(parse(bad).err().map(|failure| failure.code), Some(2), "{bad}");
        }
    }
}
