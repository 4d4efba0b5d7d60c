//! What is shown while the demo runs: a bar on a terminal, lines otherwise.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use super::api::{ApiError, CommandView};
use super::error::with_sources;
use super::observed::Observed;

const REDRAW: Duration = Duration::from_millis(100);
/// Redraws between two printed lines, where there is no terminal.
const REDRAWS_PER_LINE: u32 = 10;

pub(super) struct Display {
    bar: ProgressBar,
    drawing: JoinHandle<()>,
}

impl Display {
    pub fn start(observed: Arc<Observed>, total: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} ended  {elapsed}\n  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target).with_style(style);
        let drawing = tokio::spawn(draw(bar.clone(), observed, terminal));
        Self { bar, drawing }
    }

    /// Prints a line above the bar.
    pub fn print(&self, line: &str) {
        if self.bar.is_hidden() { println!("{line}") } else { self.bar.println(line) }
    }

    /// Prints an error of a request that the demo can do without.
    pub fn print_error(&self, error: &ApiError) {
        self.print(&format!("  {}", with_sources(error)));
    }

    pub fn finish(self) {
        self.drawing.abort();
        self.bar.finish_and_clear();
    }
}

async fn draw(bar: ProgressBar, observed: Arc<Observed>, terminal: bool) {
    let mut every = tokio::time::interval(REDRAW);
    let mut printed = String::new();
    for n in 0u32.. {
        every.tick().await;
        let CommandView { state, counts } = observed.command();
        if state.is_empty() {
            continue;
        }
        let (ended, now) = (counts.ended(), format!("{state}: {}", counts.summary()));
        bar.set_position(ended);
        if terminal {
            bar.set_message(now);
        } else if n.is_multiple_of(REDRAWS_PER_LINE) && now != printed {
            println!("  {ended}/{} ended, {now}", bar.length().unwrap_or_default());
            printed = now;
        }
    }
}
