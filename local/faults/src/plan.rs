//! Which call gets which fault.

use super::{Call, Fault};

pub(super) type Decide = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

#[derive(Default)]
pub(super) struct Plan {
    faults: Vec<Planned>,
    pub(super) decide: Option<Decide>,
}

struct Planned {
    function: String,
    nth: u32,
    fault: Fault,
    /// Whether every attempt gets the fault.
    persistent: bool,
    /// The process and the invoke that got the fault.
    used_by: Option<(u64, String)>,
}

impl Plan {
    pub(super) fn add(&mut self, function: &str, nth: u32, fault: Fault, persistent: bool) {
        self.faults.push(Planned { function: function.to_owned(), nth, fault, persistent, used_by: None });
    }

    pub(super) fn pending(&self) -> usize {
        self.faults.iter().filter(|planned| planned.used_by.is_none()).count()
    }

    pub(super) fn take_fault(&mut self, call: &Call) -> Option<Fault> {
        let position = self.faults.iter().position(|planned| planned.applies_to(call));
        let Some((position, planned)) = position.and_then(|at| Some((at, self.faults.get_mut(at)?))) else {
            return self.decide.as_mut().and_then(|decide| decide(call));
        };
        let fault = planned.fault;
        if planned.persistent {
            planned.used_by = Some((call.process, call.invoke.clone()));
        } else {
            self.faults.remove(position);
        }
        Some(fault)
    }
}

impl Planned {
    fn applies_to(&self, call: &Call) -> bool {
        let is_same_call = self.function == call.function && self.nth == call.nth;
        is_same_call
            && match &self.used_by {
                None => true,
                Some((process, invoke)) => (*process, invoke) == (call.process, &call.invoke) && call.attempt > 1,
            }
    }
}
