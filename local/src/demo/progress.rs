//! What a person sees while the demo runs: a bar on a terminal, lines otherwise.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use super::api::Standing;
use super::board::Board;

const REDRAW: Duration = Duration::from_millis(100);
/// A log needs no more than this.
const LINE_EVERY: u32 = 10;

/// Says what happens, and shows how far it has come.
pub(super) struct Progress {
    bar: ProgressBar,
    drawing: JoinHandle<()>,
}

impl Progress {
    pub fn start(board: Arc<Board>, total: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        // A template that were wrong would be seen at once.
        let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} ended  {elapsed}\n  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target).with_style(style);
        let drawing = tokio::spawn(draw(bar.clone(), board, terminal));
        Self { bar, drawing }
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        if self.bar.is_hidden() { println!("{line}") } else { self.bar.println(line) }
    }

    pub fn finish(self) {
        self.drawing.abort();
        self.bar.finish_and_clear();
    }
}

async fn draw(bar: ProgressBar, board: Arc<Board>, terminal: bool) {
    let mut every = tokio::time::interval(REDRAW);
    let mut said = String::new();
    for n in 0u32.. {
        every.tick().await;
        let Standing { state, counts } = board.standing();
        if state.is_empty() {
            continue;
        }
        let (ended, now) = (counts.ended(), format!("{state}: {}", counts.summary()));
        bar.set_position(ended);
        if terminal {
            bar.set_message(now);
        } else if n.is_multiple_of(LINE_EVERY) && now != said {
            println!("  {ended}/{} ended, {now}", bar.length().unwrap_or_default());
            said = now;
        }
    }
}
