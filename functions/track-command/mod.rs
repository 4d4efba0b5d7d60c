//! What a device reported becomes the execution's next status.
mod handler;
mod shadow;

pub use handler::handle;
