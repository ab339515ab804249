//! The one place where TLS is set up (RFC 8446, RFC 5246 as rustls allows them): versions,
//! client-certificate checks, session resumption.
//!
//! Says who may finish a handshake, never what they may do: the identity is checked again on every
//! request by `access`, which is why a resumed session needs no check of its own here.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

pub use super::tls_policy::{TlsPolicy, TlsVersion};
use super::trust::ClientTrust;
use super::{PkiError, PrivateKey};

/// What a listener shows to its clients.
#[derive(Debug)]
pub struct ServerIdentity {
    /// Server certificate, then its intermediate.
    pub chain: Vec<CertificateDer<'static>>,
    /// Key of the server certificate.
    pub key: PrivateKey,
}

/// The provider that all TLS of this server uses.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// TLS set-up of a KMIP listener: a client certificate under one of `clients` is required.
///
/// Sessions resume from tickets, which carry the client's certificate chain, so that a resumed
/// connection has the same identity. The ticket key lives and dies with the returned value: a new
/// set-up (other authorities, say) refuses all older tickets.
///
/// # Errors
/// When the stored material does not parse.
pub fn kmip_server_config(
    identity: &ServerIdentity,
    clients: &ClientTrust,
    policy: &TlsPolicy,
) -> Result<Arc<ServerConfig>, PkiError> {
    let library = |error: rustls::Error| PkiError::Library(error.to_string());
    let provider = Arc::new(CryptoProvider {
        cipher_suites: policy.suites().to_vec(),
        ..(*provider()).clone()
    });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&policy.versions())
        .map_err(library)?
        .with_client_cert_verifier(clients.any()?)
        .with_single_cert(identity.chain.clone(), identity.key.for_tls())
        .map_err(library)?;
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(library)?;
    // One ticket a handshake: each repeats the client's chain, and KMIP clients open few
    // connections at once.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// TLS set-up of the API: TLS 1.2 and 1.3; a client may show a certificate under one of `clients`,
