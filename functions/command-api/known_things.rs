//! Whether the registry has a thing. AWS IoT delivers to any client, also to one that is no thing, so an unknown thing
//! is only noted: it is most often a misspelt name, whose command would wait for its ttl without a word.

use domain::{Execution, ThingName};
use runtime::handler_error::chain;

use super::{context::ApiContext, problem::Problem};

/// The most listed things of a fleet command that `strict` looks up, one call each.
pub const MAX_STRICT_THINGS: usize = 100;

/// Refuses things that the registry does not have.
pub async fn require(context: &ApiContext, things: &[ThingName]) -> Result<(), Problem> {
    if things.len() > MAX_STRICT_THINGS {
        let found = things.len();
        let detail = format!(
            "strict looks up each listed thing, {MAX_STRICT_THINGS} at most: {found} are listed. Leave strict out, or name a thing group"
        );
        return Err(Problem::unprocessable("strict", detail));
    }
    for thing in things {
        if !context.registry.has_thing(thing).await? {
            return Err(Problem::unprocessable(
                "target.things",
                format!("{}: leave strict out to command it all the same", unknown(thing)),
            ));
        }
    }
    Ok(())
}

/// The note that the registry does not have the thing of an execution. A thing whose device has the request is not
/// looked up, and a registry that does not answer changes nothing.
pub async fn note(context: &ApiContext, execution: &Execution) -> Option<String> {
    if execution.is_received_or_ended() {
        return None;
    }
    let thing = &execution.key.thing;
    match context.registry.has_thing(thing).await {
        Ok(true) => None,
        Ok(false) => Some(unknown(thing)),
        Err(error) => {
            tracing::warn!(error = chain(&error), %thing, "whether a thing is in the registry is not known");
            None
        }
    }
}

fn unknown(thing: &ThingName) -> String {
    format!("the registry has no thing {thing}")
}
