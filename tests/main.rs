//! The whole system.
fn main() {}
