//! What a device said is in the row, and the row says nothing that no device said.

use super::{History, Image, Violation, Word};

pub(super) fn check(history: &History) -> Vec<Violation> {
    let rows = history.by_row();
    let mut found = Vec::new();
    for word in history.words.iter().filter(|word| is_owed(history, word)) {
        let images = rows.get(&(word.thing.as_str(), word.execution.as_str()));
        let last = images.and_then(|images| images.last());
        if let Some(last) = last.filter(|last| !holds(last, word)) {
            let said = format!("attempt {} {} at {}", word.attempt, word.said.status(), word.at_ms);
            found.push(Violation::of("unheard", format!("its device said {said}, and the row says {}", last.show())));
        }
    }
    for images in rows.values() {
        let mut before: Option<&Image> = None;
        for image in images {
            if image.is_hard() && before.is_none_or(|before| before.progress() != image.progress()) {
                found.extend(made_up(history, image));
            }
            before = Some(image);
        }
    }
    found
}

/// Whether the row has to show this word in the end: a hard one, that said what it is about.
fn is_owed(history: &History, word: &Word) -> bool {
    history.is_over && word.named && !word.failed && word.said != super::Said::InProgress
}

fn holds(last: &Image, word: &Word) -> bool {
    let (attempt, rank, _) = last.progress();
    match word.said {
        // Its device's first word about its end is final.
        super::Said::Succeeded => rank >= 12,
        _ => rank == 15 || attempt > word.attempt || (attempt == word.attempt && rank == 12),
    }
}

/// A word in the row that its device has not said by then.
fn made_up(history: &History, image: &Image) -> Option<Violation> {
    let said = history.words.iter().any(|word| {
        // A word that names nothing may be about anything at its thing.
        let about = !word.named || word.execution == image.execution;
        about && word.thing == image.thing && word.at_ms <= image.at_ms && word.said.status() == image.status()
    });
    (!said).then(|| Violation::of("untrue", format!("no device has said so: {}", image.show())))
}
