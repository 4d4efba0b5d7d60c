//! The looks at the next entries that follow within the minute. What is sent between two ticks, with a short ttl, may have
//! to begin before the next tick. So where there is work that has to begin before its time ([`super::early`]), and where
//! a target has more things than can end together, two more looks follow.

use std::ops::Range;

use super::Wake;
use super::early::{EarlyStart, MAX_EARLY_SECONDS, can_end_together};
use super::horizon::{CELL_SECONDS, look_ahead};
use crate::command::delivery::Delivery;
use crate::command::row::Command;
use crate::execution::due_index::DueShards;
use crate::execution::shadow_expiry::seconds_in_shadow;
use crate::ids::CommandId;
use crate::timestamp::Timestamp;

/// How long after a tick, or after a target was found to be large, the two further looks at the next entries come, in
/// seconds.
const FURTHER_LOOKS_SECONDS: [u32; 2] = [20, 40];

/// How long after a look no other one is begun, in seconds: less than between two looks, since a message may come late.
const LOOK_LEASE_SECONDS: u32 = 15;

/// How long after it has come a look leaves the work to the messages of the look before, in seconds: it needs time itself.
const HANDED_OVER_SECONDS: u32 = 5;

/// How much later the message arrives that a look sends for work which another look brings as well.
const REPEATED_LATER_SECONDS: u32 = 3;

impl EarlyStart {
    /// When the message of a look at `looked` arrives. What begins within five seconds has a message of the look before,
    /// and what begins five seconds after the next look has one of that. A second message comes later, so that it finds
    /// the work done, unless the other look was late. Before the first look there was none.
    pub fn arrives_at(&self, looked: Timestamp, is_first: bool) -> Timestamp {
        let begin = looked.plus_seconds(HANDED_OVER_SECONDS);
        let is_own = (is_first || self.at >= begin) && self.at < begin.plus_seconds(FURTHER_LOOKS_SECONDS[0]);
        if is_own { self.at } else { self.at.plus_seconds(REPEATED_LATER_SECONDS) }
    }
}

/// The looks that follow one at `now`. The last one brings what begins until `until`; each of the others also brings
/// what the next one finds, in case that comes late. `command`: the command whose large target leads to them, if there was
/// no look at `now` itself.
pub fn further_looks(now: Timestamp, until: Timestamp, command: Option<&CommandId>) -> [Wake; 2] {
    let [first, second] = FURTHER_LOOKS_SECONDS.map(|seconds| now.plus_seconds(seconds));
    let look = |at, until, is_first| Wake::LookAhead { at, until, command: command.cloned(), is_first };
    [look(first, looked_until(first).min(until), command.is_some()), look(second, until, false)]
}

/// Until when a look brings what begins, where further ones follow.
pub fn looked_until(at: Timestamp) -> Timestamp {
    at.plus_seconds(FURTHER_LOOKS_SECONDS[1])
}

/// Until when a look that is begun at `now` keeps others from being begun.
pub fn look_lease_until(now: Timestamp) -> Timestamp {
    now.plus_seconds(LOOK_LEASE_SECONDS)
}

/// The looks that follow when a page of a target has been read: where it is more than can end together with its things,
/// and was not with those before them. None where no request gets into a shadow, or they end so late that a tick finds
/// each of them in time.
pub fn looks_at_target(command: &Command, things: Range<u64>, shards: DueShards, now: Timestamp) -> Vec<Wake> {
    let definition = &command.definition;
    let may_use_shadows = matches!(definition.delivery, Delivery::Shadow | Delivery::Auto);
    let in_shadow = seconds_in_shadow(definition.deadlines.ttl_seconds());
    let is_seen_by_tick = i64::from(in_shadow) > MAX_EARLY_SECONDS + CELL_SECONDS;
    if !may_use_shadows || is_seen_by_tick || !things.contains(&can_end_together(shards)) {
        return Vec::new();
    }
    further_looks(now, Timestamp::from_seconds(*look_ahead(now).end()), Some(&command.id)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::deadlines::Deadlines;
    use crate::execution::fixtures::command;
    use crate::wake::early::Entry;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_700_000_040)
    }

    /// Until when a look brings what begins.
    fn until_of(wake: &Wake) -> Timestamp {
        let Wake::LookAhead { until, .. } = wake else { panic!("no look: {wake:?}") };
        *until
    }

    #[test]
    fn each_look_brings_what_the_next_one_finds() {
        let end = Timestamp::from_seconds(*look_ahead(now()).end());
        let looks = further_looks(now(), end, None);
        let next_tick = now().plus_seconds(60);
        let times: Vec<_> = looks.iter().map(Wake::at).chain([next_tick]).collect();
        let until = [looked_until(now()), until_of(&looks[0]), until_of(&looks[1])];
        for (until, next) in until.into_iter().zip(&times) {
            assert!(until >= next.plus_seconds(20), "{until:?} {next:?}");
        }
        assert_eq!(until[2], end);
        let are_first = |command| {
            further_looks(now(), end, command).map(|look| matches!(look, Wake::LookAhead { is_first: true, .. }))
        };
        let id = command(Delivery::Shadow, None).id;
        assert_eq!((are_first(None), are_first(Some(&id))), ([false, false], [true, false]));
    }

    #[test]
    fn only_many_requests_that_end_soon_in_shadows_are_looked_at_again() {
        let of = |delivery, things, shards, ttl| {
            let mut command = command(delivery, None);
            command.definition.deadlines = Deadlines::new(Some(ttl), None, None).unwrap();
            looks_at_target(&command, things, DueShards::new(shards).unwrap(), now()).len()
        };
        let looks = |things, shards, ttl| of(Delivery::Shadow, things, shards, ttl);
        assert_eq!((looks(0..320, 64, 90), looks(300..321, 64, 90), looks(0..6, 1, 90)), (0, 2, 2));
        assert_eq!(looks(321..521, 64, 90), 0, "a page before has brought them");
        assert_eq!((looks(0..20_000, 64, 395), looks(0..20_000, 64, 396), looks(0..u64::MAX, 64, 1)), (2, 0, 2));
        let by = |delivery| of(delivery, 0..20_000, 64, 90);
        assert_eq!((by(Delivery::Auto), by(Delivery::Direct), by(Delivery::Topic)), (2, 0, 0));
    }

    #[test]
    fn message_for_the_work_of_another_look_comes_after_that_of_the_other_look() {
        let arrives = |seconds, is_first| {
            let entry = Entry { due: 1_700_000_040, place: 0 };
            EarlyStart { entries: entry..=entry, at: now().plus_seconds(seconds) }.arrives_at(now(), is_first)
        };
        for (own, is_first) in [(5, false), (24, false), (0, true), (4, true), (24, true)] {
            assert_eq!(arrives(own, is_first), now().plus_seconds(own), "{own} {is_first}");
        }
        for (of_other, is_first) in [(0, false), (4, false), (25, false), (25, true)] {
            assert_eq!(arrives(of_other, is_first), now().plus_seconds(of_other + 3), "{of_other} {is_first}");
        }
    }
}
