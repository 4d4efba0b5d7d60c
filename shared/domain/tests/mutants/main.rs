//! Mutants: what the model check has to notice. Each is one small mistake in the crate's own code, and the suite `model` has to fail
//! on it. `cargo test -p domain --test mutants -- --ignored --nocapture` goes through all of them; that each still is a mistake in
//! this code is checked with all other tests.
//!
//! `MUTANT=<words> cargo test ...` goes only through those that have these words in their name.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, missing_docs)]

mod nursery;
mod run;
mod table;

use std::{
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use table::Mutant;

#[test]
fn every_mutant_changes_one_place_of_the_code() {
    let mutants = Mutant::all();
    assert!(mutants.len() >= 20, "there are {}", mutants.len());
    for mutant in &mutants {
        let source = std::fs::read_to_string(nursery::crate_folder().join("src").join(&mutant.file)).unwrap();
        let found = source.matches(&mutant.was).count();
        assert_eq!(found, 1, "{}: {} has this {found} times:\n{}", mutant.breaks, mutant.file, mutant.was);
        assert_ne!(mutant.was, mutant.is, "{}", mutant.breaks);
    }
}

#[test]
#[ignore = "it goes through the model once for every mutant: some minutes"]
fn every_mutant_is_killed() {
    let only = std::env::var("MUTANT").unwrap_or_default();
    let mutants = Mutant::all();
    let begun = Instant::now();
    let test = &nursery::build(&mutants);
    println!("built in {} s", begun.elapsed().as_secs());
    // The quick ones first: most mistakes show there.
    let mut checks: Vec<(Duration, String)> = run::checks(test)
        .into_iter()
        .map(|check| {
            let begun = Instant::now();
            assert!(!only.is_empty() || run::passes(test, &check, 0), "{check} fails without a mutant");
            (begun.elapsed(), check)
        })
        .collect();
    checks.sort_unstable();
    println!("without a mutant: all pass, {} s from the beginning", begun.elapsed().as_secs());
    let chosen: Vec<_> = (1..).zip(&mutants).filter(|(_, mutant)| mutant.breaks.contains(&only)).collect();
    let (left, survivors) = (Mutex::new(chosen.iter()), Mutex::new(Vec::new()));
    let work = || {
        while let Some((number, mutant)) = { left.lock().unwrap().next() } {
            let begun = Instant::now();
            let noticed = checks.iter().find(|(_, check)| !run::passes(test, check, *number));
            let seconds = begun.elapsed().as_secs();
            match noticed {
                Some((_, check)) => println!("killed   {seconds:>3} s  {}  ({check})", mutant.breaks),
                None => {
                    println!("SURVIVED {seconds:>3} s  {}", mutant.breaks);
                    survivors.lock().unwrap().push(mutant.breaks.as_str());
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    println!("{} mutants, {} s", chosen.len(), begun.elapsed().as_secs());
    let survivors = survivors.into_inner().unwrap();
    assert!(survivors.is_empty(), "the model check does not notice:\n{}", survivors.join("\n"));
}
