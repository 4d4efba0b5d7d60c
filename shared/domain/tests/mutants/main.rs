//! Mutants: what the model check has to notice. Each is one small mistake in the crate's own code, and the suite `model` has to fail
//! on it. `cargo test -p domain --test mutants -- --ignored --nocapture` goes through all of them; that each still is a mistake in
//! this code is checked with all other tests.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, missing_docs)]

mod run;
mod table;

use table::Mutant;

#[test]
fn every_mutant_changes_one_place_of_the_code() {
    let mutants = Mutant::all();
    assert!(mutants.len() >= 20, "there are {}", mutants.len());
    for mutant in &mutants {
        let source = std::fs::read_to_string(run::crate_folder().join("src").join(&mutant.file)).unwrap();
        let found = source.matches(&mutant.was).count();
        assert_eq!(found, 1, "{}: {} has this {found} times:\n{}", mutant.breaks, mutant.file, mutant.was);
        assert_ne!(mutant.was, mutant.is, "{}", mutant.breaks);
    }
}

#[test]
#[ignore = "it builds the crate once for every mutant: some minutes"]
fn every_mutant_is_killed() {
    let only = std::env::var("MUTANT").unwrap_or_default();
    let nursery = run::Nursery::new();
    assert!(!only.is_empty() || nursery.survives(), "the model check fails without a mutant");
    let mut survivors = Vec::new();
    for mutant in Mutant::all().iter().filter(|mutant| mutant.breaks.contains(&only)) {
        let begun = std::time::Instant::now();
        let source = nursery.grow(mutant);
        let survives = nursery.survives();
        nursery.heal(mutant, &source);
        let seconds = begun.elapsed().as_secs();
        println!("{} {seconds:>3} s  {}", if survives { "SURVIVED" } else { "killed  " }, mutant.breaks);
        survivors.extend(survives.then_some(&mutant.breaks).cloned());
    }
    assert!(survivors.is_empty(), "the model check does not notice:\n{}", survivors.join("\n"));
}
