//! What came of the steps, for people and for programs.

use std::fmt::Display;

use claviger_client::{Endpoint, Error};
use serde_json::{Value, json};

use super::step::Step;
use crate::failure::{Failure, Kind, Names, Outcome};
use crate::output::{self, Format};

/// What went wrong.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// In the words of whoever found it.
    pub(super) problem: String,
    /// What to change, where it is not what the kind says.
    pub(super) change: Option<String>,
}

impl Fault {
    pub(super) fn new(kind: Kind, problem: impl Display) -> Self {
        Self { kind, problem: problem.to_string(), change: None }
    }

    /// With something else to change.
    pub(super) fn change(mut self, change: impl Display) -> Self {
        self.change = Some(change.to_string());
        self
    }

    /// What to change, in the product's words.
    pub(super) fn advice(&self, names: &Names) -> String {
        self.change.clone().unwrap_or_else(|| self.kind.hint(names))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::new(Kind::of(&error), error)
    }
}

/// What came of a step.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// It went as it must; what the other side said, and what is better changed.
    Ok(String, Option<String>),
    /// It went wrong.
    Failed(Fault),
    /// A step before it went wrong.
    Skipped,
    /// It does not matter to the product; why.
    NotNeeded(String),
}

/// A step and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) step: Step,
    pub(super) verdict: Verdict,
}

/// A probe key that could not be removed.
#[derive(Clone, Debug)]
pub(super) struct LeftOver {
    pub(super) unique_identifier: Option<String>,
    pub(super) name: Option<String>,
    /// Whether it must be revoked first.
    pub(super) is_active: bool,
}

/// What came of the steps with one server.
#[derive(Debug)]
pub(super) struct Examination {
    pub(super) server: Endpoint,
    pub(super) checks: Vec<Check>,
    pub(super) left_over: Option<LeftOver>,
}

impl Check {
    const fn result(&self) -> &'static str {
        match self.verdict {
            Verdict::Ok(..) => "ok",
            Verdict::Failed(_) => "failed",
            Verdict::Skipped => "skipped",
            Verdict::NotNeeded(_) => "not needed",
        }
    }

    fn answer(&self) -> &str {
        match &self.verdict {
            Verdict::Ok(answer, _) | Verdict::NotNeeded(answer) => answer,
            Verdict::Failed(fault) => &fault.problem,
            Verdict::Skipped => "",
        }
    }

    fn change(&self, names: &Names) -> Option<String> {
        match &self.verdict {
            Verdict::Ok(_, change) => change.clone(),
            Verdict::Failed(fault) => Some(fault.advice(names)),
            Verdict::Skipped | Verdict::NotNeeded(_) => None,
        }
    }

    pub(super) const fn fault(&self) -> Option<&Fault> {
        match &self.verdict {
            Verdict::Failed(fault) => Some(fault),
            _ => None,
        }
    }

    /// A line for people, and one below it with what to change.
    pub(super) fn print(&self, names: &Names) -> Outcome {
        // What a server says goes to no terminal as it is.
        let answer = self.answer().replace(char::is_control, " ");
        let text = format!("{:<12}{:<12}{answer}", self.step.name(), self.result());
        output::line(text.trim_end())?;
        advise(self.change(names).as_deref())
    }

    fn json(&self, names: &Names) -> Value {
        let fault = self.fault();
        json!({
            "step": self.step.name(),
            "result": self.result(),
            "answer": self.answer(),
            "change": self.change(names),
            "error": fault.map(|fault| format!("{:?}", fault.kind)),
        })
    }
}

/// Says on a line of its own what to change.
pub(super) fn advise(change: Option<&str>) -> Outcome {
    change.map_or(Ok(()), |change| output::line(format_args!("{:24}{change}", "")))
}

impl LeftOver {
    /// What to do about it.
    pub(super) fn advice(&self, server: &Endpoint) -> String {
        let name = self.name.as_deref().map(|name| format!(" with the name {name}"));
        let name = name.unwrap_or_default();
        match &self.unique_identifier {
            Some(id) => {
                let revoke = match self.is_active {
                    true => format!("`claviger object revoke {id}`, "),
                    false => String::new(),
                };
                format!(
                    "left over on {server}: the probe key {id}{name}; remove it with a credential that may: \
                     {revoke}`claviger object destroy {id}`"
                )
            }
            None => format!(
                "perhaps left over on {server}: a probe key{name}, whose making was not answered; look for the newest \
                 key that nobody uses"
            ),
        }
    }

    fn json(&self, server: &Endpoint) -> Value {
        json!({
            "server": server.to_string(),
            "unique_identifier": self.unique_identifier,
            "name": self.name,
        })
    }
}

/// The whole report, for programs.
pub(super) fn json(
    product: &str,
    configuration: &Value,
    examinations: &[Examination],
    names: &Names,
) -> Value {
    let servers = examinations.iter().map(|examination| {
        let steps: Vec<Value> = examination.checks.iter().map(|it| it.json(names)).collect();
        json!({ "server": examination.server.to_string(), "steps": steps })
    });
    let left_over = examinations
        .iter()
        .filter_map(|it| it.left_over.as_ref().map(|left_over| left_over.json(&it.server)));
    let is_ok = configuration["result"] == "ok"
        && examinations.iter().flat_map(|it| &it.checks).all(|check| check.fault().is_none());
    json!({
        "product": product,
        "ok": is_ok,
        "configuration": configuration,
        "servers": servers.collect::<Vec<_>>(),
        "left_over": left_over.collect::<Vec<_>>(),
    })
}

/// The end of the command: success, or the first of the steps that failed.
pub(super) fn outcome(examinations: &[Examination], names: &Names) -> Outcome {
    let failed = examinations.iter().flat_map(|examination| {
        let faults = examination.checks.iter().filter_map(|check| Some((check, check.fault()?)));
        faults.map(|(check, fault)| (&examination.server, check.step, fault))
    });
    let failed: Vec<_> = failed.collect();
    let [(server, step, fault), ..] = failed.as_slice() else { return Ok(()) };
    let more = match failed.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count.saturating_sub(1)),
    };
    let said = fault.problem.replace(char::is_control, " ");
    let problem = format!("{server}: {}: {said}{more}", step.name());
    let failure = Failure { code: fault.kind.code(), ..Failure::new(problem) };
    Err(failure.next(fault.advice(names)))
}

/// What came of reading the configuration, for programs.
pub(super) fn configuration(file: &str, advice: &[String], fault: Option<&Fault>) -> Value {
    json!({
        "file": file,
        "result": if fault.is_some() { "failed" } else { "ok" },
        "answer": fault.map(|fault| fault.problem.as_str()),
        "change": fault.map(|fault| fault.advice(&Names::FLAGS)),
        "advice": advice,
        "error": fault.map(|fault| format!("{:?}", fault.kind)),
    })
}

/// Prints the report for programs, or nothing: people have read it already.
pub(super) fn print(format: Format, report: &Value) -> Outcome {
    if format == Format::Json { output::json(report) } else { Ok(()) }
}
