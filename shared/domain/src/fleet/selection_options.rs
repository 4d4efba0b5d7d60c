//! `SelectionOptions`: the target of a request as the caller wrote it, and its validation.

use std::collections::HashSet;
use std::hash::Hash;

use crate::fleet::query::{FleetQuery, FleetQueryError};
use crate::fleet::selection::Selection;
use crate::names::{GroupName, NameError, ThingName};

/// The members of a target, not validated. None: the caller left the member out.
#[derive(Clone, Debug, Default)]
pub struct SelectionOptions {
    /// Names of things.
    pub things: Option<Vec<String>>,
    /// Names of thing groups, each with its child groups.
    pub groups: Option<Vec<String>>,
    /// A query of the fleet index.
    pub query: Option<String>,
    /// Names of things that are excluded from all other members.
    pub exclude: Option<Vec<String>>,
}

/// The names of a selection, each once. They are stored in pages, apart from the command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectionNames {
    /// The listed things.
    pub things: Vec<ThingName>,
    /// The excluded things.
    pub excluded: Vec<ThingName>,
}

/// A target that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No thing, no group and no query.
    #[error("target must be an object such as {}", SelectionOptions::EXAMPLE)]
    Empty,
    /// All listed things are excluded, and there is no other source.
    #[error("target.exclude has every thing that target.things lists: nothing is left")]
    AllExcluded,
    /// A list of things is too long.
    #[error("{field} can list {max} things: it lists {found}. For more, name a thing group or a query")]
    TooManyThings {
        /// The member of the request.
        field: &'static str,
        /// The allowed number of names.
        max: usize,
        /// The given number of names.
        found: usize,
    },
    /// The list of groups is too long.
    #[error(
        "target.groups can name {} groups: it names {found}. A group counts as one, with all its child groups",
        Selection::MAX_GROUPS
    )]
    TooManyGroups {
        /// The given number of groups.
        found: usize,
    },
    /// A name is not valid.
    #[error("{error}")]
    Name {
        /// The member of the request.
        field: &'static str,
        /// Which limit the name breaks.
        error: NameError,
    },
    /// The query is not valid.
    #[error(transparent)]
    Query(#[from] FleetQueryError),
}

impl SelectionError {
    /// The member of the request that is wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Empty => "target",
            Self::AllExcluded => EXCLUDE,
            Self::TooManyThings { field, .. } | Self::Name { field, .. } => field,
            Self::TooManyGroups { .. } => GROUPS,
            Self::Query(_) => "target.query",
        }
    }
}

const THINGS: &str = "target.things";
const GROUPS: &str = "target.groups";
const EXCLUDE: &str = "target.exclude";

impl SelectionOptions {
    /// Targets as a request may write them, for error texts.
    pub const EXAMPLE: &str = r#"{"things": ["pump-7"]}, {"groups": ["pumps"]} or {"query": "attributes.model:p1"}"#;

    /// The thing of a target that is exactly one listed thing. Such a target is no fleet, unless the request has
    /// options that only a fleet command has.
    ///
    /// # Errors
    /// The name is not valid.
    pub fn single_thing(&self) -> Result<Option<ThingName>, SelectionError> {
        match (self.things.as_deref(), &self.groups, &self.query, &self.exclude) {
            (Some([name]), None, None, None) => name_of(THINGS, ThingName::parse(name)).map(Some),
            _ => Ok(None),
        }
    }

    /// Validates the target. Repeated names count once.
    ///
    /// # Errors
    /// A list is too long, a name or the query is not valid, or nothing is selected.
    pub fn validate(&self) -> Result<(Selection, SelectionNames), SelectionError> {
        let names = SelectionNames {
            things: things(THINGS, self.things.as_deref(), Selection::MAX_LISTED)?,
            excluded: things(EXCLUDE, self.exclude.as_deref(), Selection::MAX_EXCLUDED)?,
        };
        let groups = self.groups.as_deref().unwrap_or_default();
        if groups.len() > Selection::MAX_GROUPS {
            return Err(SelectionError::TooManyGroups { found: groups.len() });
        }
        let groups = distinct(groups, |name| name_of(GROUPS, GroupName::parse(name)))?;
        let query = self.query.as_deref().map(FleetQuery::parse).transpose()?;
        if names.things.is_empty() && groups.is_empty() && query.is_none() {
            return Err(SelectionError::Empty);
        }
        let excluded: HashSet<_> = names.excluded.iter().collect();
        if groups.is_empty() && query.is_none() && names.things.iter().all(|thing| excluded.contains(thing)) {
            return Err(SelectionError::AllExcluded);
        }
        Ok((Selection::new(&names.things, groups, query, &names.excluded), names))
    }
}

