//! A shadow message becomes the few bytes that a constrained device needs.
mod handler;
mod newest;

pub use handler::Trimmer;
