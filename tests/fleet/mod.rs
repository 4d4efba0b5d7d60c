//! One command to many things.

mod memory;
mod one_fleet;
mod ten_thousand;
