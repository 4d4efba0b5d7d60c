//! Selection of the route of a request: literal segments precede `{parameter}`, which precedes `{greedy+}`; a method
//! precedes `ANY`; `$default` is last.

use std::collections::BTreeMap;

use local_resources::Route;
use percent_encoding::percent_decode_str;

/// Parameter name to decoded value.
pub(super) type Parameters = BTreeMap<String, String>;

/// All routes, the most specific first.
pub(super) struct Routes(Vec<(Vec<Segment>, Route)>);

enum Segment {
    Literal(String),
    Parameter(String),
    Greedy(String),
    /// `$default`.
    Default,
}

impl Segment {
    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Parameter(_) => 1,
            Self::Greedy(_) => 2,
            Self::Default => 3,
        }
    }
}

impl Routes {
    pub fn new(routes: Vec<Route>) -> Self {
        let mut routes: Vec<_> = routes.into_iter().map(|route| (template(&route.path), route)).collect();
        routes.sort_by_key(|(segments, route)| {
            (segments.iter().map(Segment::rank).collect::<Vec<_>>(), route.method == "ANY")
        });
        Self(routes)
    }

    /// The most specific route of a request and its parameters; `path` is encoded and has no query.
    pub fn find(&self, method: &str, path: &str) -> Option<(&Route, Parameters)> {
        let path: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        self.0
            .iter()
            .filter(|(_, route)| route.method == "ANY" || route.method == method)
            .find_map(|(segments, route)| Some((route, match_segments(segments, &path)?)))
    }
}

fn template(path: &str) -> Vec<Segment> {
    if path == "$default" {
        return vec![Segment::Default];
    }
    let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) => match name.strip_suffix('+') {
            Some(name) => Segment::Greedy(name.to_owned()),
            None => Segment::Parameter(name.to_owned()),
        },
        None => Segment::Literal(text.to_owned()),
    };
    path.strip_prefix('/').unwrap_or(path).split('/').map(segment).collect()
}

fn match_segments(segments: &[Segment], path: &[&str]) -> Option<Parameters> {
    let mut parameters = Parameters::new();
    let mut rest = path.iter();
    for segment in segments {
        match segment {
            Segment::Literal(literal) => {
                if decoded(rest.next()?) != *literal {
                    return None;
                }
            }
            Segment::Parameter(name) => {
                let value = decoded(rest.next()?);
                if value.is_empty() {
                    return None;
                }
                parameters.insert(name.clone(), value);
            }
            Segment::Greedy(name) => {
                let value: Vec<_> = rest.by_ref().map(|segment| decoded(segment)).collect();
                if value.iter().all(String::is_empty) {
                    return None;
                }
                parameters.insert(name.clone(), value.join("/"));
            }
            Segment::Default => return Some(parameters),
        }
    }
    rest.next().is_none().then_some(parameters)
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn routes(routes: &[&str]) -> Routes {
        let route = |key: &&str| {
            let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
            Route { method: method.to_owned(), path: path.to_owned(), function_arn: String::new(), iam: false }
        };
        Routes::new(routes.iter().map(route).collect())
    }

    fn found(routes: &Routes, method: &str, path: &str) -> Option<String> {
        let (route, parameters) = routes.find(method, path)?;
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        Some(format!("{} {}{}", route.method, route.path, parameters.concat()))
    }

    #[test]
    fn the_most_specific_route_is_selected_in_any_order_of_declaration() {
        let mut keys = ["$default", "ANY /{proxy+}", "GET /things/{thing}", "GET /things/all", "ANY /things/{thing}"];
        for _ in 0..keys.len() {
            keys.rotate_left(1);
            let routes = routes(&keys);
            let found = |method, path| found(&routes, method, path).expect("a route");
            assert_eq!(found("GET", "/things/all"), "GET /things/all");
            assert_eq!(found("GET", "/things/a"), "GET /things/{thing} thing=a");
            assert_eq!(found("PUT", "/things/a"), "ANY /things/{thing} thing=a");
            assert_eq!(found("PUT", "/things/a/b"), "ANY /{proxy+} proxy=things/a/b");
            assert_eq!(found("GET", "/"), "ANY $default");
        }
    }

    #[test]
    fn a_path_is_matched_by_its_segments_and_its_parameters_are_decoded() {
        let routes = routes(&["GET /commands/{id}/executions/{thing}"]);
        assert_eq!(found(&routes, "POST", "/commands/1/executions/a"), None);
        let found = |path| found(&routes, "GET", path);
        let expected = "GET /commands/{id}/executions/{thing} id=1 thing=a/b c:d";
        assert_eq!(found("/commands/1/executions/a%2Fb%20c:d").as_deref(), Some(expected));
        assert_eq!(found("/commands/1/executions/a/"), None);
        assert_eq!(found("/commands/1/executions/"), None);
        assert_eq!(found("/commands/1/executions"), None);
        assert_eq!(found("/commands//executions/a"), None);
    }

    proptest! {
        #[test]
        fn no_path_panics(path in ".{0,40}") {
            let routes = routes(&["GET /a/{b}/{c+}", "$default"]);
            prop_assert!(routes.find("GET", &path).is_some());
        }
    }
}
