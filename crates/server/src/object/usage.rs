//! Permission to use a key: proofs that only this module makes (KMIP 2.1 §4.57 State, §4.41
//! Process Start Date, §4.43 Protect Stop Date, §4.18 Usage Mask, §4.61 Usage Limits).
//!
//! A handler that encrypts takes a [`Protecting`], one that decrypts a [`Processing`]; without
//! the check there is no value to hand over.

use claviger_kmip::attributes::values::UsageLimits;
use claviger_kmip::attributes::{Attribute, AttributeId};
use claviger_kmip::enums::{ObjectType, UsageLimitsUnit};
use claviger_kmip::masks::CryptographicUsageMask;

use super::lifecycle::{State, reached};
use super::managed::ManagedObject;
use crate::failure::{Failure, Reason};

/// A key that may protect something now: encrypt, sign, wrap, derive.
#[derive(Copy, Clone, Debug)]
pub struct Protecting<'o>(&'o ManagedObject);

/// A key that may process now what it protected: decrypt, verify, unwrap.
#[derive(Copy, Clone, Debug)]
pub struct Processing<'o>(&'o ManagedObject);

impl<'o> Protecting<'o> {
    /// The proof, if the key is Active, before its Protect Stop Date, and made for that use.
    ///
    /// # Errors
    /// Why not.
    pub fn prove(
        object: &'o ManagedObject,
        usage: CryptographicUsageMask,
        now: i64,
    ) -> Result<Self, Failure> {
        check_protecting(object, now)?;
        check_mask(object, usage)?;
        Ok(Self(object))
    }

    /// The key.
    #[must_use]
    pub const fn object(&self) -> &'o ManagedObject {
        self.0
    }
}

impl<'o> Processing<'o> {
    /// The proof, if the key has been Active, is not destroyed, is past its Process Start Date,
    /// and is made for that use.
    ///
    /// # Errors
    /// Why not.
    pub fn prove(
        object: &'o ManagedObject,
        usage: CryptographicUsageMask,
        now: i64,
    ) -> Result<Self, Failure> {
        match object.state(now) {
            State::Active | State::Deactivated | State::Compromised => {}
            State::PreActive => return Err(not_now("the key is not Active yet")),
            State::Destroyed | State::DestroyedCompromised => {
                return Err(Failure::new(Reason::ObjectDestroyed, "the key has been destroyed"));
            }
        }
        let start = object.attributes.process_start_date().map(|date| date.0);
        if start.is_some() && !reached(start, now) {
            return Err(not_now("the Process Start Date of the key is still to come"));
        }
        check_mask(object, usage)?;
        Ok(Self(object))
    }

    /// The key.
    #[must_use]
    pub const fn object(&self) -> &'o ManagedObject {
        self.0
    }
}

/// A key protects while it is Active and before its Protect Stop Date.
fn check_protecting(object: &ManagedObject, now: i64) -> Result<(), Failure> {
    if object.state(now) != State::Active {
        return Err(not_now("the key is not Active"));
    }
    let stop = object.attributes.protect_stop_date().map(|date| date.0);
    if reached(stop, now) {
        return Err(not_now("the Protect Stop Date of the key has passed"));
    }
    Ok(())
}

fn not_now(message: &'static str) -> Failure {
    Failure::new(Reason::WrongState, message)
}

fn check_mask(object: &ManagedObject, usage: CryptographicUsageMask) -> Result<(), Failure> {
    let mask = object.attributes.cryptographic_usage_mask().unwrap_or_default();
    if mask.contains(usage) {
        return Ok(());
    }
    let message = format!("the Cryptographic Usage Mask of the key lacks {usage:?}");
    Err(Failure::new(Reason::UsageMask, message))
}

/// A Template is not activated, revoked or used.
///
/// # Errors
/// The object is one.
pub fn refuse_without_lifecycle(object: &ManagedObject) -> Result<(), Failure> {
    if object.object_type == ObjectType::TEMPLATE {
        return Err(Failure::new(Reason::IllegalOperation, "a Template has no life cycle"));
    }
    Ok(())
}

/// What one use of a key costs of its Usage Limits.
#[derive(Copy, Clone, Debug)]
pub struct Cost {
    /// Bytes that are protected.
    pub bytes: usize,
}

/// The object with that use taken off its Usage Limits; `None` if it has none.
///
/// # Errors
/// Not that much is left.
pub fn spend(object: &ManagedObject, cost: Cost) -> Result<Option<ManagedObject>, Failure> {
    let Some(Attribute::UsageLimits(limits)) = object.attributes.first(AttributeId::UsageLimits)
    else {
        return Ok(None);
    };
    let amount = match limits.usage_limits_unit {
        UsageLimitsUnit::BYTE => i64::try_from(cost.bytes).unwrap_or(i64::MAX),
        _ => 1,
    };
    take(object, limits, amount).map(Some)
}

/// What a client may protect with, itself.
const PROTECTS: CryptographicUsageMask = CryptographicUsageMask(
    CryptographicUsageMask::SIGN.0
        | CryptographicUsageMask::ENCRYPT.0
        | CryptographicUsageMask::WRAP_KEY.0
        | CryptographicUsageMask::MAC_GENERATE.0
        | CryptographicUsageMask::DERIVE_KEY.0,
);

/// The object with units taken off its Usage Limits that a client wants to use up itself (KMIP 2.1
/// §6.1.23).
///
/// # Errors
/// It has no Usage Limits, protects nothing or not now, or not that much is left.
pub fn allocate(object: &ManagedObject, units: i64, now: i64) -> Result<ManagedObject, Failure> {
    let illegal = |message| Failure::new(Reason::IllegalOperation, message);
    let Some(Attribute::UsageLimits(limits)) = object.attributes.first(AttributeId::UsageLimits)
    else {
        return Err(illegal("the object has no Usage Limits"));
    };
    let mask = object.attributes.cryptographic_usage_mask().unwrap_or_default();
    if mask.0 & PROTECTS.0 == 0 {
        return Err(illegal("the object is not one that protects anything"));
    }
    check_protecting(object, now)?;
    if units < 1 {
        let message = "the Usage Limits Count is 1 or more";
        return Err(Failure::new(Reason::InvalidField, message));
    }
    take(object, limits, units)
}

fn take(
    object: &ManagedObject,
    limits: &UsageLimits,
    amount: i64,
) -> Result<ManagedObject, Failure> {
    let left = limits.usage_limits_count.unwrap_or(limits.usage_limits_total);
    let Some(left) = left.checked_sub(amount).filter(|left| *left >= 0) else {
        return Err(Failure::new(Reason::UsageLimit, "the Usage Limits of the key are spent"));
    };
    let spent = UsageLimits { usage_limits_count: Some(left), ..limits.clone() };
    let mut object = object.clone();
    object.attributes.set(Attribute::UsageLimits(spent));
    Ok(object)
}
