//! What must stay true of the repository itself: each invariant of ARCHITECTURE.md has a test here.

mod coverage;
mod documents;
mod invariants;
mod modules;
mod sequences;
mod size;
mod source;
mod template;
