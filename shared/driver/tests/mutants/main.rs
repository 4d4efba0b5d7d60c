//! Mutants: small mistakes in the decisions of `domain` and in the sequences of `driver`, each of which must fail the
//! checks of the suite `model`.
//!
//! `cargo test --test mutants -- --ignored --nocapture` runs the checks with each mutant; `MUTANT=<words>|<words>`
//! only with those whose description contains one of these words. That each mutant still matches the code is always
//! tested.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, missing_docs)]

mod mutated_crate;
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
    assert!(mutants.len() >= 20, "there are {} mutants", mutants.len());
    let mut wrong = String::new();
    for Mutant { description, package, file, original, mutated, .. } in &mutants {
        let source = std::fs::read_to_string(mutated_crate::folder(package).join("src").join(file)).unwrap_or_default();
        let found = source.matches(original).count();
        if found != 1 || original == mutated {
            wrong += &format!("{description}: {package}/{file} contains this {found} times:\n{original}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
#[ignore = "it runs the model for every mutant, which takes minutes"]
fn every_mutant_is_killed() {
    let filter = std::env::var("MUTANT").unwrap_or_default();
    let mutants = Mutant::all();
    let start = Instant::now();
    let test = &mutated_crate::build(&mutants);
    println!("built in {} s", start.elapsed().as_secs());
    // The fastest checks first: they kill most mutants.
    let mut checks: Vec<(Duration, String)> = run::checks(test)
        .into_iter()
        .map(|check| {
            let start = Instant::now();
            assert!(!filter.is_empty() || run::passes(test, &check, 0), "{check} fails without a mutant");
            (start.elapsed(), check)
        })
        .collect();
    checks.sort_unstable();
    println!("without a mutant: all checks pass, {} s since the start", start.elapsed().as_secs());
    let is_chosen = |mutant: &Mutant| filter.split('|').any(|words| mutant.description.contains(words));
    let chosen: Vec<_> = (1..).zip(&mutants).filter(|(_, mutant)| is_chosen(mutant)).collect();
    let (left, survivors) = (Mutex::new(chosen.iter()), Mutex::new(Vec::new()));
    let work = || {
        while let Some((number, mutant)) = { left.lock().unwrap().next() } {
            let start = Instant::now();
            let (first, others): (Vec<_>, Vec<_>) =
                checks.iter().partition(|(_, check)| Some(check) == mutant.check.as_ref());
            let killer = first.iter().chain(&others).find(|(_, check)| !run::passes(test, check, *number));
            let seconds = start.elapsed().as_secs();
            match killer {
                Some((_, check)) => println!("killed   {seconds:>3} s  {}  ({check})", mutant.description),
                None => {
                    println!("SURVIVED {seconds:>3} s  {}", mutant.description);
                    survivors.lock().unwrap().push(mutant.description.as_str());
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    println!("{} mutants, {} s", chosen.len(), start.elapsed().as_secs());
    let survivors = survivors.into_inner().unwrap();
    assert!(survivors.is_empty(), "no check of the model fails with these mutants:\n{}", survivors.join("\n"));
}
