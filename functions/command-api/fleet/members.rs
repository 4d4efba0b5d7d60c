//! Who is in a target, asked of the registry: whether what is named is there, and, for a dry run, how many things that is.

use std::collections::HashSet;

use aws::{Listed, Registry, ThingPage};
use domain::{Fleet, Source, ThingName};

use super::Names;
use crate::{
    command_api::{handler::Site, problem::Problem},
    stopwatch::Stopwatch,
};

/// So many things are counted.
const MOST: usize = 20_000;

/// No page is asked for after so many seconds; API Gateway gives up at 30.
const PATIENCE: u32 = 15;

/// The things that a target means now.
#[derive(Debug, Default)]
pub struct Members {
    /// Some of them, or all.
    pub things: HashSet<ThingName>,
    /// The first of them, in the order in which they are found.
    pub sample: Vec<ThingName>,
    /// Whether those are all.
    pub complete: bool,
}

/// Sees that what is named is there, so that whoever names it is told, and not only the plan.
pub async fn look(site: &Site, fleet: &Fleet) -> Result<(), Problem> {
    for source in (0..).map_while(|n| fleet.selection.source(n)) {
        page(&site.registry, source, None, 1).await?;
    }
    Ok(())
}

/// Reads a target, as far as a request has time for that.
pub async fn read(site: &Site, fleet: &Fleet, names: &Names, since: Stopwatch) -> Result<Members, Problem> {
    let excluded: HashSet<_> = names.excluded.iter().collect();
    let mut members = Members::default();
    members.add(names.things.iter().cloned(), &excluded);
    for source in (0..).map_while(|n| fleet.selection.source(n)) {
        let mut token: Option<String> = None;
        loop {
            // The first page is read in any case, since it says whether the part is there at all.
            if token.is_some() && (members.things.len() >= MOST || since.seconds() >= PATIENCE) {
                return Ok(members);
            }
            let Some(found) = page(&site.registry, source, token.as_deref(), u16::MAX).await? else { break };
            members.add(found.things, &excluded);
            token = found.next;
            if token.is_none() {
                break;
            }
        }
    }
    members.complete = true;
    Ok(members)
}

impl Members {
    const SAMPLE: usize = 10;

    fn add(&mut self, things: impl IntoIterator<Item = ThingName>, excluded: &HashSet<&ThingName>) {
        for thing in things.into_iter().filter(|thing| !excluded.contains(thing)) {
            if self.sample.len() < Self::SAMPLE && !self.things.contains(&thing) {
                self.sample.push(thing.clone());
            }
            self.things.insert(thing);
        }
    }
}

/// A page of a part of a target; none of what is listed, which is no part of the registry.
async fn page(
    registry: &Registry,
    source: Source<'_>,
    token: Option<&str>,
    most: u16,
) -> Result<Option<ThingPage>, Problem> {
    let listed = match source {
        Source::Listed(_) => return Ok(None),
        Source::Group(group) => registry.things_in_group(group, token, most).await?,
        Source::Found(query) => registry.things_found(query, token, most).await?,
    };
    let refused = |field: &str, why: String| Err(Problem::unprocessable(field, why));
    match (listed, source) {
        (Listed::Page(page), _) => Ok(Some(page)),
        (Listed::NoSuchGroup, Source::Group(group)) => {
            refused("target.groups", format!("there is no thing group {group}: name one that is in the registry"))
        }
        (Listed::NoSuchGroup, _) => refused("target.groups", "there is no such thing group".to_owned()),
        (Listed::BadQuery(why), _) => refused(
            "target.query",
            format!("the query does not parse: {why}. One that does is \"attributes.model:p1\""),
        ),
        (Listed::NoIndex(why), _) => refused(
            "target.query",
            format!("a query needs fleet indexing, and there is no index to search: {why}. Name a thing group instead"),
        ),
        // Its pages are read one right after the other: the registry has changed below them.
        (Listed::StaleToken, _) => Err(Problem::later("the registry is changing: try the same again")),
    }
}
