//! The first requests: whether the server takes our certificate, in which version it speaks, and what it offers.

use claviger_client::blocking::Session;
use claviger_client::requests;
use claviger_kmip::Version;
use claviger_kmip::enums::{Operation, QueryFunction};
use claviger_kmip::payload::{DiscoverVersionsResponse, QueryResponse};

use super::examine::{Stop, Walk, title};
use super::report::{Fault, Verdict};
use super::step::Step;
use super::target::Spoken;
use crate::failure::Kind;

impl Walk<'_> {
    /// The first request: whether the server takes our certificate, in which version it speaks, and what it offers.
    pub(super) fn greet(&mut self) -> Result<(), Stop> {
        let (first, others) = match self.target.spoken {
            Spoken::First(first, others) => (first, others),
            Spoken::Agreed => (self.agree()?, &[][..]),
        };
        if !others.is_empty() {
            let offered = others.iter().copied();
            match self.call(&requests::discover_versions(offered)) {
                // The product does not care, and stays with the version of its first request.
                Err(fault) if is_refusal(&fault) => {
                    self.ok(Step::Identity, "");
                    self.ok(Step::Version, format_args!("KMIP {first} ({})", fault.problem));
                }
                discovered => {
                    let answer = self.first_answer(discovered)?;
                    let theirs = answer.protocol_version.first().map(Version::from);
                    let Some(version) = theirs.filter(|version| others.contains(version)) else {
                        let problem = "the server speaks none of the versions that were offered";
                        return Err(self.failed(Step::Version, Fault::new(Kind::Version, problem)));
                    };
                    self.version = version;
                    self.ok(Step::Version, format_args!("KMIP {version}, first {first}"));
                }
            }
        }
        let functions = [
            QueryFunction::QUERY_OPERATIONS,
            QueryFunction::QUERY_OBJECTS,
            QueryFunction::QUERY_SERVER_INFORMATION,
        ];
        let queried = self.call(&requests::query(functions));
        if self.is_noted(Step::Identity) {
            match queried {
                Ok(answer) => self.compare(&answer),
                Err(fault) => {
                    let _noted = self.failed(Step::Operations, fault);
                }
            }
            return Ok(());
        }
        match queried {
            Err(fault) if is_refusal(&fault) => {
                self.ok(Step::Identity, "");
                self.ok(Step::Version, format_args!("KMIP {first}"));
                let _noted = self.failed(Step::Operations, fault);
            }
            queried => {
                let answer = self.first_answer(queried)?;
                self.ok(Step::Version, format_args!("KMIP {first}"));
                self.compare(&answer);
            }
        }
        Ok(())
    }

    /// What the first answer says of our certificate and of the version.
    fn first_answer<T: Vendor>(&mut self, answer: Result<T, Fault>) -> Result<T, Stop> {
        match answer {
            Ok(answer) => {
                self.ok(Step::Identity, answer.vendor().unwrap_or_default());
                Ok(answer)
            }
            Err(fault) if is_complaint_of_version(fault.kind) => {
                self.ok(Step::Identity, "");
                let spoken = self.spoken();
                let version = self.version;
                let problem = match spoken.as_slice() {
                    [] => format!("KMIP {version} does not work: {}", fault.problem),
                    spoken => format!(
                        "KMIP {version} does not work ({}); the server speaks {}",
                        fault.problem,
                        spoken.join(", ")
                    ),
                };
                Err(self.failed(Step::Version, Fault::new(Kind::Version, problem)))
            }
            Err(fault) => Err(self.failed(Step::Identity, fault)),
        }
    }

    /// The versions that the server speaks, if it says so.
    fn spoken(&mut self) -> Vec<String> {
        self.connection = None;
        let version = self.version;
        self.version = Version::V1_1;
        let answer = self.call(&requests::discover_versions([]));
        self.version = version;
        let theirs = answer.map(|answer| answer.protocol_version).unwrap_or_default();
        theirs.iter().map(|version| Version::from(version).to_string()).collect()
    }

    /// Compares what the server offers with what the product needs.
    fn compare(&mut self, answer: &QueryResponse) {
        let needed = self.target.habit.operations();
        let needed = needed.into_iter().filter(|operation| *operation != Operation::QUERY);
        let (there, missing): (Vec<_>, Vec<_>) =
            needed.partition(|operation| answer.operation.contains(operation));
        if answer.operation.is_empty() {
            self.ok(Step::Operations, "the server does not say");
        } else if missing.is_empty() {
            self.ok(Step::Operations, titles(&there));
        } else {
            let problem = format!("the server does not offer {}", titles(&missing));
            // Spare or not, what is missing is needed.
            self.note(Step::Operations, Verdict::Failed(Fault::new(Kind::NotOffered, problem)));
        }
    }

    /// The version on which server and product agree, found out as the product does.
    fn agree(&mut self) -> Result<Version, Stop> {
        // It showed that there is a server. Agreeing begins with a connection of its own.
        self.connection = None;
        match self.session() {
            // Who is let in shows with the next request.
            Ok(version) => {
                self.version = version;
                Ok(version)
            }
            Err(fault) if is_complaint_of_version(fault.kind) => {
                self.ok(Step::Identity, "");
                Err(self.failed(Step::Version, fault))
            }
            Err(fault) => Err(self.failed(Step::Identity, fault)),
        }
    }

    fn session(&self) -> Result<Version, Fault> {
        let (endpoint, dialect) = (&self.server.endpoint, &self.target.dialect);
        let session = Session::open(endpoint, self.tls()?, dialect, self.target.timeouts)?;
        Ok(session.version())
    }
}

/// What the first answer says of the server.
trait Vendor {
    fn vendor(&self) -> Option<String>;
}

impl Vendor for QueryResponse {
    fn vendor(&self) -> Option<String> {
        let vendor = self.vendor_identification.as_deref();
        vendor.map(|vendor| vendor.chars().filter(|c| !c.is_control()).take(80).collect())
    }
}

impl Vendor for DiscoverVersionsResponse {
    fn vendor(&self) -> Option<String> {
        None
    }
}

const fn is_complaint_of_version(kind: Kind) -> bool {
    matches!(kind, Kind::NotUnderstood | Kind::Malformed | Kind::Refused | Kind::Version)
}

/// The server understood, and says no to that operation.
const fn is_refusal(fault: &Fault) -> bool {
    matches!(fault.kind, Kind::PermissionDenied | Kind::NotOffered)
}

fn titles(operations: &[Operation]) -> String {
    operations.iter().map(|operation| title(*operation)).collect::<Vec<_>>().join(", ")
}
