//! The whole system, as a device and an operator see it.

mod wiring;
