//! Writes the two entries of a request in the audit. What it writes, the audit hashes.

use serde_json::Value;

use super::error::ApiError;
use super::reply::{Content, Reply};
use super::request::Operation;
use super::{Incoming, Request, Seen, Services};
use crate::audit::{Answered, Api, Caller, Entry, Phase, Target, Verdict};
use crate::auth::Method;
use crate::clock::Clock;
use crate::mount::Mount;
use crate::pki::Serial;

/// A request as the audit is told of it.
pub(super) struct Recorder<'a> {
    pub(super) services: &'a Services,
    pub(super) incoming: &'a Incoming,
    pub(super) request: &'a Request,
    pub(super) seen: &'a Seen,
    pub(super) clock: &'a dyn Clock,
}

impl Recorder<'_> {
    /// Records the request before it is carried out, or its outcome. A change's request is on the
    /// disk when this returns.
    pub(super) fn record(
        &self,
        phase: Phase,
        reply: Option<&Reply>,
        error: Option<&ApiError>,
    ) -> Result<(), ApiError> {
        let audit = &self.services.audit;
        if !audit.is_enabled() {
            return Ok(());
        }
        let path = self.request.path.text();
        let token = self.seen.token.as_ref();
        let policies: Vec<&str> =
            token.into_iter().flat_map(|info| info.policies.iter().map(String::as_str)).collect();
        let is_allowed = self.seen.allowed == Some(true);
        let granting = if is_allowed { policies.as_slice() } else { &[] };
        let verdict = self.seen.allowed.map(|allowed| Verdict { allowed, granting });
        let point = self.mount_point();
        let data = reply.and_then(|reply| match &reply.content {
            Content::Data(data) | Content::Spread(data) => Some(Value::Object(data.clone())),
            Content::Unwrapped(wrapped) => wrapped.data.clone().map(Value::Object),
            _ => None,
        });
        let auth = reply.and_then(|reply| match &reply.content {
            Content::Auth(auth) => Some(auth.json()),
            Content::Unwrapped(wrapped) => wrapped.auth.clone(),
            _ => None,
        });
        let wrap_info = reply.and_then(|reply| match &reply.content {
            Content::WrapInfo(info) => Some(info.json()),
            _ => None,
        });
        let text = error.map(ApiError::text);
        let mount = self.seen.mount.as_deref().map(Mount::tuning);
        let tuning = mount.or_else(|| self.seen.method.as_deref().map(Method::tuning));
        let certificate = self.incoming.client_certificates.first();
        let serial = certificate.and_then(|der| Serial::of_certificate(der));
        let serial = serial.map(|serial| serial.to_string());
        audit.record(&Entry::Api(Box::new(Api {
            phase,
            time_us: self.clock.now_us(),
            id: &self.request.id,
            operation: self.request.operation.name(),
            path: &path,
            mount: self.mount(&point),
            caller: Caller {
                client_token: self.incoming.token.as_deref(),
                accessor: token.map(|info| info.accessor.as_str()),
                display_name: token.map_or("", |info| info.display_name.as_str()),
                policies: &policies,
                token_type: "service",
                issued: token.map(|info| info.creation_time),
                verdict,
            },
            data: Some(&self.seen.data),
            plain_request_keys: tuning.map_or(&[], |it| &it.audit_non_hmac_request_keys),
            plain_response_keys: tuning.map_or(&[], |it| &it.audit_non_hmac_response_keys),
            response: Answered {
                data: data.as_ref(),
                auth: auth.as_ref(),
                wrap_info: wrap_info.as_ref(),
                warnings: reply.map_or(&[], |reply| &reply.warnings),
            },
            wrap_ttl: self.request.wrap_ttl,
            error: text.as_deref(),
            remote: self.incoming.remote,
            client_certificate_serial: serial.as_deref(),
        })))?;
        let changes = matches!(self.request.operation, Operation::Update | Operation::Delete);
        if phase == Phase::Request && changes {
            audit.sync().wait()?;
        }
        Ok(())
    }

    /// `kmip/`, `sys/`, `auth/token/` …
    fn mount_point(&self) -> String {
        if let Some(mount) = &self.seen.mount {
            return mount.path().as_str().to_owned();
        }
        if let Some(method) = &self.seen.method {
            return format!("auth/{}", method.path());
        }
        let segments = &self.request.path.segments;
        let depth = if segments.first().is_some_and(|first| first == "auth") { 2 } else { 1 };
        let above = segments.iter().take(depth).map(String::as_str);
        above.flat_map(|segment| [segment, "/"]).collect()
    }

    fn mount<'m>(&'m self, point: &'m str) -> Target<'m> {
        let kind = self.seen.mount_type();
        if let Some(method) = &self.seen.method {
            return Target { point, kind, accessor: method.accessor(), class: "auth" };
        }
        match &self.seen.mount {
            Some(mount) => Target { point, kind, accessor: mount.accessor(), class: "secret" },
            None if point.starts_with("auth/") => {
                let kind = point.trim_start_matches("auth/").trim_end_matches('/');
                Target { point, kind, accessor: "", class: "auth" }
            }
            None => Target { point, kind, accessor: kind, class: "secret" },
        }
    }
}
