//! Walks the steps with one server.
//!
//! What is asked is what the product asks. Whatever fails is noted under its step, and the walk goes on where what
//! follows makes sense.

use claviger_client::blocking::Connection;
use claviger_client::tls::{Config, TlsFailure};
use claviger_client::{Answer, Error, Expected, Outgoing, Replies, Step as Stage};
use claviger_kmip::Version;
use claviger_kmip::enums::Operation;
use claviger_kmip::payload::Request;
use claviger_kmip::tables::Enumeration;
use claviger_server::access::permission_names;

use super::report::{Check, Examination, Fault, LeftOver, Verdict};
use super::step::Step;
use super::target::{Need, Server, Spoken, Target};
use crate::failure::{Kind, Outcome};

/// What follows needs what failed.
pub(super) struct Stop;

/// Whether something was asked over a connection. Before that, looking whether it is quiet would swallow what the
/// server has to say of our certificate.
#[derive(PartialEq, Eq)]
pub(super) enum Used {
    No,
    Yes,
}

/// The walk with one server.
pub(super) struct Walk<'a> {
    pub(super) target: &'a Target,
    pub(super) server: &'a Server,
    tell: &'a mut dyn FnMut(&Check) -> Outcome,
    /// What became of telling it.
    told: Outcome,
    checks: Vec<Check>,
    pub(super) connection: Option<(Connection, Used)>,
    pub(super) version: Version,
    pub(super) left_over: Option<LeftOver>,
}

/// Walks the steps with one server, and tells of each as it is done.
pub(super) fn examine(
    target: &Target,
    server: &Server,
    tell: &mut dyn FnMut(&Check) -> Outcome,
) -> Outcome<Examination> {
    let mut walk = Walk {
        target,
        server,
        tell,
        told: Ok(()),
        checks: Vec::new(),
        connection: None,
        version: match target.spoken {
            Spoken::First(version, _) => version,
            Spoken::Agreed => Version::V1_1,
        },
        left_over: None,
    };
    // Whatever it stopped at is noted.
    let _stopped = walk.reach().and_then(|()| walk.greet());
    if walk.is_reached() {
        walk.probe()?;
    }
    walk.skip_the_rest();
    walk.told?;
    let (checks, left_over) = (walk.checks, walk.left_over);
    Ok(Examination { server: server.endpoint.clone(), checks, left_over })
}

