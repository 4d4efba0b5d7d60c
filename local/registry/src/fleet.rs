//! Fleets for tests and demonstrations: many things at once, without a call of the API for each.

use super::Registry;
use super::error::Error;
use super::groups::CreateThingGroup;
use super::things::CreateThing;

/// Why a thing or a group was not added: what the API would have said.
#[derive(Debug, thiserror::Error)]
#[error("{name} was not added")]
pub struct NotAdded {
    name: String,
    source: Error,
}

impl Registry {
    /// Adds a group, below another one or as a root, as CreateThingGroup does; one that is there already stays.
    ///
    /// # Errors
    /// What the API would refuse: a bad name, a parent that is not there, a group of this name elsewhere.
    pub fn add_group(&self, group: &str, parent: Option<&str>) -> Result<(), NotAdded> {
        let request = CreateThingGroup::plain(group.to_owned(), parent.map(str::to_owned));
        self.write(|store, call| store.create_thing_group(call, request)).map_err(not_added(group))?;
        Ok(())
    }

    /// Adds things to a group, as CreateThing and AddThingToThingGroup do. Things that are there already stay as they
    /// are, and so does the group; one that is missing is made, as a root.
    ///
    /// # Errors
    /// The first thing that the API would refuse, by its name or for the other groups it is in. Those before it are added.
    pub fn add_things(&self, group: &str, things: &[impl AsRef<str>]) -> Result<(), NotAdded> {
        if self.read(|store, _| store.group(group).is_err()) {
            self.add_group(group, None)?;
        }
        let groups = [group.to_owned()];
        self.write(|store, call| {
            things.iter().map(AsRef::as_ref).try_for_each(|thing| {
                if !store.things.contains_key(thing) {
                    let request = CreateThing::plain(thing.to_owned());
                    store.create_thing(call, request).map_err(not_added(thing))?;
                }
                store.regroup(thing, &groups, &[]).map_err(not_added(thing))?;
                Ok(())
            })
        })
    }
}

fn not_added(name: &str) -> impl FnOnce(Error) -> NotAdded {
    |source| NotAdded { name: name.to_owned(), source }
}
