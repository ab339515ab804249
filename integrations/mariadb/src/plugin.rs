//! The plugin at work: the cache in front, the KMIP servers behind it, and a thread that looks for new versions.
//!
//! It must never know MariaDB's interface: [`crate::ffi`] does.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use claviger_client::blocking::Client;
use claviger_kmip::codec::Secret;

use crate::advice::{advice, of_option};
use crate::cache::{Cache, KEYS_MAX, NotKept};
use crate::keys::{All, Keys, Latest, Problem, ReadVersion};
use crate::refusals::Refusals;
use crate::settings::{Settings, Wrong};

/// The key without which the server cannot encrypt its logs.
const SYSTEM_KEY: u32 = 1;
/// Bits of keys that are made because they were missing.
const NEW_KEY_BITS: i32 = 256;
/// The key of temporary files, which may be missing.
const TEMPORARY_KEY: u32 = 2;
/// Bytes of a problem's text.
const PROBLEM_MAX: usize = 200;

/// How much a line of the error log matters.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Note,
    Warning,
    Error,
}

/// Writes a line to the error log.
pub(crate) type Log = fn(Severity, &str);

/// Everything behind the entry points.
pub(crate) struct Plugin {
    cache: Cache,
    keys: Keys,
    versions_every: Duration,
    keys_every: Option<Duration>,
    use_cache_on_timeout: bool,
    create_missing: bool,
    log: Log,
    /// Whoever adds to the cache holds it.
    asking: Mutex<Refusals>,
    has_ended: Mutex<bool>,
    ending: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Plugin {
    /// Reads the system key, and makes it if it is missing and may be made.
    pub(crate) fn start(settings: Settings, log: Log) -> Result<Self, Problem> {
        let plugin = Self {
            cache: Cache::new(),
            keys: Keys::new(Client::new(settings.client), settings.group),
            versions_every: settings.versions_every,
            keys_every: settings.keys_every,
            use_cache_on_timeout: settings.use_cache_on_timeout,
            create_missing: settings.create_missing,
            log,
            asking: Mutex::new(Refusals::default()),
            has_ended: Mutex::new(false),
            ending: Condvar::new(),
        };
        plugin.read_all()?;
        if plugin.cache.latest(SYSTEM_KEY).is_none() {
            plugin.fetch_latest(SYSTEM_KEY)?;
        }
        Ok(plugin)
    }

    /// Reads whatever the server has, at once: a database asks for each of its keys when it starts.
    fn read_all(&self) -> Result<(), Problem> {
        let All { mut latest, versions } = self.keys.read_all()?;
        let _adding = lock(&self.asking);
        for ReadVersion { key_id, version, bytes } in versions {
            if self.keep(key_id, version, bytes).is_err() {
                // Who asks for it by itself hears why.
                latest.remove(&key_id);
            }
        }
        for (key_id, version) in latest {
            self.cache.set_latest(key_id, Some(version));
        }
        Ok(())
    }

    /// The latest version of a key.
    pub(crate) fn latest(&self, key_id: u32) -> Option<u32> {
        if let Some(latest) = self.cache.latest(key_id) {
            return Some(latest);
        }
        let mut asking = lock(&self.asking);
        if let Some(latest) = self.cache.latest(key_id) {
            return Some(latest);
        }
        if asking.holds(key_id) {
            return None;
        }
        let found = self.fetch_latest(key_id);
        self.note(key_id, &mut asking, found)
    }

    /// The bytes of a version.
    pub(crate) fn bytes(&self, key_id: u32, version: u32) -> Option<&Secret> {
        if let Some(bytes) = self.cache.bytes(key_id, version) {
            return Some(bytes);
        }
        let mut asking = lock(&self.asking);
        if self.cache.bytes(key_id, version).is_none() && !asking.is_outage() {
            let found = self.fetch_bytes(key_id, version);
            self.note(key_id, &mut asking, found)?;
        }
        self.cache.bytes(key_id, version)
    }

    /// Says what is wrong; an outage once.
    fn note<T>(&self, key_id: u32, asking: &mut Refusals, found: Result<T, Problem>) -> Option<T> {
        let problem = match found {
            Ok(found) => {
                self.note_answer(asking);
                asking.absent.remove(&key_id);
                return Some(found);
            }
            Err(problem) => problem,
        };
        if problem.is_outage() {
            asking.outage = Some(Instant::now());
            if std::mem::replace(&mut asking.is_outage_said, true) {
                return None;
            }
            let meanwhile = if self.use_cache_on_timeout {
                "known keys are used meanwhile"
            } else {
                "no key is used, as use-cache-on-timeout is OFF"
            };
            (self.log)(Severity::Warning, &format!("{meanwhile}: {}", explained(&problem)));
            return None;
        }
        let is_new = asking.add(key_id);
        // Without a key for temporary files the server takes the system key.
        let is_optional = key_id == TEMPORARY_KEY
            && matches!(problem, Problem::NoVersion(_) | Problem::NotActive(_));
        if is_new && !is_optional {
            (self.log)(Severity::Error, &format!("key {key_id}: {}", explained(&problem)));
        }
        None
    }

    fn note_answer(&self, asking: &mut Refusals) {
        asking.outage = None;
        if std::mem::take(&mut asking.is_outage_said) {
            (self.log)(Severity::Note, "a KMIP server answers again");
        }
    }

    /// Asks for the latest version, and for its bytes before anybody is told of it.
    fn fetch_latest(&self, key_id: u32) -> Result<u32, Problem> {
        let latest = match self.keys.latest(key_id) {
            Err(Problem::NoVersion(_)) if self.create_missing => self.make_first(key_id)?,
            latest => latest?,
        };
        let version = latest.version;
        if self.cache.bytes(key_id, version).is_none() {
            self.keep(key_id, version, self.keys.material_of_latest(key_id, &latest)?)?;
        }
        if self.cache.latest(key_id).is_some_and(|before| before != version) {
            (self.log)(Severity::Note, &format!("key {key_id} has version {version} now"));
        }
        self.cache.set_latest(key_id, Some(version));
        Ok(version)
    }

    /// Makes version 1, unless somebody else does so at that moment.
    fn make_first(&self, key_id: u32) -> Result<Latest, Problem> {
        match self.keys.make_first(key_id, NEW_KEY_BITS) {
            Ok(made) => {
                let said = format!("key {key_id} was missing: version {made} is made");
                (self.log)(Severity::Note, &said);
                self.keys.latest(key_id)
            }
            Err(problem) => self.keys.latest(key_id).map_err(|_| problem),
        }
    }

    fn fetch_bytes(&self, key_id: u32, version: u32) -> Result<(), Problem> {
        self.keep(key_id, version, self.keys.material(key_id, version)?)
    }

    fn keep(&self, key_id: u32, version: u32, bytes: Secret) -> Result<(), Problem> {
        self.cache.keep(key_id, version, bytes).map_err(|not_kept| match not_kept {
            NotKept::Differs => Problem::Wrong {
                name: format!("version {version} of key {key_id}"),
                problem: String::from("the KMIP server has other bytes for it than before"),
            },
            NotKept::Full => Problem::TooManyKeys(KEYS_MAX),
        })
    }

    /// Reads the latest versions again, and bytes, until [`Plugin::end`].
    pub(crate) fn refresh_until_end(&self) {
        let mut keys_read = Instant::now();
        let pause = self.keys_every.map_or(self.versions_every, |it| it.min(self.versions_every));
        let mut has_ended = lock(&self.has_ended);
        loop {
            (has_ended, _) = self
                .ending
                .wait_timeout_while(has_ended, pause, |has_ended| !*has_ended)
                .unwrap_or_else(PoisonError::into_inner);
            if *has_ended {
                return;
            }
            drop(has_ended);
            if self.keys_every.is_some_and(|every| keys_read.elapsed() >= every) {
                self.refresh_bytes();
                keys_read = Instant::now();
            }
            self.refresh_versions();
            has_ended = lock(&self.has_ended);
        }
    }

    fn has_ended(&self) -> bool {
        *lock(&self.has_ended)
    }

    /// Ends the refreshing.
    pub(crate) fn end(&self) {
        *lock(&self.has_ended) = true;
        self.ending.notify_all();
    }

    /// Asks once for all keys; only those that have changed, or are in doubt, are asked for by themselves. Nobody who
    /// asks for a key meanwhile waits for more than one of them.
    fn refresh_versions(&self) {
        let all = self.keys.latest_of_all();
        let Some(unchanged) = self.heard(all, |cache| {
            cache.keys().for_each(|key| cache.set_latest(key.id, None));
        }) else {
            return;
        };
        for key in self.cache.keys() {
            let Some(before) = self.cache.latest(key.id) else { continue };
            if unchanged.get(&key.id) == Some(&before) {
                continue;
            }
            let mut asking = lock(&self.asking);
            let found = self.fetch_latest(key.id);
            if found.as_ref().is_err_and(|problem| self.is_loss(problem)) {
                self.cache.set_latest(key.id, None);
            }
            let _said = self.note(key.id, &mut asking, found);
            if asking.is_outage() || self.has_ended() {
                return;
            }
        }
    }

    /// Reads bytes again, in the same way.
    fn refresh_bytes(&self) {
        let all = self.keys.read_all();
        let withdraw_all = |cache: &Cache| {
            for key in cache.keys() {
                key.versions().for_each(|version| cache.withdraw(key.id, version));
            }
        };
        let Some(All { versions, .. }) = self.heard(all, withdraw_all) else { return };
        let mut bytes: HashMap<_, _> =
            versions.into_iter().map(|it| ((it.key_id, it.version), it.bytes)).collect();
        for key in self.cache.keys() {
            for version in key.versions() {
                let mut asking = lock(&self.asking);
                let found = match bytes.remove(&(key.id, version)) {
                    Some(bytes) => self.keep(key.id, version, bytes),
                    None => self.fetch_bytes(key.id, version),
                };
                if found.as_ref().is_err_and(|problem| self.is_loss(problem)) {
                    self.cache.withdraw(key.id, version);
                }
                let _said = self.note(key.id, &mut asking, found);
                if asking.is_outage() || self.has_ended() {
                    return;
                }
            }
        }
    }

    /// What was said of all keys. Where nothing was, that is said, in one line, and what is known is used on or lost.
    fn heard<T>(&self, all: Result<T, Problem>, lose: impl FnOnce(&Cache)) -> Option<T> {
        let problem = match all {
            Ok(all) => {
                self.note_answer(&mut lock(&self.asking));
                return Some(all);
            }
            Err(problem) => problem,
        };
        let mut asking = lock(&self.asking);
        if self.is_loss(&problem) {
            lose(&self.cache);
        }
        self.note(SYSTEM_KEY, &mut asking, Err(problem))
    }

    /// Whether what is known may not be used any more.
    fn is_loss(&self, problem: &Problem) -> bool {
        !problem.is_outage() || !self.use_cache_on_timeout
    }
}

/// A problem and what to do about it. The server cuts long lines off, and a list of servers is
/// long: what to do must be in it.
fn explained(problem: &Problem) -> String {
    format!("{}: {}", shortened(&problem.to_string()), advice(problem))
}

fn shortened(problem: &str) -> String {
    let mut text = String::new();
    for character in problem.chars() {
        if text.len() >= PROBLEM_MAX {
            text.push('…');
            break;
        }
        text.push(character);
    }
    text
}

/// The line of the error log for a plugin that does not start.
pub(crate) fn refusal(problem: &Refused) -> String {
    match problem {
        Refused::Option(Wrong { option, problem }) => {
            let name = option.replace('-', "_");
            let problem = shortened(problem);
            format!("kmip_key_management_{name}: {problem}: {}", of_option(option))
        }
        Refused::Keys(problem) => explained(problem),
    }
}

/// Why the plugin does not start.
pub(crate) enum Refused {
    Option(Wrong),
    Keys(Problem),
}

#[cfg(test)]
mod tests {
    use claviger_client::{Endpoint, Error, ServerFailure, Step};

    use super::*;

    #[test]
    fn a_long_problem_leaves_room_for_what_to_do() {
        let failure = |port| ServerFailure {
            server: Endpoint { host: String::from("kms-ä.example.com"), port },
            error: Error::TimedOut(Step::Connect),
        };
        let problem = Problem::from(Error::Servers((1..40).map(failure).collect()));
        let text = explained(&problem);
        assert!(text.len() < 400 && text.ends_with(advice(&problem)), "{text}");
        assert!(text.starts_with("no server answered: kms-ä.example.com:1: "), "{text}");
    }
}
