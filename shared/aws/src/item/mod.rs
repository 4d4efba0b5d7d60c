//! The items of the two tables: how values of `domain` are stored, and read back.
//!
//! | table | pk | sk | item |
//! |---|---|---|---|
//! | commands | `C#<command id>` | `META` | definition and control state of a command |
//! | commands | `C#<command id>` | `PLAN` | plan of a fleet command |
//! | commands | `C#<command id>` | `L#<digest>#<page>`, `X#<digest>#<page>` | listed and excluded names |
//! | commands | `C#<command id>` | `COUNT#<table>#<shard>` | counts from one shard of a stream |
//! | commands | `C#<command id>#<batch>` | `BATCH`, `THINGS` | progress and things of a batch |
//! | executions | `T#<thing>` | `E#<execution id>` | execution |
//! | executions | `T#<thing>` | `L#<lane>` | queue of a lane |
//! | executions | `T#<thing>` | `D#<command id>#<batch>` | a further batch that contains the thing |
//! | executions | `T#<thing>` | `RAW#<digest>` | the executions of the thing whose raw requests have the same bytes |
//! | executions | `T#<thing>` | `REPORTS` | the last reports of the thing that could not be used |
//! | executions | `R#<shard>` | `LEASE` | which run works through a shard of the due index |
//! | executions | `R#look-ahead` | `LEASE` | which function looks for what has to begin before its time |

mod attributes;
mod batch;
mod command;
mod control;
mod execution;
mod execution_reader;
mod key;
mod lane;
mod plan;
mod raw_requests;
mod target;
mod unusable_reports;

pub(crate) use attributes::{Item, Unreadable, millis, number, text};
pub(crate) use batch::{
    batch_from_item, batch_key, batch_of_key, batch_to_item, names_from_item, names_to_text, things_key,
};
pub(crate) use command::{command_from_item, command_to_item};
pub(crate) use control::control_attributes;
pub(crate) use execution::{command_of_duplicate, due_entry, duplicate_to_item, execution_to_item};
pub(crate) use execution_reader::execution_from_item;
pub(crate) use key::{command_key, command_of_key, due_at_of_key, execution_key, key_from_item, shown_key, thing_key};
pub(crate) use lane::{lane_from_item, lane_key};
pub(crate) use plan::{page_key, plan_from_item, plan_key, plan_to_item};
pub(crate) use raw_requests::{raw_requests_from_item, raw_requests_key, raw_requests_to_item, raw_requests_value};
pub(crate) use target::changed_rate_attributes;
pub(crate) use unusable_reports::{reports_from_item, reports_key, reports_to_item, reports_value};

#[cfg(test)]
mod tests;
