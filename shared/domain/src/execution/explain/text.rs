//! The text of an explanation.

use super::{Explanation, Upcoming, WhatNext};
use crate::command::lane::LaneName;
use crate::status::Reason;
use crate::timestamp::Timestamp;

impl Explanation {
    /// The explanation as text. `show` formats an instant.
    pub fn text(&self, show: impl Fn(Timestamp) -> String) -> String {
        let next = self.next.as_ref().map(|next| next.text(show)).unwrap_or_default();
        let parts = [self.why.as_str(), self.still, &next];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

impl Upcoming {
    fn text(&self, show: impl Fn(Timestamp) -> String) -> String {
        let at = show(self.at);
        match &self.what {
            WhatNext::Send { attempt, max_attempts, maybe_sent } => {
                let which = (*max_attempts > 1).then(|| format!("ttempt {attempt} of {max_attempts}"));
                let subject = |initial: &str, it: &str| match &which {
                    Some(which) => format!("{initial}{which}"),
                    None => it.to_owned(),
                };
                if self.due {
                    format!("{} has been due since {at}.", subject("A", "It"))
                } else if *maybe_sent {
                    format!("Unless it is known by {at} that it went out, {} goes out again.", subject("a", "it"))
                } else {
                    format!("{} goes out at {at}.", subject("A", "It"))
                }
            }
            WhatNext::Retry { unless, attempt, max_attempts } => {
                format!("If {unless} by {at}, attempt {attempt} of {max_attempts} follows.")
            }
            WhatNext::GiveUp { unless, reason: Reason::Expired } => format!("If {unless}, it expires at {at}."),
            WhatNext::GiveUp { unless, reason } => format!("If {unless} by {at}, it is given up ({reason})."),
            WhatNext::End { unless, status } => {
                format!("If {unless} by {at}, it ends as its device ended the attempt before ({status}).")
            }
            WhatNext::CleanUp { clean_shadow, leave_lane } => {
                let shadow = clean_shadow.then(|| "withdrawn from its shadow".to_owned());
                let lane = leave_lane.as_ref().map(|lane| format!("taken out of {}", lane_text(lane)));
                let done = shadow.into_iter().chain(lane).collect::<Vec<_>>().join(" and ");
                if self.due { format!("It has yet to be {done}.") } else { format!("It is {done} at {at}.") }
            }
        }
    }
}

pub(super) fn lane_text(lane: &LaneName) -> String {
    match lane.as_str().strip_prefix('$') {
        None => format!("its lane {}", lane.as_str()),
        Some(_) => "the lane of its shadow".to_owned(),
    }
}
