//! One page of a target becomes batches. Whoever reads the same page again finds what he has written, and changes nothing; where the page
//! has changed meanwhile, what is new in it goes into batches behind.

use std::collections::HashSet;

use aws::{Error, List, Listed, Put, Registry};
use domain::{Batch, BatchNumber, Command, Fleet, Plan, Selection, Source, ThingName};

use super::plan::{Planner, Stepped};

/// What a page came to.
enum Page {
    /// These things, and where it goes on.
    Things(Vec<ThingName>, Option<String>),
    /// It can't be read, now or ever.
    Unreadable(String),
    /// It has to be read from the beginning.
    Again,
}

impl Planner<'_> {
    /// Reads the next page, if there is one.
    pub async fn read(&self, command: &Command, plan: &Plan) -> Result<Stepped, Error> {
        let Some(fleet) = command.definition.target.fleet() else { return Ok(Stepped::Done) };
        let Some(source) = fleet.selection.source(plan.cursor.source) else {
            return self.complete(command, plan).await;
        };
        match self.page(command, fleet, source, plan.cursor.token.as_deref()).await? {
            Page::Things(mut names, next) => {
                self.leave_out(command, &fleet.selection, &mut names).await?;
                let (things, batches) = self.store(command, plan.batches, names).await?;
                self.write(plan.read(things, batches, next, self.time())).await
            }
            Page::Unreadable(why) => self.write(plan.passed_over(why, self.time())).await,
            Page::Again => match plan.begun_again(self.time()) {
                Some(again) => self.write(again).await,
                None => {
                    let why = format!("{source} could not be read to its end: its pages expire too fast");
                    self.write(plan.passed_over(why, self.time())).await
                }
            },
        }
    }

    async fn page(
        &self,
        command: &Command,
        fleet: &Fleet,
        source: Source<'_>,
        token: Option<&str>,
    ) -> Result<Page, Error> {
        let listed = match source {
            Source::Listed(page) => {
                let digest = &fleet.selection.digest;
                return Ok(Page::Things(self.cloud.fleets.list(&command.id, digest, List::Listed, page).await?, None));
            }
            // As many as fill whole batches.
            Source::Group(group) => self.registry.things_in_group(group, token, 200).await?,
            Source::Found(query) => self.registry.things_found(query, token, Registry::MOST_FOUND).await?,
        };
        Ok(match (listed, source) {
            (Listed::Page(page), _) => {
                if page.unusable > 0 {
                    tracing::error!(command = %command.id, names = page.unusable, "names that no thing can have were passed over");
                }
                Page::Things(page.things, page.next)
            }
            (Listed::StaleToken, _) => Page::Again,
            (Listed::NoSuchGroup, Source::Group(group)) => Page::Unreadable(format!("there is no group {group}")),
            (Listed::NoSuchGroup, _) => Page::Unreadable("there is no such group".to_owned()),
            (Listed::NoIndex(why), _) => Page::Unreadable(format!("the fleet index can't be searched: {why}")),
            (Listed::BadQuery(why), _) => Page::Unreadable(format!("the query does not parse: {why}")),
        })
    }

    /// Takes out what is excluded, and what comes twice.
    async fn leave_out(
        &self,
        command: &Command,
        selection: &Selection,
        names: &mut Vec<ThingName>,
    ) -> Result<(), Error> {
        let excluded = self.excluded.get_or_try_init(|| self.excluded(command, selection)).await?;
        let mut known = HashSet::new();
        names.retain(|name| !excluded.contains(name) && known.insert(name.clone()));
        Ok(())
    }

    async fn excluded(&self, command: &Command, selection: &Selection) -> Result<HashSet<ThingName>, Error> {
        let mut excluded = HashSet::new();
        for page in 0..Selection::pages(selection.excluded) {
            excluded.extend(self.cloud.fleets.list(&command.id, &selection.digest, List::Excluded, page).await?);
        }
        Ok(excluded)
    }

    /// Stores batches from this number on; how many things are in them, and the number after the last.
    async fn store(
        &self,
        command: &Command,
        first: BatchNumber,
        mut names: Vec<ThingName>,
    ) -> Result<(u64, BatchNumber), Error> {
        let (mut stored, mut number) = (0, first);
        while !names.is_empty() {
            let rest = names.split_off(names.len().min(Batch::LARGEST));
            match self.cloud.fleets.put_things(&command.id, number, &names, command.purge_at()).await? {
                Put::Stored => names = self.put_batch(command, number, names, rest, &mut stored).await?,
                Put::Exists(there) => {
                    // Whoever read this page before has put them there.
                    let known: HashSet<_> = there.iter().cloned().collect();
                    let new = names.into_iter().chain(rest).filter(|name| !known.contains(name)).collect();
                    names = self.put_batch(command, number, *there, new, &mut stored).await?;
                }
            }
            number = number.saturating_add(1);
        }
        Ok((stored, number))
    }

    async fn put_batch(
        &self,
        command: &Command,
        number: BatchNumber,
        things: Vec<ThingName>,
        rest: Vec<ThingName>,
        stored: &mut u64,
    ) -> Result<Vec<ThingName>, Error> {
        let count = u16::try_from(things.len()).unwrap_or(u16::MAX);
        let at_once = command.definition.target.fleet().is_some_and(Fleet::is_immediate);
        self.cloud.fleets.put_batch(&Batch::new(command, number, count, at_once, self.time())).await?;
        *stored += u64::from(count);
        Ok(rest)
    }

    /// All has been read. Someone who read the last page too may have stored more of it than is known: that counts as well.
    async fn complete(&self, command: &Command, plan: &Plan) -> Result<Stepped, Error> {
        match self.cloud.fleets.things(&command.id, plan.batches).await? {
            None => self.write(plan.completed()).await,
            Some(there) => {
                let mut stored = 0;
                self.put_batch(command, plan.batches, there, Vec::new(), &mut stored).await?;
                self.write(plan.found(stored, self.time())).await
            }
        }
    }
}
