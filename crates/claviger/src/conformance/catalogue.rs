//! Which cases there are, which belong together, and which are left out and why.
//!
//! Must never know how a case is played.

use std::path::{Path, PathBuf};

use claviger_kmip::Version;

use super::case::Case;

/// Cases that are played in order on one server and one connection. Most groups have one case.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The cases, in order.
    pub(crate) cases: Vec<Case>,
}

/// A case that is not played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excluded {
    pub(crate) name: String,
    pub(crate) version: Option<Version>,
    pub(crate) reason: String,
}

/// What a folder of cases holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    pub(crate) groups: Vec<Group>,
    pub(crate) excluded: Vec<Excluded>,
}

/// Families whose cases build on the objects of the cases before: what SASED-M-2 and TL-M-2 store,
/// SASED-M-3 and TL-M-3 retrieve; TC-CREG-2 and -3 locate what TC-CREG-1 registers; all TC-OTP
/// cases use one pad.
const CHAINS: [&str; 4] = ["SASED-M", "TL-M", "TC-CREG", "TC-OTP"];

/// Cases that are the possible answers to one request, by the beginnings of their names: a server
/// gives one of them.
pub(crate) const ALTERNATIVES: [&[&str]; 6] = [
    &["CS-RNG-O-"],
    &["TC-Q-CAP-"],
    &["TC-Q-PROF-"],
    &["TC-Q-RNGS-"],
    &["TC-Q-VAL-"],
    &["TC-OTP-3-", "TC-OTP-4-"],
];

/// Files that are in the folders and are no OASIS case, by file stem.
const NOT_OASIS: [&str; 3] = [
    "CS_BC_M_7_12_Encrypt_with_All_Fields",
    "TC-311-10-CREATE-DESTROY",
    "TC-SK-CREATE-ENCRYPT-DECRYPT-DESTROY",
];

/// Cases that no server can pass, by name.
const IMPOSSIBLE: [(&str, &str); 1] = [(
    "TC-92-10",
    "its dates contradict each other: a Deactivation Date of 2010 is answered as 2070, and the \
     key is Active and then Deactivated without a change",
)];

/// Folders that hold messages instead of dialogues.
const VECTORS: &str = "msgenc-vectors";

impl Catalogue {
    /// Reads all cases below a folder.
    pub(crate) fn read(folder: &Path) -> std::io::Result<Self> {
        let mut catalogue = Self::default();
        let mut cases: Vec<(PathBuf, Case)> = Vec::new();
        for path in files(folder)? {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if NOT_OASIS.contains(&stem.as_str()) {
                continue;
            }
            match Case::parse(&stem, &std::fs::read_to_string(&path)?) {
                Ok(case) => cases.push((path, case)),
                Err(reason) => {
                    catalogue.excluded.push(Excluded { name: stem, version: None, reason });
                }
            }
        }
        let cases = distinct(cases);
        catalogue.add(cases);
        Ok(catalogue)
    }

    fn add(&mut self, cases: Vec<Case>) {
        for case in cases {
            if let Some((_, reason)) = IMPOSSIBLE.iter().find(|(name, _)| *name == case.name) {
                self.excluded.push(Excluded {
                    name: case.name,
                    version: Some(case.version),
                    reason: (*reason).to_owned(),
                });
                continue;
            }
            let chained = CHAINS.contains(&case.family());
            let group = self.groups.iter_mut().find(|group| chained && group.is_chain_of(&case));
            match group {
                Some(group) => group.cases.push(case),
                None => self.groups.push(Group { cases: vec![case] }),
            }
        }
    }

    /// Keeps the cases that `wanted` names: a whole name, or the beginning of one. Groups stay
    /// whole, because a later case builds on the earlier.
    pub(crate) fn filter(&mut self, wanted: &[String]) {
        if wanted.is_empty() {
            return;
        }
        let is_wanted = |name: &str| wanted.iter().any(|wanted| name.starts_with(wanted.as_str()));
        self.groups.retain(|group| group.cases.iter().any(|case| is_wanted(&case.name)));
        self.excluded.retain(|case| is_wanted(&case.name));
    }

    /// How many cases would be played.
    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.cases.len()).sum()
    }
}

impl Group {
    fn is_chain_of(&self, case: &Case) -> bool {
        let first = self.cases.first();
        first.is_some_and(|first| first.family() == case.family() && first.version == case.version)
    }
}

/// All XML files that are dialogues, in the order in which they are played: by folder, then by
/// name with numbers compared as numbers.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                if !path.ends_with(VECTORS) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                found.push(path);
            }
        }
    }
    found.sort_by_cached_key(|path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        (path.parent().map(Path::to_owned), order(&stem))
    });
    Ok(found)
}

fn order(stem: &str) -> Vec<(usize, String)> {
    stem.split(['-', '_'])
        .map(|part| (part.parse().unwrap_or(usize::MAX), part.to_owned()))
        .collect()
}

/// The same case may come from two sources, in two folders: the first is taken. Two cases of one
/// folder may have the same number: the second then keeps the last word of its title.
fn distinct(cases: Vec<(PathBuf, Case)>) -> Vec<Case> {
    let mut taken: Vec<(PathBuf, Case)> = Vec::new();
    for (path, mut case) in cases {
        let same = taken.iter().find(|(_, other)| other.name == case.name);
        let in_same_folder = same.map(|(other, _)| other.parent() == path.parent());
        match in_same_folder {
            Some(false) => continue,
            Some(true) => {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let last = stem.rsplit(['-', '_']).next().unwrap_or_default().to_owned();
                case.name = format!("{}-{last}", case.name);
            }
            None => {}
        }
        taken.push((path, case));
    }
    taken.into_iter().map(|(_, case)| case).collect()
}
