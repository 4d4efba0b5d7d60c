//! Counts what becomes of a fleet command, exactly, and stops it when too much goes wrong.
mod consequences;
mod handler;

pub use handler::handle;