fn things(field: &'static str, names: Option<&[String]>, max: usize) -> Result<Vec<ThingName>, SelectionError> {
    let names = names.unwrap_or_default();
    if names.len() > max {
        return Err(SelectionError::TooManyThings { field, max, found: names.len() });
    }
    distinct(names, |name| name_of(field, ThingName::parse(name)))
}

/// Parses each name, and keeps the first of equal ones.
fn distinct<T: Clone + Eq + Hash>(
    names: &[String],
    parse: impl Fn(&str) -> Result<T, SelectionError>,
) -> Result<Vec<T>, SelectionError> {
    let mut known = HashSet::new();
    let mut parsed = Vec::new();
    for name in names {
        let name = parse(name)?;
        if known.insert(name.clone()) {
            parsed.push(name);
        }
    }
    Ok(parsed)
}

fn name_of<T>(field: &'static str, parsed: Result<T, NameError>) -> Result<T, SelectionError> {
    parsed.map_err(|error| SelectionError::Name { field, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn exactly_one_listed_thing_is_no_fleet() {
        let one = SelectionOptions { things: names(&["pump-7"]), ..SelectionOptions::default() };
        assert_eq!(one.single_thing(), Ok(ThingName::parse("pump-7").ok()));
        for fleet in [
            SelectionOptions { things: names(&["pump-7", "pump-8"]), ..SelectionOptions::default() },
            SelectionOptions { groups: names(&[]), ..one.clone() },
            SelectionOptions { query: Some("thingName:*".to_owned()), ..one.clone() },
            SelectionOptions { exclude: names(&[]), ..one.clone() },
            SelectionOptions::default(),
        ] {
            assert_eq!(fleet.single_thing(), Ok(None), "{fleet:?}");
        }
        let invalid = SelectionOptions { things: names(&["no/slash"]), ..SelectionOptions::default() };
        assert_eq!(invalid.single_thing().unwrap_err().field(), "target.things");
    }

    #[test]
    fn repeated_names_count_once_and_keep_their_order() {
        let options = SelectionOptions {
            things: names(&["b", "a", "b"]),
            groups: names(&["pumps", "pumps"]),
            exclude: names(&["a", "a"]),
            ..SelectionOptions::default()
        };
        let (selection, stored) = options.validate().unwrap();
        let listed: Vec<_> = stored.things.iter().map(ThingName::as_str).collect();
        assert_eq!((listed.as_slice(), stored.excluded.len()), (&["b", "a"][..], 1));
        assert_eq!((selection.listed, selection.groups.len(), selection.excluded), (2, 1, 1));
    }

    #[test]
    fn refused_targets_name_their_field_and_limit() {
        let many = |count: usize| Some((0..count).map(|n| format!("pump-{n}")).collect::<Vec<_>>());
        let groups = names(&["pumps"]);
        for (options, field, words) in [
            (SelectionOptions::default(), "target", "must be an object such as"),
            (SelectionOptions { exclude: names(&["a"]), ..SelectionOptions::default() }, "target", "must be an object"),
            (
                SelectionOptions { things: many(10_001), ..SelectionOptions::default() },
                "target.things",
                "target.things can list 10000 things: it lists 10001. For more, name a thing group or a query",
            ),
            (
                SelectionOptions { exclude: many(10_001), groups: groups.clone(), ..SelectionOptions::default() },
                "target.exclude",
                "10000",
            ),
            (
                SelectionOptions { groups: many(101), ..SelectionOptions::default() },
                "target.groups",
                "can name 100 groups: it names 101",
            ),
            (SelectionOptions { groups: names(&["a b"]), ..SelectionOptions::default() }, "target.groups", "' '"),
            (SelectionOptions { things: names(&["a", "b/c"]), ..SelectionOptions::default() }, "target.things", "'/'"),
            (
                SelectionOptions { exclude: names(&["#"]), groups, ..SelectionOptions::default() },
                "target.exclude",
                "'#'",
            ),
            (
                SelectionOptions { things: names(&["a", "b"]), exclude: names(&["b", "a", "c"]), ..Default::default() },
                "target.exclude",
                "nothing is left",
            ),
            (
                SelectionOptions { query: Some(" ".to_owned()), ..SelectionOptions::default() },
                "target.query",
                "not all blank",
            ),
        ] {
            let error = options.validate().unwrap_err();
            assert_eq!(error.field(), field, "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