/// and nobody else's.
///
/// # Errors
/// [`PkiError::BadRequest`] for an authority of clients that is none; else when certificate and key
/// are of no use, or do not belong together.
pub fn api_server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Option<&[CertificateDer<'static>]>,
) -> Result<Arc<ServerConfig>, PkiError> {
    let library = |error: rustls::Error| PkiError::Library(error.to_string());
    let provider = provider();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&TlsPolicy::from(TlsVersion::Tls12).versions())
        .map_err(library)?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let unfit = |error: &dyn std::fmt::Display| PkiError::BadRequest(error.to_string());
            let mut roots = RootCertStore::empty();
            for certificate in clients {
                roots.add(certificate.clone()).map_err(|error| unfit(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                .allow_unauthenticated()
                .build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unfit(&error))?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(library)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::client::Resumption;
    use rustls::{
        ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConnection,
        SupportedProtocolVersion,
    };

    use super::*;
    use crate::pki::{Authority, ClientKey, KeySpec, Serial, ServerNames, Subject};

    const NOW: i64 = 1_800_000_000;

    struct Parts {
        authority: Authority,
        identity: ServerIdentity,
    }

    fn now() -> i64 {
        let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        elapsed.unwrap().as_secs() as i64
    }

    fn parts(spec: KeySpec) -> Parts {
        let authority = Authority::generate("vault-kmip-default", spec, now()).unwrap();
        let key = PrivateKey::generate(spec).unwrap();
        let names = ServerNames {
            hostnames: vec!["localhost".to_owned()],
            addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        };
        let issued = authority.issue_server(&names, &key, now()).unwrap();
        let chain = vec![issued.certificate, authority.chain()[0].clone()];
        Parts { identity: ServerIdentity { chain, key }, authority }
    }

    fn server_config(
        parts: &Parts,
        clients: &Parts,
        minimum: TlsVersion,
    ) -> Result<Arc<ServerConfig>, PkiError> {
        let trust = ClientTrust::new(clients.authority.chain().to_vec(), Vec::new())?;
        kmip_server_config(&parts.identity, &trust, &minimum.into())
    }

    fn client(
        parts: &Parts,
        spec: KeySpec,
        with_certificate: bool,
        version: &'static SupportedProtocolVersion,
    ) -> (Arc<ClientConfig>, Serial) {
        let key = PrivateKey::generate(spec).unwrap();
        let subject = Subject {
            scope_id: "ilV63".to_owned(),
            role_id: "2FyVN".to_owned(),
            uri: "kmip://finance/accounting".to_owned(),
            names: ServerNames::default(),
        };
        let issued =
            parts.authority.issue_client(&subject, &ClientKey::Private(&key), 3600, now()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(parts.authority.chain()[1].clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = if with_certificate {
            // The leaf alone, as a client without the chain sends it.
            builder.with_client_auth_cert(vec![issued.certificate], key.for_tls()).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        config.resumption = Resumption::in_memory_sessions(8);
        (Arc::new(config), issued.serial)
    }

    /// Runs a handshake in memory; the server's side, or the first error of either.
    fn handshake(
        client: &Arc<ClientConfig>,
        server: &Arc<ServerConfig>,
        name: &str,
    ) -> Result<ServerConnection, rustls::Error> {
        let name = rustls_pki_types::ServerName::try_from(name.to_owned()).unwrap();
        let mut client = ClientConnection::new(client.clone(), name).unwrap();
        let mut server = ServerConnection::new(server.clone()).unwrap();
        for _ in 0..6 {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        assert!(!server.is_handshaking() && !client.is_handshaking());
        Ok(server)
    }

    fn serial_of(server: &ServerConnection) -> Option<Serial> {
        Serial::of_certificate(server.peer_certificates()?.first()?)
    }

    #[test]
    fn every_kind_of_key_connects_and_resumes_with_its_identity() {
        let versions = [&rustls::version::TLS12, &rustls::version::TLS13];
        for spec in [KeySpec::Ec256, KeySpec::Ec384, KeySpec::Ec521, KeySpec::Rsa2048] {
            let parts = parts(spec);
            let server = server_config(&parts, &parts, TlsVersion::Tls12).unwrap();
            for version in versions {
                let (client, serial) = client(&parts, spec, true, version);
                let first = handshake(&client, &server, "localhost").unwrap();
                assert_eq!(serial_of(&first), Some(serial));
                let second = handshake(&client, &server, "localhost").unwrap();
                assert_eq!(second.handshake_kind(), Some(HandshakeKind::Resumed));
                assert_eq!(serial_of(&second), Some(serial));
            }
        }
    }

    #[test]
    fn without_or_with_a_foreign_certificate_the_handshake_ends() {
        let ours = parts(KeySpec::Ec256);
        let theirs = parts(KeySpec::Ec256);
        let server = server_config(&ours, &ours, TlsVersion::Tls12).unwrap();
        let (bare, _) = client(&ours, KeySpec::Ec256, false, &rustls::version::TLS12);
        assert!(handshake(&bare, &server, "localhost").is_err());

        let trusting_both = server_config(&ours, &theirs, TlsVersion::Tls12).unwrap();
        let (good, _) = client(&ours, KeySpec::Ec256, true, &rustls::version::TLS13);
        assert!(handshake(&good, &trusting_both, "localhost").is_err());
        assert!(handshake(&good, &server, "localhost").is_ok());
    }

    #[test]
    fn names_and_the_version_floor_hold() {
        let parts = parts(KeySpec::Ec256);
        let server = server_config(&parts, &parts, TlsVersion::Tls13).unwrap();
        let (old, _) = client(&parts, KeySpec::Ec256, true, &rustls::version::TLS12);
        assert!(handshake(&old, &server, "localhost").is_err());
        let (new, _) = client(&parts, KeySpec::Ec256, true, &rustls::version::TLS13);
        for name in ["localhost", "127.0.0.1", "::1"] {
            assert!(handshake(&new, &server, name).is_ok(), "{name}");
        }
        assert!(handshake(&new, &server, "elsewhere.example").is_err());
        assert!(TlsVersion::from_name("tls11").unwrap_err().is_callers());
    }

    #[test]
    fn an_expired_authority_issues_nothing() {
        let authority = Authority::generate("x", KeySpec::Ec256, NOW).unwrap();
        let key = PrivateKey::generate(KeySpec::Ec256).unwrap();
        let names = ServerNames::default();
        let late = authority.not_after();
        assert!(matches!(
            authority.issue_server(&names, &key, late),
            Err(PkiError::AuthorityExpired)
        ));
    }
}
