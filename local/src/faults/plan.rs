//! Which call meets which fault.

use super::{Call, Fault};

pub(super) type Decide = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

#[derive(Default)]
pub(super) struct Plan {
    strikes: Vec<Strike>,
    pub(super) decide: Option<Decide>,
}

struct Strike {
    function: String,
    nth: u32,
    fault: Fault,
    /// Befalls every attempt.
    lasting: bool,
    /// The process and the invoke that it has befallen.
    met: Option<(u64, String)>,
}

impl Plan {
    pub(super) fn add(&mut self, function: &str, nth: u32, fault: Fault, lasting: bool) {
        self.strikes.push(Strike { function: function.to_owned(), nth, fault, lasting, met: None });
    }

    pub(super) fn pending(&self) -> usize {
        self.strikes.iter().filter(|strike| strike.met.is_none()).count()
    }

    pub(super) fn strike(&mut self, call: &Call) -> Option<Fault> {
        let position = self.strikes.iter().position(|strike| strike.befalls(call));
        let Some((position, strike)) = position.and_then(|at| Some((at, self.strikes.get_mut(at)?))) else {
            return self.decide.as_mut().and_then(|decide| decide(call));
        };
        let fault = strike.fault;
        if strike.lasting {
            strike.met = Some((call.process, call.invoke.clone()));
        } else {
            self.strikes.remove(position);
        }
        Some(fault)
    }
}

impl Strike {
    fn befalls(&self, call: &Call) -> bool {
        let here = self.function == call.function && self.nth == call.nth;
        here && match &self.met {
            None => true,
            Some((process, invoke)) => (*process, invoke) == (call.process, &call.invoke) && call.attempt > 1,
        }
    }
}