impl Walk<'_> {
    /// Notes what came of a step.
    pub(super) fn note(&mut self, step: Step, verdict: Verdict) {
        let check = Check { step, verdict };
        if self.told.is_ok() {
            self.told = (self.tell)(&check);
        }
        self.checks.push(check);
    }

    pub(super) fn ok(&mut self, step: Step, answer: impl ToString) {
        self.note(step, Verdict::Ok(answer.to_string(), None));
    }

    /// Notes a failure; the permission that is missing is named.
    pub(super) fn failed(&mut self, step: Step, fault: Fault) -> Stop {
        let fault = match (fault.kind, self.target.habit.operation(step)) {
            (Kind::PermissionDenied, Some(operation)) => fault.change(allow(operation)),
            _ => fault,
        };
        let verdict = match self.target.habit.need(step) {
            Need::Spare(why) => Verdict::NotNeeded(format!("{why}: {}", fault.problem)),
            _ => Verdict::Failed(fault),
        };
        self.note(step, verdict);
        Stop
    }

    pub(super) fn is_noted(&self, step: Step) -> bool {
        self.checks.iter().any(|check| check.step == step)
    }

    /// Whether the server lets us in, in the product's version.
    fn is_reached(&self) -> bool {
        let version = self.checks.iter().find(|check| check.step == Step::Version);
        version.is_some_and(|check| check.fault().is_none())
    }

    fn skip_the_rest(&mut self) {
        for step in self.target.habit.steps() {
            if !self.is_noted(step) {
                self.note(
                    step,
                    match self.target.habit.need(step) {
                        Need::Unused(why) => Verdict::NotNeeded(why.to_owned()),
                        _ => Verdict::Skipped,
                    },
                );
            }
        }
    }

    pub(super) fn tls(&self) -> Result<&Config, Fault> {
        self.server.tls.as_ref().map_err(Clone::clone)
    }

    fn open(&self) -> Result<Connection, Fault> {
        let opened = Connection::open(&self.server.endpoint, self.tls()?, self.target.timeouts);
        Ok(opened?)
    }

    /// The files, the name, the port, the server's certificate.
    fn reach(&mut self) -> Result<(), Stop> {
        let config = match self.tls() {
            Ok(config) => config.clone(),
            Err(fault) => return Err(self.failed(Step::Files, fault)),
        };
        self.ok(Step::Files, "");
        match Connection::open(&self.server.endpoint, &config, self.target.timeouts) {
            Ok(connection) => {
                let peer = connection.peer_address();
                self.ok(Step::Resolve, peer.map(|it| it.ip().to_string()).unwrap_or_default());
                self.ok(Step::Connect, peer.map(|it| it.to_string()).unwrap_or_default());
                self.ok(Step::Tls, connection.tls_description());
                self.connection = Some((connection, Used::No));
                Ok(())
            }
            Err(error) => {
                let step = failed_step(&error);
                for before in [Step::Resolve, Step::Connect, Step::Tls] {
                    if before == step {
                        break;
                    }
                    self.ok(before, "");
                }
                let trusts_anybody =
                    self.target.trusts_anybody.filter(|_| is_about_the_server(&error));
                let fault = Fault::from(error);
                let fault = match trusts_anybody {
                    Some(why) => {
                        let advice = fault.advice(self.target.names);
                        fault.change(format_args!("{advice} {why}"))
                    }
                    None => fault,
                };
                Err(self.failed(step, fault))
            }
        }
    }

    /// Asks for one operation.
    pub(super) fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, Fault> {
        let header = self.target.dialect.header(self.version, 1);
        let outgoing = Outgoing::with_header(&header, request)?;
        self.ask(outgoing, |replies| replies.take(Expected::only::<R>()))
    }

    /// Asks, and reads the answer.
    pub(super) fn ask<T>(
        &mut self,
        outgoing: Outgoing,
        read: impl FnOnce(&Replies<'_>) -> Result<T, Error>,
    ) -> Result<T, Fault> {
        let answer = self.exchange(outgoing)?;
        let read = answer.replies().and_then(|replies| read(&replies));
        if read.is_err() {
            // A server may close after what it refuses.
            self.connection = None;
        }
        Ok(read?)
    }

    /// Sends a request and waits for its answer, over a new connection if the last one has ended.
    fn exchange(&mut self, outgoing: Outgoing) -> Result<Answer, Fault> {
        let kept = self.connection.take().and_then(|(mut connection, used)| {
            let is_good = used == Used::No || connection.is_ready();
            is_good.then_some(connection)
        });
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.open()?,
        };
        let answer = connection.exchange(outgoing)?;
        self.connection = Some((connection, Used::Yes));
        let most = self.target.dialect.maximum_response_size;
        let most = most.and_then(|most| usize::try_from(most).ok());
        if most.is_some_and(|most| answer.bytes().len() > most) {
            return Err(Fault::new(Kind::Malformed, "the answer is larger than the product takes"));
        }
        Ok(answer)
    }
}

/// At which step a connection failed.
fn failed_step(error: &Error) -> Step {
    match error {
        Error::Address(_) | Error::Resolve { .. } | Error::TimedOut(Stage::Resolve) => {
            Step::Resolve
        }
        Error::Connect(_) | Error::TimedOut(Stage::Connect) => Step::Connect,
        // With TLS 1.2 the server's word on our certificate comes in the handshake.
        Error::Tls(TlsFailure::CertificateRequired | TlsFailure::CertificateRejected(_)) => {
            Step::Identity
        }
        _ => Step::Tls,
    }
}

/// Whether it is the server's certificate that is not good.
const fn is_about_the_server(error: &Error) -> bool {
    matches!(
        error,
        Error::Tls(
            TlsFailure::UnknownAuthority
                | TlsFailure::Expired
                | TlsFailure::NotYetValid
                | TlsFailure::WrongHost(_)
                | TlsFailure::ServerCertificate(_)
        )
    )
}

/// What the specification calls an operation.
pub(super) fn title(operation: Operation) -> String {
    let row = Operation::rows().iter().find(|row| row.code == operation.0);
    row.map_or_else(|| format!("{operation:?}"), |row| row.title.to_owned())
}

/// How to permit an operation.
fn allow(operation: Operation) -> String {
    let names = permission_names().iter();
    let name = names.filter(|(known, _)| *known == operation).map(|(_, name)| name.as_str()).next();
    format!(
        "Let the role of this certificate do {}: `claviger role write SCOPE ROLE --allow {}`.",
        title(operation),
        name.unwrap_or_default()
    )
}
