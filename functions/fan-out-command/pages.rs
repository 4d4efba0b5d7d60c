//! Reads one page of a target: names that the command lists, the things of a group, or the result of a query.

use std::collections::HashSet;

use aws::{Error, List, Listed, Registry};
use domain::wake::looks::looks_at_target;
use domain::{Command, Fleet, Plan, Selection, Source, ThingName};

use super::planner::{Planner, StepOutcome};

/// Things in one page of a group: whole batches.
const GROUP_PAGE_THINGS: u16 = 200;

/// The outcome of reading a page.
enum PageOutcome {
    /// The names, and the token of the next page.
    Things(Vec<ThingName>, Option<String>),
    /// The source cannot be read, with the reason.
    Unreadable(String),
    /// The page token has expired.
    StaleToken,
}

impl Planner<'_> {
    /// Reads the page at the cursor, and stores its things as batches.
    pub async fn read_page(
        &self,
        command: &Command,
        fleet: &Fleet,
        plan: &Plan,
        source: Source<'_>,
    ) -> Result<StepOutcome, Error> {
        let next = match self.fetch_page(command, fleet, source, plan.cursor.token.as_deref()).await? {
            PageOutcome::Things(mut names, next_token) => {
                self.remove_excluded(command, &fleet.selection, &mut names).await?;
                let stored = self.store_batches(command, fleet, plan.batches, names).await?;
                let next = plan.page_read(stored.things, stored.next_batch, next_token, self.now());
                let shards = self.clients.executions.shards();
                let looks = looks_at_target(command, plan.things..next.things, shards, self.now());
                return self.write_with_wakes(next, &looks).await;
            }
            PageOutcome::Unreadable(why) => plan.skip_source(why, self.now()),
            PageOutcome::StaleToken => plan.restart_source(source, self.now()),
        };
        self.write(next).await
    }

    async fn fetch_page(
        &self,
        command: &Command,
        fleet: &Fleet,
        source: Source<'_>,
        token: Option<&str>,
    ) -> Result<PageOutcome, Error> {
        let listed = match source {
            Source::Listed(page) => {
                let digest = &fleet.selection.digest;
                let names = self.clients.fleets.list(&command.id, digest, List::Listed, page).await?;
                return Ok(PageOutcome::Things(names, None));
            }
            Source::Group(group) => self.registry.things_in_group(group, token, GROUP_PAGE_THINGS).await?,
            Source::Found(query) => self.registry.things_found(query, token, Registry::MAX_SEARCH_PAGE).await?,
        };
        Ok(match (listed, source) {
            (Listed::Page(page), _) => {
                if page.unusable > 0 {
                    let names = page.unusable;
                    tracing::error!(command = %command.id, names, "skipped names that are not names of things");
                }
                PageOutcome::Things(page.things, page.next)
            }
            (Listed::StaleToken, _) => PageOutcome::StaleToken,
            (Listed::NoSuchGroup, Source::Group(group)) => {
                PageOutcome::Unreadable(format!("there is no group {group}"))
            }
            (Listed::NoSuchGroup, _) => PageOutcome::Unreadable("there is no such group".to_owned()),
            (Listed::NoIndex(why), _) => PageOutcome::Unreadable(format!("the fleet index can't be searched: {why}")),
            (Listed::BadQuery(why), _) => PageOutcome::Unreadable(format!("the query does not parse: {why}")),
        })
    }

    /// Removes excluded and repeated names.
    async fn remove_excluded(
        &self,
        command: &Command,
        selection: &Selection,
        names: &mut Vec<ThingName>,
    ) -> Result<(), Error> {
        let excluded = self.excluded.get_or_try_init(|| self.read_excluded(command, selection)).await?;
        let mut known = HashSet::new();
        names.retain(|name| !excluded.contains(name) && known.insert(name.clone()));
        Ok(())
    }

    async fn read_excluded(&self, command: &Command, selection: &Selection) -> Result<HashSet<ThingName>, Error> {
        let mut excluded = HashSet::new();
        for page in 0..Selection::page_count(selection.excluded) {
            excluded.extend(self.clients.fleets.list(&command.id, &selection.digest, List::Excluded, page).await?);
        }
        Ok(excluded)
    }
}
