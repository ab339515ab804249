//! Letting requests in: who sends one, whether it may, and where it goes. Before this nothing is
//! done, and after it nothing is asked.

use std::sync::Arc;

use serde_json::Value;

use super::error::ApiError;
use super::request::{Operation, Path, Request};
use super::routes::{self, Auth, Captures, Route};
use super::{Incoming, Services, permission, wrapping};
use crate::auth::Method;
use crate::mount::Mount;
use crate::token::TokenInfo;

/// What is known of a request while it is being admitted, for the audit.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) token: Option<TokenInfo>,
    pub(super) mount: Option<Arc<Mount>>,
    pub(super) method: Option<Arc<Method>>,
    pub(super) data: Value,
    /// Whether the token's policies allow the request; `None` until they are asked.
    pub(super) allowed: Option<bool>,
}

impl Seen {
    pub(super) fn mount_type(&self) -> &'static str {
        match (&self.mount, &self.method) {
            (Some(_), _) => "kmip",
            (None, Some(method)) => method.kind().name(),
            (None, None) => "system",
        }
    }
}

/// Where an admitted request goes.
pub(super) struct Target {
    pub(super) route: &'static Route,
    pub(super) captures: Captures,
    pub(super) mount: Option<Arc<Mount>>,
}

/// Lets a request in, to where it goes: with a token that may, or to a login.
pub(super) fn admit(
    services: &Services,
    incoming: &Incoming,
    request: &Request,
    seen: &mut Seen,
) -> Result<Target, ApiError> {
    if let Some(target) = login_target(services, request, seen) {
        if request.operation == Operation::Update {
            services.auth.admit(incoming.client().address)?;
            seen.data = incoming.fields()?.into();
        }
        return Ok(target);
    }
    let token = incoming.token.as_deref().filter(|token| !token.is_empty());
    if let Some(target) = holders_target(request) {
        // For the audit: who holds what the request carries may have a token too.
        seen.token = token.map(|token| services.tokens.lookup(token)).transpose()?.flatten();
        if request.operation == Operation::Update {
            seen.data = incoming.fields()?.into();
        }
        return Ok(target);
    }
    let token = token.ok_or_else(ApiError::no_token)?;
    let info = services.tokens.spend(token, incoming.client().address)?;
    let info = info.ok_or_else(|| wrapping::refusal(request, incoming))?;
    let info = seen.token.insert(info).clone();
    // Found before it is known whether it may be told; told only after.
    let target = find_target(services, request, seen);
    let auth = target.as_ref().map_or(Auth::Token, |target| target.route.auth);
    let check = |path: &Path| permission::check(&services.policies, &info, request, path, auth);
    let meant = target.as_ref().ok().and_then(|target| meant(request, seen, target.route));
    let checked = check(&request.path).and_then(|()| meant.as_ref().map_or(Ok(()), check));
    seen.allowed = Some(checked.is_ok());
    checked?;
    let target = target?;
    if request.operation == Operation::Update {
        seen.data = incoming.fields()?.into();
    }
    Ok(target)
}

/// The path that a request means, where it writes in other letters what is kept in lower case: what is
/// denied in one spelling must not be granted in another.
fn meant(request: &Request, seen: &Seen, route: &Route) -> Option<Path> {
    if !route.ignores_case() {
        return None;
    }
    // Where a method is, letters do matter.
    let depth = |method: &Arc<Method>| method.path().as_str().matches('/').count();
    let kept = seen.method.as_ref().map_or(0, |method| depth(method).saturating_add(1));
    let mut path = request.path.clone();
    for segment in path.segments.iter_mut().skip(kept) {
        *segment = segment.to_lowercase();
    }
    (path != request.path).then_some(path)
}

/// Where a request goes that no token is needed for: what it carries shows that it may be made.
fn holders_target(request: &Request) -> Option<Target> {
    let (route, captures) = routes::find(routes::SYSTEM, &request.path.segments)?;
    (route.auth == Auth::Holder).then_some(Target { route, captures, mount: None })
}

/// Where a login goes. Whoever logs in has no token yet; one that is sent all the same is left alone.
fn login_target(services: &Services, request: &Request, seen: &mut Seen) -> Option<Target> {
    let (method, below) = method_of(services, &request.path)?;
    let (route, captures) = routes::find(routes::below(method.kind()), below)?;
    if route.auth != Auth::Login {
        return None;
    }
    seen.method = Some(method);
    Some(Target { route, captures, mount: None })
}

fn find_target(
    services: &Services,
    request: &Request,
    seen: &mut Seen,
) -> Result<Target, ApiError> {
    let segments = request.path.segments.as_slice();
    let text = request.path.text();
    if let Some((mount, below)) = mount_of(services, &request.path) {
        seen.mount = Some(mount.clone());
        let found = routes::find(routes::KMIP, below);
        let (route, captures) = found.ok_or_else(ApiError::unsupported_path)?;
        return Ok(Target { route, captures, mount: Some(mount) });
    }
    if let Some((route, captures)) = routes::find(routes::SYSTEM, segments) {
        return Ok(Target { route, captures, mount: None });
    }
    if let Some((method, below)) = method_of(services, &request.path) {
        let found = routes::find(routes::below(method.kind()), below);
        seen.method = Some(method);
        let (route, captures) = found.ok_or_else(ApiError::unsupported_path)?;
        return Ok(Target { route, captures, mount: None });
    }
    match segments.first().map(String::as_str) {
        Some("sys" | "auth") => Err(ApiError::unsupported_path()),
        _ => Err(ApiError::no_route(&text)),
    }
}

/// The mount that a path lies below, and what of it lies below.
pub(super) fn mount_of<'p>(
    services: &Services,
    path: &'p Path,
) -> Option<(Arc<Mount>, &'p [String])> {
    let mount = services.mounts.of_request(&format!("{}/", path.text()))?;
    let depth = mount.path().as_str().matches('/').count();
    Some((mount, path.segments.get(depth..).unwrap_or_default()))
}

/// The auth method that a path lies below, and what of it lies below.
fn method_of<'p>(services: &Services, path: &'p Path) -> Option<(Arc<Method>, &'p [String])> {
    let (first, rest) = path.segments.split_first()?;
    if first != "auth" {
        return None;
    }
    let method = services.auth.of_request(&format!("{}/", rest.join("/")))?;
    let depth = method.path().as_str().matches('/').count();
    Some((method, rest.get(depth..).unwrap_or_default()))
}
