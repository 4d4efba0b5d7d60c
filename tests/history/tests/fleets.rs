//! Properties of fleet commands: who is asked, and how many.

use super::*;

const COMMAND: &str = "reboot";

/// A fleet command for `pump`, which has succeeded, with its counts.
fn fleet(counts: &[(&str, u64)]) -> History {
    let mut history = succeeded();
    history.images.iter_mut().for_each(|image| *image = with(image.clone(), "command_id", COMMAND));
    history.meant.insert(("pump".into(), COMMAND.into()));
    let counts = counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    history.counts.push(ShownCounts { command: COMMAND.into(), counts });
    history
}

#[test]
fn each_thing_of_a_command_has_an_execution_at_the_end() {
    let mut history = fleet(&[("total", 1), ("SUCCEEDED", 1)]);
    assert_eq!(violated(&history), []);
    history.meant.insert(("valve".into(), COMMAND.into()));
    assert_eq!(violated(&history), [Property::MeantIsAsked]);
    history.is_over = false;
    assert_eq!(violated(&history), [], "it may be asked later");
}

#[test]
fn counts_are_those_of_the_rows() {
    let of = |counts: &[(&str, u64)]| violated(&fleet(counts));
    assert_eq!(of(&[("total", 1), ("SUCCEEDED", 1), ("FAILED", 0), ("waiting", 0), ("notAsked", 0)]), []);
    assert_eq!(of(&[("total", 3), ("SUCCEEDED", 1), ("waiting", 1), ("notAsked", 1)]), []);
    for wrong in [
        &[("total", 2), ("SUCCEEDED", 1)][..],
        &[("total", 1), ("SUCCEEDED", 0), ("FAILED", 1)],
        &[("total", 2), ("SUCCEEDED", 2)],
        &[("total", 1), ("SUCCEEDED", 1), ("waiting", 1)],
        &[("total", 0)],
    ] {
        assert_eq!(of(wrong), [Property::CountsAreExact], "{wrong:?}");
    }
}
