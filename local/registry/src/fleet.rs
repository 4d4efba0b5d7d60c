//! Bulk creation of things and groups for tests and the demo, without one API request for each.

use super::Registry;
use super::error::Error;
use super::groups::CreateThingGroup;
use super::things::CreateThing;

/// A thing or group was not added; the source is the error that the API would return.
#[derive(Debug, thiserror::Error)]
#[error("cannot add {name} to the registry")]
pub struct AddError {
    name: String,
    source: Error,
}

impl Registry {
    /// Adds a group, as a child of `parent` or as a root, with the rules of `CreateThingGroup`. An existing group with
    /// the same parent is kept.
    ///
    /// # Errors
    /// The name is invalid, the parent does not exist, or a group of this name exists with another parent.
    pub fn add_group(&self, group: &str, parent: Option<&str>) -> Result<(), AddError> {
        let request = CreateThingGroup::plain(group.to_owned(), parent.map(str::to_owned));
        self.write(|store, context| store.create_thing_group(context, request)).map_err(add_error(group))?;
        Ok(())
    }

    /// Adds things to a group, with the rules of `CreateThing` and `AddThingToThingGroup`. Existing things and groups
    /// are kept; a missing group is created as a root.
    ///
    /// # Errors
    /// A thing has an invalid name, or is in a conflicting group. The things before it have been added.
    pub fn add_things(&self, group: &str, things: &[impl AsRef<str>]) -> Result<(), AddError> {
        if self.read(|store, _| store.group(group).is_err()) {
            self.add_group(group, None)?;
        }
        let groups = [group.to_owned()];
        self.write(|store, context| {
            things.iter().map(AsRef::as_ref).try_for_each(|thing| {
                if !store.things.contains_key(thing) {
                    let request = CreateThing::plain(thing.to_owned());
                    store.create_thing(context, request).map_err(add_error(thing))?;
                }
                store.change_groups(thing, &groups, &[]).map_err(add_error(thing))?;
                Ok(())
            })
        })
    }
}

fn add_error(name: &str) -> impl FnOnce(Error) -> AddError {
    |source| AddError { name: name.to_owned(), source }
}
