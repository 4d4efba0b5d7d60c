//! A fleet command becomes batches: its target is read a page at a time, and what is planned is released.
mod handler;
mod plan;
mod read;
mod walk;

pub use handler::handle;
