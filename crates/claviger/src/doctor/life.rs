//! The life of the probe key on one server: made, activated, looked at, used, and removed.

use claviger_client::Batch;
use claviger_kmip::enums::{BatchErrorContinuationOption, ObjectType, State};

use super::examine::{Stop, Walk};
use super::probe::{self, PAGE, Probe};
use super::report::{Fault, LeftOver, Verdict};
use super::step::Step;
use super::target::{Component, Habit, MasterKey, Need, PreActive};
use crate::failure::{Kind, Outcome};

/// What AES in CBC mode makes of 32 bytes, padded.
const SEALED_BYTES: usize = 48;

/// The probe key, once it is there.
struct Made {
    id: String,
    /// Whether it is, or may be, Active: then it must be revoked before it is destroyed.
    is_active: bool,
    /// Whether nothing speaks against its being the one that was made.
    is_ours: bool,
}

impl Walk<'_> {
    /// Walks through the life of a probe key, and looks at the key that the configuration names.
    pub(super) fn probe(&mut self) -> Outcome {
        let probe = Probe::new()?;
        if let Ok(mut made) = self.create(&probe) {
            self.activate(&mut made);
            self.state(&probe, &made);
            self.get(&probe, &mut made);
            self.locate(&probe, &made);
            self.cipher(&probe, &made);
            self.remove(&probe, &made);
        }
        self.configured_key();
        Ok(())
    }

    /// Whether a step is asked at all; if not, that is noted.
    fn asks(&mut self, step: Step) -> bool {
        match self.target.habit.need(step) {
            Need::Needed | Need::Spare(_) => true,
            Need::Foreign => false,
            Need::Unused(why) => {
                self.note(step, Verdict::NotNeeded(why.to_owned()));
                false
            }
        }
    }

    /// Notes what came of a step.
    fn conclude<T: ToString>(&mut self, step: Step, result: Result<T, Fault>) -> Result<(), Stop> {
        match result {
            Ok(answer) => {
                self.ok(step, answer);
                Ok(())
            }
            Err(fault) => Err(self.failed(step, fault)),
        }
    }

    fn create(&mut self, probe: &Probe) -> Result<Made, Stop> {
        let target = self.target;
        let answered = match &target.habit {
            Habit::Mongod { key, .. } => {
                let is_named = matches!(key, Some(MasterKey::Name(_)));
                let request = probe.register(is_named.then_some(None));
                self.call(&request).map(|answer| answer.unique_identifier)
            }
            Habit::Mysql { group, .. } => self
                .call(&probe.register(Some(group.as_deref())))
                .map(|answer| answer.unique_identifier),
            Habit::Zenko { compound, bucket_attribute } => self
                .call(&probe.create(*compound, bucket_attribute.as_deref()))
                .and_then(|answer| match answer.object_type {
                    ObjectType::SYMMETRIC_KEY => Ok(answer.unique_identifier),
                    other => {
                        Err(Fault::new(Kind::Otherwise, format_args!("{other:?} was created")))
                    }
                }),
        };
        match answered.and_then(|answered| probe::identifier(&answered)) {
            Ok(id) => {
                self.ok(Step::Create, &id);
                let is_active = matches!(target.habit, Habit::Zenko { compound: true, .. });
                Ok(Made { id, is_active, is_ours: true })
            }
            Err(fault) => {
                if may_have_been_done(fault.kind) {
                    let name = probe.name_in(&target.habit);
                    self.left_over =
                        Some(LeftOver { unique_identifier: None, name, is_active: false });
                }
                Err(self.failed(Step::Create, fault))
            }
        }
    }

    fn activate(&mut self, made: &mut Made) {
        if !self.asks(Step::Activate) {
            return;
        }
        let answer = self.call(&claviger_client::requests::activate(made.id.as_str()));
        made.is_active = !answer.as_ref().is_err_and(|fault| !may_have_been_done(fault.kind));
        let done = answer.and_then(|answer| probe::is_about(&answer.unique_identifier, &made.id));
        let _noted = self.conclude(Step::Activate, done.map(|()| ""));
    }

    fn state(&mut self, probe: &Probe, made: &Made) {
        if !self.asks(Step::State) {
            return;
        }
        let name = probe.name_in(&self.target.habit);
        let request = probe::attributes(&made.id, name.is_some());
        let answer = self.call(&request);
        let state = answer.and_then(|answer| probe::state(&answer, &made.id, name.as_deref()));
        let state = state.and_then(|state| match state {
            State::PRE_ACTIVE if made.is_active => {
                Err(Fault::new(Kind::Otherwise, "the key is Pre-Active, though it was activated"))
            }
            state => Ok(format!("{state:?}")),
        });
        let _noted = self.conclude(Step::State, state);
    }

    fn get(&mut self, probe: &Probe, made: &mut Made) {
        if !self.asks(Step::Get) {
            return;
        }
        let request = probe::get(&made.id);
        let answer = match self.target.habit {
            Habit::Mysql { component, .. } => self.get_with_attributes(&made.id, component),
            _ => self.call(&request),
        };
        let same = answer.and_then(|answer| probe.is_same(&answer, &made.id));
        made.is_ours = !same.as_ref().is_err_and(|fault| fault.kind == Kind::Otherwise);
        let _noted = self.conclude(Step::Get, same.map(|()| "the key as it was registered"));
    }

    /// As MySQL's components read a key: Get and Get Attributes in one message.
    fn get_with_attributes(
        &mut self,
        id: &str,
        component: Component,
    ) -> Result<claviger_kmip::payload::GetResponse, Fault> {
        let mut batch = Batch::with_header(self.target.dialect.header(self.version, 0));
        let asked = match component {
            Component::Percona => {
                batch.header.batch_order_option = Some(true);
                probe::attributes(id, true)
            }
            Component::Claviger => {
                let continues = BatchErrorContinuationOption::CONTINUE;
                batch.header.batch_error_continuation_option = Some(continues);
                probe::described(id)
            }
        };
        let key = batch.add(&probe::get(id))?;
        let attributes = batch.add(&asked)?;
        self.ask(batch.finish()?, |replies| {
            let key = replies.take(key)?;
            replies.take(attributes)?;
            Ok(key)
        })
    }

    fn locate(&mut self, probe: &Probe, made: &Made) {
        if !self.asks(Step::Locate) {
            return;
        }
        let target = self.target;
        let found = match &target.habit {
            Habit::Mysql { group, .. } => self.locate_in_group(made, group.as_deref()),
            Habit::Mongod { .. } => self.locate_by_name(probe, made),
            Habit::Zenko { .. } => return,
        };
        let _noted = self.conclude(Step::Locate, found);
    }

    fn locate_in_group(&mut self, made: &Made, group: Option<&str>) -> Result<String, Fault> {
        let found = self.call(&probe::locate(group))?.unique_identifier;
        let is_among = found.iter().any(|it| probe::is_about(it, &made.id).is_ok());
        let is_full = i32::try_from(found.len()).is_ok_and(|count| count >= PAGE);
        match (is_among, is_full) {
            (true, _) => Ok(format!("among {} keys", found.len())),
            (false, true) => Ok(format!("not among the first {} keys", found.len())),
            (false, false) => {
                let problem = "the key is not found by its type and group: mysqld would not have it after a restart";
                Err(Fault::new(Kind::Otherwise, problem))
            }
        }
    }

    fn locate_by_name(&mut self, probe: &Probe, made: &Made) -> Result<String, Fault> {
        let found = self.call(&probe::locate_name(&probe.name))?.unique_identifier;
        match found.as_slice() {
            [only] => probe::is_about(only, &made.id).map(|()| String::from("by its Name")),
            _ => {
                let problem = format!("{} keys have the Name of the probe key", found.len());
                Err(Fault::new(Kind::Otherwise, problem))
            }
        }
    }

    /// Encrypt and Decrypt, which need an Active key.
    fn cipher(&mut self, probe: &Probe, made: &Made) {
        if !made.is_active || !self.asks(Step::Encrypt) {
            return;
        }
        let sealed = self.call(&probe.encrypt(&made.id)).and_then(|answer| {
            probe::is_about(&answer.unique_identifier, &made.id)?;
            let sealed = answer.data.map(|data| data.0).unwrap_or_default();
            if sealed.len() == SEALED_BYTES {
                return Ok(sealed);
            }
            let problem = format!("32 bytes became {}, not {SEALED_BYTES}", sealed.len());
            Err(Fault::new(Kind::Otherwise, problem))
        });
        let data = sealed.as_ref().ok().cloned();
        let noted = self.conclude(Step::Encrypt, sealed.map(|_| "AES-256-CBC, PKCS5"));
        let (Ok(()), Some(data)) = (noted, data) else { return };
        let opened = self.call(&Probe::decrypt(&made.id, data)).and_then(|answer| {
            probe::is_about(&answer.unique_identifier, &made.id)?;
            match answer.data {
                Some(data) if data == probe.bytes => Ok("what was encrypted"),
                _ => Err(Fault::new(Kind::Otherwise, "something else than was encrypted")),
            }
        });
        let _noted = self.conclude(Step::Decrypt, opened);
    }

    /// Revoke and Destroy. An object that may not be ours is left alone.
    fn remove(&mut self, probe: &Probe, made: &Made) {
        let mut left_over = LeftOver {
            unique_identifier: Some(made.id.clone()),
            name: probe.name_in(&self.target.habit),
            is_active: made.is_active,
        };
        if !made.is_ours {
            self.left_over = Some(left_over);
            return;
        }
        if made.is_active {
            let request = probe::revoke(&self.target.habit, &made.id);
            let revoked = self.call(&request);
            let done =
                revoked.and_then(|answer| probe::is_about(&answer.unique_identifier, &made.id));
            left_over.is_active = self.conclude(Step::Revoke, done.map(|()| "")).is_err();
        } else {
            self.note(Step::Revoke, Verdict::NotNeeded(String::from("the key is not Active")));
        }
        let destroyed = self.call(&claviger_client::requests::destroy(made.id.as_str()));
        let done =
            destroyed.and_then(|answer| probe::is_about(&answer.unique_identifier, &made.id));
        if self.conclude(Step::Destroy, done.map(|()| "")).is_err() {
            self.left_over = Some(left_over);
        }
    }

    /// Looks at the key that the configuration names. By its identifier it is asked for its State, and by its Name it
    /// is located: nothing else.
    fn configured_key(&mut self) {
        if !self.asks(Step::Key) {
            return;
        }
        let target = self.target;
        let looked = match &target.habit {
            Habit::Mongod { key: Some(MasterKey::Name(name)), .. } => self.look_for(name),
            Habit::Mongod { activates, key: Some(MasterKey::Identifier(id, pre_active)) } => {
                self.look_at(id, *activates, *pre_active)
            }
            _ => return,
        };
        match looked {
            Ok(verdict) => self.note(Step::Key, verdict),
            Err(fault) => {
                let _noted = self.failed(Step::Key, fault);
            }
        }
    }

    fn look_for(&mut self, name: &str) -> Result<Verdict, Fault> {
        let found = self.call(&probe::locate_name(name))?.unique_identifier;
        Ok(match found.as_slice() {
            [] => Verdict::Ok(format!("no key is named {name}: mongod will make it"), None),
            [only] => Verdict::Ok(format!("{name} is {}", probe::identifier(only)?), None),
            several => Verdict::Failed(Fault::new(
                Kind::KeyAmbiguous,
                format_args!("{} keys are named {name}: mongod refuses them", several.len()),
            )),
        })
    }

    fn look_at(
        &mut self,
        id: &str,
        activates: bool,
        pre_active: PreActive,
    ) -> Result<Verdict, Fault> {
        let answer = self.call(&probe::attributes(id, false));
        let state = answer.and_then(|answer| probe::state(&answer, id, None));
        Ok(match state {
            Ok(State::ACTIVE) => Verdict::Ok(format!("{id} is Active"), None),
            Ok(state) if !activates => Verdict::Ok(format!("{id} is {state:?}"), None),
            Ok(State::PRE_ACTIVE) if pre_active == PreActive::Tolerated => Verdict::Ok(
                format!("{id} is Pre-Active"),
                Some(format!(
                    "Activate it, `claviger object activate {id}`: from 8.0 on mongod refuses it, before it does not \
                     poll its state."
                )),
            ),
            Ok(state) => {
                Verdict::Failed(Fault::new(Kind::KeyNotActive, format_args!("{id} is {state:?}")))
            }
            Err(fault) if fault.kind == Kind::NotFound => Verdict::Failed(Fault::new(
                Kind::KeyAbsent,
                format_args!("{id} is not there: {}", fault.problem),
            )),
            Err(fault) => return Err(fault),
        })
    }
}

/// Whether the server may have done what it was asked, for all we know.
const fn may_have_been_done(kind: Kind) -> bool {
    matches!(kind, Kind::Ended | Kind::Broken | Kind::Late | Kind::Malformed | Kind::Otherwise)
}
