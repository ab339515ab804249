//! The life of a managed object (KMIP 2.1 §3.31 State, KMIP 1.4 §3.22).
//!
//! Pure: it takes the facts of an object and the time, reads no clock and changes nothing. Dates
//! act at the instant they name: the state is computed whenever it is asked for.

use claviger_kmip::enums;

/// The state of an object.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Exists, may not be used yet.
    PreActive,
    /// May be used.
    Active,
    /// May be used to process what it protected, no longer to protect.
    Deactivated,
    /// Suspected to be known to others.
    Compromised,
    /// Gone.
    Destroyed,
    /// Gone, and known to others before.
    DestroyedCompromised,
}

/// What can happen to an object.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The Activate operation, or an Activation Date that is set to the past.
    Activate,
    /// The Activation Date is reached.
    ActivationDate,
    /// The Deactivation Date is reached, or set to the past.
    DeactivationDate,
    /// The Revoke operation for another reason than a compromise.
    Revoke,
    /// The Revoke operation for a compromise.
    RevokeCompromised,
    /// The Destroy operation.
    Destroy,
}

/// The event cannot happen in the state.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The state.
    pub state: State,
    /// The event.
    pub event: Event,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::PreActive,
        Self::Active,
        Self::Deactivated,
        Self::Compromised,
        Self::Destroyed,
        Self::DestroyedCompromised,
    ];

    /// Whether the key material is gone.
    #[must_use]
    pub const fn is_destroyed(self) -> bool {
        matches!(self, Self::Destroyed | Self::DestroyedCompromised)
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 6] = [
        Self::Activate,
        Self::ActivationDate,
        Self::DeactivationDate,
        Self::Revoke,
        Self::RevokeCompromised,
        Self::Destroy,
    ];
}

/// The state after an event.
///
/// # Errors
/// The specification's diagram has no such transition.
pub const fn next(state: State, event: Event) -> Result<State, Refused> {
    let refused = Err(Refused { state, event });
    match (state, event) {
        (State::PreActive, Event::Activate | Event::ActivationDate) => Ok(State::Active),
        (State::PreActive, Event::RevokeCompromised) => Ok(State::Compromised),
        (State::PreActive, Event::Destroy) => Ok(State::Destroyed),
        (State::PreActive, Event::DeactivationDate | Event::Revoke) => refused,
        (State::Active, Event::DeactivationDate | Event::Revoke) => Ok(State::Deactivated),
        (State::Active, Event::RevokeCompromised) => Ok(State::Compromised),
        (State::Active, Event::Activate | Event::ActivationDate | Event::Destroy) => refused,
        (State::Deactivated, Event::RevokeCompromised) => Ok(State::Compromised),
        (State::Deactivated, Event::Destroy) => Ok(State::Destroyed),
        (
            State::Deactivated,
            Event::Activate | Event::ActivationDate | Event::DeactivationDate | Event::Revoke,
        ) => refused,
        (State::Compromised, Event::Destroy) => Ok(State::DestroyedCompromised),
        (
            State::Compromised,
            Event::Activate
            | Event::ActivationDate
            | Event::DeactivationDate
            | Event::Revoke
            | Event::RevokeCompromised,
        ) => refused,
        (State::Destroyed, Event::RevokeCompromised) => Ok(State::DestroyedCompromised),
        (
            State::Destroyed,
            Event::Activate
            | Event::ActivationDate
            | Event::DeactivationDate
            | Event::Revoke
            | Event::Destroy,
        )
        | (
            State::DestroyedCompromised,
            Event::Activate
            | Event::ActivationDate
            | Event::DeactivationDate
            | Event::Revoke
            | Event::RevokeCompromised
            | Event::Destroy,
        ) => refused,
    }
}

/// What an object's state follows from. Dates in POSIX seconds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Activation Date.
    pub activation_date: Option<i64>,
    /// Deactivation Date.
    pub deactivation_date: Option<i64>,
    /// Compromise Date; set by Revoke.
    pub compromise_date: Option<i64>,
    /// Destroy Date; set by Destroy.
    pub destroy_date: Option<i64>,
}

impl Facts {
    /// The state at a time.
    #[must_use]
    pub const fn state(&self, now: i64) -> State {
        match (self.destroy_date, self.compromise_date) {
            (Some(_), Some(_)) => return State::DestroyedCompromised,
            (Some(_), None) => return State::Destroyed,
            (None, Some(_)) => return State::Compromised,
            (None, None) => {}
        }
        if !reached(self.activation_date, now) {
            State::PreActive
        } else if reached(self.deactivation_date, now) {
            State::Deactivated
        } else {
            State::Active
        }
    }
}

/// Whether a date is set and not in the future.
#[must_use]
pub const fn reached(date: Option<i64>, now: i64) -> bool {
    matches!(date, Some(date) if date <= now)
}

impl From<State> for enums::State {
    fn from(state: State) -> Self {
        match state {
            State::PreActive => Self::PRE_ACTIVE,
            State::Active => Self::ACTIVE,
            State::Deactivated => Self::DEACTIVATED,
            State::Compromised => Self::COMPROMISED,
            State::Destroyed => Self::DESTROYED,
            State::DestroyedCompromised => Self::DESTROYED_COMPROMISED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The diagram of KMIP 1.4 §3.22, transcribed: every transition that exists.
    const DIAGRAM: &str = "
        PreActive   Activate          Active
        PreActive   ActivationDate    Active
        PreActive   RevokeCompromised Compromised
        PreActive   Destroy           Destroyed
        Active      DeactivationDate  Deactivated
        Active      Revoke            Deactivated
        Active      RevokeCompromised Compromised
        Deactivated RevokeCompromised Compromised
        Deactivated Destroy           Destroyed
        Compromised Destroy           DestroyedCompromised
        Destroyed   RevokeCompromised DestroyedCompromised
    ";

    #[test]
    fn transitions_are_exactly_the_diagram() {
        let mut seen = Vec::new();
        for state in State::ALL {
            for event in Event::ALL {
                if let Ok(after) = next(state, event) {
                    seen.push(format!("{state:?} {event:?} {after:?}"));
                }
            }
        }
        let mut expected: Vec<String> = DIAGRAM
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|line| !line.is_empty())
            .collect();
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
    }

    #[test]
    fn dates_act_at_their_instant() {
        let facts =
            Facts { activation_date: Some(10), deactivation_date: Some(20), ..Facts::default() };
        let states: Vec<_> = [9, 10, 19, 20, 21].map(|now| facts.state(now)).into();
        assert_eq!(
            states,
            [
                State::PreActive,
                State::Active,
                State::Active,
                State::Deactivated,
                State::Deactivated
            ]
        );
        let never_active = Facts { deactivation_date: Some(5), ..Facts::default() };
        assert_eq!(never_active.state(100), State::PreActive);
    }
}
