//! System tests: the real function binaries on the local stack, whose clock the tests move.

// The longest test by far starts first, because tests start in the order of their names: at the end it would run alone.
mod a_thousand_things;
mod auto_delivery;
mod bad_input;
mod bad_reports;
mod costs;
mod crash;
mod deadline;
mod dialects;
mod expiry;
mod fixtures;
mod fleet;
mod history;
mod idempotency;
mod journal_history;
mod lanes_at_once;
mod lifecycle;
mod once;
mod one_command;
mod openapi;
mod presence;
mod punctual;
mod raw;
mod reconcile;
mod record;
mod registry;
mod scripted_device;
mod sdk_transport;
mod shadow;
mod slow_writes;
mod table_condition;
mod ticks;
mod trimming;
mod wiring;
mod world;
