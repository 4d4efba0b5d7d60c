//! A command to a fleet: which things it is for.

mod query;

pub use query::{FleetQuery, FleetQueryError};
