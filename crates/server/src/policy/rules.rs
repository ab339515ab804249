//! What rules grant on a path, when several match: Vault's priorities. Pure.
//!
//! One rule decides, the most specific that matches; what equally named rules of several policies
//! grant is added up, unless one of them denies.

use std::cmp::Reverse;

/// What can be allowed on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Writing what is not there yet.
    Create,
    /// Reading.
    Read,
    /// Writing.
    Update,
    /// Deleting.
    Delete,
    /// Listing.
    List,
    /// Paths that only an administrator may use, besides what else is asked there.
    Sudo,
    /// Nothing, whatever else is granted on the path.
    Deny,
    /// Changing parts; no path has it.
    Patch,
}

/// Capabilities and their names, in the order in which they are told.
const NAMES: [(Capability, &str); 8] = [
    (Capability::Create, "create"),
    (Capability::Delete, "delete"),
    (Capability::Deny, "deny"),
    (Capability::List, "list"),
    (Capability::Patch, "patch"),
    (Capability::Read, "read"),
    (Capability::Sudo, "sudo"),
    (Capability::Update, "update"),
];

impl Capability {
    /// The capability of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(capability, _)| *capability)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u8);

impl Capabilities {
    /// All but to deny.
    pub const fn everything() -> Self {
        Self(!Capability::Deny.bit())
    }

    /// The set of some.
    pub fn of(some: &[Capability]) -> Self {
        Self(some.iter().fold(0, |bits, capability| bits | capability.bit()))
    }

    /// Whether one is among them.
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// With those of another set.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Their names; for none, that it is denied.
    pub fn names(self) -> Vec<&'static str> {
        if self.is_empty() {
            return vec!["deny"];
        }
        NAMES.iter().filter(|(known, _)| self.has(*known)).map(|(_, name)| *name).collect()
    }
}

/// For how long answers on a path may be, or must be, wrapped. Seconds; 0 where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wrapping {
    /// At least, and then they must be wrapped.
    pub min_ttl: i64,
    /// At most, and then they must be wrapped.
    pub max_ttl: i64,
}

impl Wrapping {
    /// Whether an answer may be wrapped for so long, or not be wrapped.
    pub fn allows(self, ttl: Option<i64>) -> bool {
        let Self { min_ttl, max_ttl } = self;
        if (min_ttl, max_ttl) == (0, 0) {
            return true;
        }
        // Several policies together can ask for what cannot be: then nothing is allowed.
        ttl.is_some_and(|ttl| ttl >= min_ttl && (max_ttl == 0 || ttl <= max_ttl))
    }

    /// What two policies ask for together: the shorter of each.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        let shorter = |one: i64, other: i64| {
            if one == 0 || other == 0 { one.max(other) } else { one.min(other) }
        };
        Self {
            min_ttl: shorter(self.min_ttl, others.min_ttl),
            max_ttl: shorter(self.max_ttl, others.max_ttl),
        }
    }
}

/// What is granted on a path, and on what condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grant {
    /// What is granted.
    pub capabilities: Capabilities,
    /// How answers are to be wrapped.
    pub wrapping: Wrapping,
}

impl Grant {
    fn and(self, others: Self) -> Self {
        Self {
            capabilities: self.capabilities.and(others.capabilities),
            wrapping: self.wrapping.and(others.wrapping),
        }
    }
}

/// What a policy says of the paths of one pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Without the `*` at its end.
    pattern: String,
    /// Whether there was a `*` at its end: anything may follow.
    is_prefix: bool,
    /// What it grants.
    pub grant: Grant,
}

/// How specific a rule is; the greatest decides. Wildcards begin late, no `*` at the end, few `+`,
/// long, last in the alphabet.
type Rank<'a> = (usize, bool, Reverse<usize>, usize, &'a str);

impl Rule {
    /// A rule for the paths of a pattern: `+` is any one segment, `*` at the end anything.
    pub fn new(pattern: &str, grant: Grant) -> Self {
        let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
        let (pattern, is_prefix) = match pattern.strip_suffix('*') {
            Some(start) => (start, true),
            None => (pattern, false),
        };
        Self { pattern: pattern.to_owned(), is_prefix, grant }
    }

    fn is_exact(&self) -> bool {
        !self.is_prefix && self.wildcards() == 0
    }

    /// How many segments are `+`.
    fn wildcards(&self) -> usize {
        self.pattern.split('/').filter(|segment| *segment == "+").count()
    }

    fn rank(&self) -> Rank<'_> {
        let mut first = self.pattern.len();
        let mut at = 0usize;
        for segment in self.pattern.split('/') {
            if segment == "+" {
                first = at;
                break;
            }
            at = at.saturating_add(segment.len()).saturating_add(1);
        }
        let length = self.pattern.len().saturating_add(usize::from(self.is_prefix));
        (first, !self.is_prefix, Reverse(self.wildcards()), length, &self.pattern)
    }

    fn matches(&self, path: &str) -> bool {
        if self.wildcards() == 0 {
            return if self.is_prefix {
                path.starts_with(&self.pattern)
            } else {
                path == self.pattern
            };
        }
        let mut wanted = self.pattern.split('/').peekable();
        let mut given = path.split('/');
        while let Some(pattern) = wanted.next() {
            let Some(segment) = given.next() else { return false };
            let is_last = wanted.peek().is_none();
            let fits = pattern == "+"
                || pattern == segment
                || (self.is_prefix && is_last && segment.starts_with(pattern));
            if !fits {
                return false;
            }
        }
        self.is_prefix || given.next().is_none()
    }
}

/// What rules grant on a path. A path with a slash at its end, as of a list, is also looked for
/// without it: both mean the same thing.
pub fn granted<'a>(rules: impl Iterator<Item = &'a Rule> + Clone, path: &str) -> Grant {
    let path = path.trim_start_matches('/');
    let forms = [Some(path), path.strip_suffix('/')];
    for form in forms.iter().flatten() {
        let exact = rules.clone().filter(|rule| rule.is_exact() && rule.matches(form));
        if let Some(sum) = sum(exact) {
            return sum;
        }
    }
    let matching = rules.filter(|rule| forms.iter().flatten().any(|form| rule.matches(form)));
    let Some(best) = matching.clone().map(Rule::rank).max() else {
        return Grant::default();
    };
    sum(matching.filter(|rule| rule.rank() == best)).unwrap_or_default()
}

/// What rules grant together; `None` of no rules.
fn sum<'a>(rules: impl Iterator<Item = &'a Rule>) -> Option<Grant> {
    let all = rules.map(|rule| rule.grant).reduce(Grant::and)?;
    Some(if all.capabilities.has(Capability::Deny) { Grant::default() } else { all })
}
