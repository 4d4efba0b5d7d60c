//! Reads from the registry which things a target selects: to check that its sources exist, and for the count of a dry
//! run.

use std::collections::HashSet;

use aws::{Listed, Registry, ThingPage};
use domain::{Fleet, Source, ThingName, fleet::SelectionNames};
use runtime::event_clock::EventClock;

use crate::command_api::{context::ApiContext, problem::Problem};

/// Things that are counted at most.
const MAX_COUNTED_THINGS: usize = 20_000;

/// After this time no further page is read. API Gateway gives up after 30 seconds.
const READ_CUTOFF_SECONDS: u32 = 15;

/// The things that a target selects at the time of the request.
#[derive(Debug, Default)]
pub struct Members {
    /// The things, or as many as were read.
    pub things: HashSet<ThingName>,
    /// The first things, in the order in which they were read.
    pub sample: Vec<ThingName>,
    /// Whether `things` has all of them.
    pub complete: bool,
}

/// Checks that each group and query of the target exists: the caller gets the error, and not only a note in the plan.
pub async fn check_sources(context: &ApiContext, fleet: &Fleet) -> Result<(), Problem> {
    for source in (0..).map_while(|number| fleet.selection.source(number)) {
        read_page(&context.registry, source, None, 1).await?;
    }
    Ok(())
}

/// Reads the things of a target, as many as the time of a request allows. `clock` was started with the request.
pub async fn read(
    context: &ApiContext,
    fleet: &Fleet,
    names: &SelectionNames,
    clock: EventClock,
) -> Result<Members, Problem> {
    let excluded: HashSet<_> = names.excluded.iter().collect();
    let mut members = Members::default();
    members.add(names.things.iter().cloned(), &excluded);
    for source in (0..).map_while(|number| fleet.selection.source(number)) {
        let mut token: Option<String> = None;
        loop {
            // The first page of each source is always read, since it shows whether the source exists.
            let is_over = members.things.len() >= MAX_COUNTED_THINGS || clock.elapsed_seconds() >= READ_CUTOFF_SECONDS;
            if token.is_some() && is_over {
                return Ok(members);
            }
            let Some(page) = read_page(&context.registry, source, token.as_deref(), u16::MAX).await? else { break };
            members.add(page.things, &excluded);
            token = page.next;
            if token.is_none() {
                break;
            }
        }
    }
    members.complete = true;
    Ok(members)
}

impl Members {
    const SAMPLE_SIZE: usize = 10;

    fn add(&mut self, things: impl IntoIterator<Item = ThingName>, excluded: &HashSet<&ThingName>) {
        for thing in things.into_iter().filter(|thing| !excluded.contains(thing)) {
            if self.sample.len() < Self::SAMPLE_SIZE && !self.things.contains(&thing) {
                self.sample.push(thing.clone());
            }
            self.things.insert(thing);
        }
    }
}

/// Reads a page of a group or a query; none for the listed names, which are not in the registry.
async fn read_page(
    registry: &Registry,
    source: Source<'_>,
    token: Option<&str>,
    max_things: u16,
) -> Result<Option<ThingPage>, Problem> {
    let listed = match source {
        Source::Listed(_) => return Ok(None),
        Source::Group(group) => registry.things_in_group(group, token, max_things).await?,
        Source::Found(query) => registry.things_found(query, token, max_things).await?,
    };
    match (listed, source) {
        (Listed::Page(page), _) => Ok(Some(page)),
        (Listed::NoSuchGroup, Source::Group(group)) => {
            let detail = format!("there is no thing group {group}: name one that is in the registry");
            Err(Problem::unprocessable("target.groups", detail))
        }
        (Listed::NoSuchGroup, _) => Err(Problem::unprocessable("target.groups", "there is no such thing group")),
        (Listed::BadQuery(why), _) => {
            let detail = format!("the query does not parse: {why}. A valid query is \"attributes.model:p1\"");
            Err(Problem::unprocessable("target.query", detail))
        }
        (Listed::NoIndex(why), _) => {
            let detail = format!(
                "a query needs fleet indexing, and there is no index to search: {why}. Name a thing group instead"
            );
            Err(Problem::unprocessable("target.query", detail))
        }
        // Pages are read in one go, so a token that is stale already means that the registry has just changed.
        (Listed::StaleToken, _) => Err(Problem::unavailable("the registry is changing: send the same request again")),
    }
}
