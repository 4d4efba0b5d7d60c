//! `cargo run -p local`: serves the stack, or shows it off.
fn main() {}
