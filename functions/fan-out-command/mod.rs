//! A fleet command becomes batches: its target is read a page at a time, and what is planned is released.
mod broadcast;
mod handler;
mod plan;
mod read;
mod release;
mod walk;

pub use handler::handle;
