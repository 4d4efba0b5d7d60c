//! One command to many things.

mod one_fleet;
mod ten_thousand;
