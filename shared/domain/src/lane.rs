//! Lanes: commands to one thing that go out one after the other.

use crate::{ExecutionId, ShadowName};

/// The lane of an execution, and what its failure means to those behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lane {
    /// Which, of its thing.
    pub name: LaneName,
    /// What happens to those behind it when it does not succeed.
    pub on_failure: OnFailure,
}

/// The name of a lane: 1 to 64 characters of `a-z`, `A-Z`, `0-9`, `:`, `.`, `_` and `-`. The lane of a shadow that takes one
/// command at a time has a name that no caller can give.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneName(String);

/// What happens to those behind an execution that did not succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// They are called off: each of them may rely on the one before.
    #[default]
    Stop,
    /// The next one goes out.
    Skip,
}

impl LaneName {
    /// The lane of the classic shadow of a thing whose device takes one command at a time.
    pub fn of_commands() -> Self {
        Self("$commands".to_owned())
    }

    /// The lane of what a shadow's device is wished to be. Nobody waits in it: a newer wish takes the place of an older one for
    /// the same attributes, and others do not mind.
    pub fn of_state(shadow: Option<&ShadowName>) -> Self {
        Self(shadow.map_or_else(|| "$state".to_owned(), |shadow| format!("$state/{shadow}")))
    }

    /// The name, if it is one.
    pub fn parse(name: &str) -> Result<Self, crate::NameError> {
        crate::names::lane(name).map(Self)
    }

    /// The name as it was stored.
    pub fn from_stored(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nobody waits in it.
    pub fn is_of_state(&self) -> bool {
        self.0.starts_with("$state")
    }
}

impl OnFailure {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Skip => "skip",
        }
    }

    /// The one that this word says.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "stop" => Some(Self::Stop),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }
}

/// Who is in a lane, in order: the first is under way, the others wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Queue {
    /// In the order in which they came.
    pub ids: Vec<ExecutionId>,
}

impl Queue {
    /// More than these do not fit: whoever sends faster than a thing can do has to hear of it.
    pub const LONGEST: usize = 100;

    /// The one that is under way, or may be.
    pub fn head(&self) -> Option<&ExecutionId> {
        self.ids.first()
    }

    /// The queue after this one has joined it; none if it is in it, or there is no room.
    pub fn joined(&self, id: &ExecutionId) -> Option<Self> {
        let fits = !self.ids.contains(id) && self.ids.len() < Self::LONGEST;
        fits.then(|| Self { ids: self.ids.iter().chain([id]).cloned().collect() })
    }

    /// The queue after this one has left it; none if it is not in it.
    pub fn left(&self, id: &ExecutionId) -> Option<Self> {
        let ids: Vec<_> = self.ids.iter().filter(|other| *other != id).cloned().collect();
        (ids.len() < self.ids.len()).then_some(Self { ids })
    }

    /// Those who came after this one.
    pub fn behind(&self, id: &ExecutionId) -> &[ExecutionId] {
        match self.ids.iter().position(|other| other == id) {
            Some(at) => self.ids.get(at + 1..).unwrap_or_default(),
            None => &[],
        }
    }

    /// Those who came before this one; everyone if it is not in it.
    pub fn before(&self, id: &ExecutionId) -> &[ExecutionId] {
        let at = self.ids.iter().position(|other| other == id).unwrap_or(self.ids.len());
        self.ids.get(..at).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: char) -> ExecutionId {
        ExecutionId::parse(&n.to_string().repeat(26)).unwrap()
    }

    #[test]
    fn a_lane_keeps_its_order() {
        let queue = ['a', 'b', 'c'].iter().fold(Queue::default(), |queue, n| queue.joined(&id(*n)).unwrap());
        assert_eq!(queue.head(), Some(&id('a')));
        assert_eq!(queue.joined(&id('b')), None, "twice is once");
        assert_eq!((queue.before(&id('b')), queue.behind(&id('b'))), (&[id('a')][..], &[id('c')][..]));
        assert_eq!((queue.before(&id('z')).len(), queue.behind(&id('z')).len()), (3, 0));
        let without = queue.left(&id('a')).unwrap();
        assert_eq!(without.head(), Some(&id('b')));
        assert_eq!(without.left(&id('a')), None);
    }

    #[test]
    fn a_lane_has_an_end() {
        let mut queue = Queue::default();
        for n in 0..Queue::LONGEST {
            let command = crate::CommandId::from_request(crate::Timestamp::default(), &n.to_string());
            let thing = crate::ThingName::parse("pump-7").unwrap();
            queue = queue.joined(&ExecutionId::of(&command, &thing)).unwrap();
        }
        assert_eq!(queue.joined(&id('a')), None);
    }

    #[test]
    fn no_caller_can_name_the_lane_of_a_shadow() {
        let shadow = ShadowName::parse("config").unwrap();
        for lane in [LaneName::of_commands(), LaneName::of_state(None), LaneName::of_state(Some(&shadow))] {
            assert!(LaneName::parse(lane.as_str()).is_err());
        }
        assert!(LaneName::of_state(None).is_of_state() && !LaneName::of_commands().is_of_state());
        assert!(LaneName::parse("valve.7").is_ok());
        assert!(LaneName::parse("").is_err());
        assert!(LaneName::parse("#").is_err());
    }
}
