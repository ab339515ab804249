//! What came of it: per version, for people and for programs.

use claviger_kmip::Version;
use serde_json::{Value as Json, json};

use super::case::Case;
use super::catalogue::{ALTERNATIVES, Catalogue};
use super::play::{Failure, Outcome};

/// One case and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) version: Option<Version>,
    pub(crate) outcome: Outcome,
}

/// All cases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

/// How many cases of a version ended how.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Count {
    pub(crate) pass: usize,
    pub(crate) fail: usize,
    pub(crate) excluded: usize,
}

impl Report {
    /// A report that begins with what the catalogue leaves out.
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        let excluded = catalogue.excluded.iter().map(|case| Line {
            name: case.name.clone(),
            version: case.version,
            outcome: Outcome::Excluded(case.reason.clone()),
        });
        Self { lines: excluded.collect() }
    }

    /// Adds a case.
    pub(crate) fn add(&mut self, case: &Case, outcome: Outcome) {
        self.lines.push(Line { name: case.name.clone(), version: Some(case.version), outcome });
    }

    /// Ends the report: of the cases that are the possible answers to one request, a server gives
    /// one. If one has passed, the others are no failures.
    pub(crate) fn finish(&mut self) {
        for prefixes in ALTERNATIVES {
            for version in Version::ALL {
                self.settle(prefixes, version);
            }
        }
        self.lines.sort_by_key(|line| line.version);
    }

    fn settle(&mut self, prefixes: &[&str], version: Version) {
        let is_one = |line: &Line| {
            let is_named = prefixes.iter().any(|prefix| line.name.starts_with(prefix));
            is_named && line.version == Some(version)
        };
        let passed = self.lines.iter().find(|line| is_one(line) && line.outcome == Outcome::Pass);
        let Some(passed) = passed.map(|line| line.name.clone()) else { return };
        for line in &mut self.lines {
            if is_one(line) && matches!(line.outcome, Outcome::Fail(_)) {
                let reason = format!("another permitted answer to the request of {passed}");
                line.outcome = Outcome::Excluded(reason);
            }
        }
    }
    /// The versions that have cases, oldest first.
    pub(crate) fn versions(&self) -> Vec<Option<Version>> {
        let mut versions: Vec<_> = self.lines.iter().map(|line| line.version).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    /// How the cases of a version ended.
    pub(crate) fn count(&self, version: Option<Version>) -> Count {
        let mut count = Count::default();
        for line in self.lines.iter().filter(|line| line.version == version) {
            let place = match line.outcome {
                Outcome::Pass => &mut count.pass,
                Outcome::Fail(_) => &mut count.fail,
                Outcome::Excluded(_) => &mut count.excluded,
            };
            *place = place.saturating_add(1);
        }
        count
    }

    /// Whether no case failed.
    pub(crate) fn is_pass(&self) -> bool {
        !self.lines.iter().any(|line| matches!(line.outcome, Outcome::Fail(_)))
    }

    /// Whether any case passed.
    pub(crate) fn has_pass(&self) -> bool {
        self.lines.iter().any(|line| line.outcome == Outcome::Pass)
    }

    /// One array, an object per version.
    pub(crate) fn to_json(&self) -> Json {
        self.versions().into_iter().map(|version| self.version_json(version)).collect()
    }

    fn version_json(&self, version: Option<Version>) -> Json {
        let lines = self.lines.iter().filter(|line| line.version == version);
        let cases: Vec<Json> = lines.map(line_json).collect();
        let count = self.count(version);
        json!({
            "version": version_label(version),
            "cases": cases,
            "pass": count.pass,
            "fail": count.fail,
            "excluded": count.excluded,
        })
    }

    /// One line per case that did not pass, then one per version.
    pub(crate) fn to_text(&self, with_messages: bool) -> String {
        let mut text = String::new();
        for line in &self.lines {
            match &line.outcome {
                Outcome::Pass => {}
                Outcome::Excluded(reason) => {
                    text.push_str(&format!("excluded  {}  {reason}\n", line.name));
                }
                Outcome::Fail(Failure { reason, messages }) => {
                    text.push_str(&format!("FAIL      {}  {reason}\n", line.name));
                    if with_messages {
                        text.push_str(messages);
                    }
                }
            }
        }
        for version in self.versions() {
            let Count { pass, fail, excluded } = self.count(version);
            let version = version_label(version);
            text.push_str(&format!("{version}: {pass} pass, {fail} fail, {excluded} excluded\n"));
        }
        text
    }
}

fn version_label(version: Option<Version>) -> String {
    version.map_or_else(|| "unknown".to_owned(), |version| version.to_string())
}

fn line_json(line: &Line) -> Json {
    match &line.outcome {
        Outcome::Pass => json!({ "name": line.name, "result": "pass", "reason": "" }),
        Outcome::Fail(failure) => {
            json!({ "name": line.name, "result": "fail", "reason": failure.reason })
        }
        Outcome::Excluded(reason) => {
            json!({ "name": line.name, "result": "excluded", "reason": reason })
        }
    }
}
