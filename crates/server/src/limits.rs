//! Every limit of the KMIP service, and of logins to the API, with its reason; the API's others, the
//! store's and cryptography's stand in their modules. One table, from which the fields, their
//! defaults and the configuration's keys come.

use std::time::Duration;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Pieces.
    Count,
    /// Seconds.
    Time,
}

impl Unit {
    /// The largest value that makes sense: beyond it, sums and semaphores overflow.
    #[must_use]
    pub const fn most(self) -> u64 {
        match self {
            Self::Bytes => 1 << 40,
            Self::Count => 100_000_000,
            Self::Time => 366 * 86_400,
        }
    }
}

/// One limit.
pub struct Limit {
    /// Its name, the same in the configuration.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// What it is for.
    pub text: &'static str,
    /// Its value, in its unit.
    pub get: fn(&Limits) -> u64,
    /// Gives it a value, which is from 1 to [`Unit::most`].
    pub set: fn(&mut Limits, u64),
}

impl std::fmt::Debug for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A number of bytes or pieces; what is too large for this machine is as good as no limit.
fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

macro_rules! kind {
    (type Time) => {
        Duration
    };
    (type $other:ident) => {
        usize
    };
    (get Time $value:expr) => {
        $value.as_secs()
    };
    (get $other:ident $value:expr) => {
        $value as u64
    };
    (set Time $value:expr) => {
        Duration::from_secs($value)
    };
    (set $other:ident $value:expr) => {
        size($value)
    };
}

macro_rules! limits {
    ($($(#[doc = $text:literal])+ $name:ident: $unit:ident = $default:expr;)+) => {
        /// The limits of one server. Sizes in bytes, counts in pieces.
        #[derive(Clone, Debug)]
        pub struct Limits {
            $($(#[doc = $text])+ pub $name: kind!(type $unit),)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        /// Every limit.
        pub static LIMITS: &[Limit] = &[$(Limit {
            name: stringify!($name),
            unit: Unit::$unit,
            text: concat!($($text),+),
            get: |limits| kind!(get $unit limits.$name),
            set: |limits, value| limits.$name = kind!(set $unit value),
        },)+];
    };
}

limits! {
    /// The largest KMIP request: a 1 MiB object and its attributes fit.
    request_bytes_max: Bytes = 2 << 20;
    /// How deeply a request may nest: the deepest of the specification's messages needs 12.
    request_depth_max: Count = 24;
    /// How many items a request may have; bounds the work of decoding.
    request_items_max: Count = 65_536;
    /// How many batch items a request may have: the Tape Library profile asks for 32.
    batch_items_max: Count = 256;
    /// The largest KMIP response that is built, whatever the client takes.
    response_bytes_max: Bytes = 4 << 20;
    /// How many identifiers one Locate answers when the client sets no maximum.
    locate_items_max: Count = 10_000;
    /// How many attribute values one object may have: the profiles ask for 30 custom ones.
    attributes_max: Count = 512;
    /// The largest text or byte string in an attribute.
    attribute_bytes_max: Bytes = 64 << 10;
    /// How many bytes the attributes of one object may take together: it is read whole.
    object_attributes_bytes_max: Bytes = 1 << 20;
    /// How many random bytes one request can retrieve.
    random_bytes_max: Bytes = 64 << 10;
    /// How many iterations a derivation may have for all of its result: about a second of one
    /// processor.
    iteration_count_max: Count = 2_000_000;
    /// How many messages in parts may be under way.
    streams_max: Count = 1_024;
    /// How many of them may be one scope's: its oldest gives way to a new one.
    scope_streams_max: Count = 32;
    /// What may be kept of one of them until its last part, where nothing can be given before.
    stream_bytes_max: Bytes = 1 << 20;
    /// How long a message in parts may wait for its next part.
    stream_idle_timeout: Time = Duration::from_mins(10);
    /// How often an operation is run again when another changed what it read.
    conflict_retries_max: Count = 64;
    /// How many KMIP connections may be open; each costs two buffers and a TLS session.
    connections_max: Count = 4_096;
    /// How long a client may take for its TLS handshake, and one that is refused for its request.
    handshake_timeout: Time = Duration::from_secs(10);
    /// How long a connection may be silent between requests: clients keep theirs for hours.
    idle_timeout: Time = Duration::from_hours(24);
    /// How long a client may take to send a request it has begun, or to take its answer.
    transfer_timeout: Time = Duration::from_secs(30);
    /// How long open connections may finish their request when the server stops.
    drain_timeout: Time = Duration::from_secs(10);
    /// How many logins to the API one address may try in a minute: no secret is guessed faster, and
    /// checking a password is slow.
    logins_per_minute_max: Count = 300;
    /// How much unsealed object data is kept in memory.
    cache_bytes_max: Bytes = 68 << 20;
}

impl Limits {
    /// The limits of the reader of requests.
    #[must_use]
    pub const fn ttlv(&self) -> claviger_ttlv::Limits {
        claviger_ttlv::Limits {
            size_max: self.request_bytes_max,
            depth_max: self.request_depth_max,
            items_max: self.request_items_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_a_row_that_sets_it_alone() {
        let defaults = Limits::default();
        assert!(LIMITS.len() > 20);
        for limit in LIMITS {
            let before = (limit.get)(&defaults);
            assert!((1..=limit.unit.most()).contains(&before), "{}: {before}", limit.name);
            assert!(limit.text.trim().ends_with('.'), "{}", limit.name);
            let mut changed = defaults.clone();
            (limit.set)(&mut changed, 7);
            let others =
                LIMITS.iter().filter(|other| (other.get)(&changed) != (other.get)(&defaults));
            assert_eq!(others.map(|other| other.name).collect::<Vec<_>>(), [limit.name]);
            assert_eq!((limit.get)(&changed), 7);
        }
    }
}
