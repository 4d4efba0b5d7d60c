//! Test environment of one test: a stack on free ports with a manual clock, an HTTP client and MQTT clients.
//!
//! | file | holds |
//! |---|---|
//! | [`api`] | calls of the HTTP API |
//! | [`device`] | MQTT clients |
//! | [`held`] | calls of functions that are held |
//! | [`inspect`] | reads and writes behind the API: tables, shadows, functions, metrics |

mod api;
mod device;
mod held;
mod inspect;
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use local::clock::Clock;
use local::pki::Pki;
use local::stack::{Config, Diagnosis, Ports, Programs, Stack};

pub use api::ApiResponse;
pub use device::Device;

use crate::deadline::{self, waiting};
use crate::history::{Run, violations};
use crate::journal_history::history;

/// First time of every world's clock, in seconds since 1970: 2027-01-15T08:00:00Z.
pub const START: i64 = 1_800_000_000;

pub const EXECUTIONS: &str = "flaghoist-executions";
pub const COMMANDS: &str = "flaghoist-commands";

/// One stack with its clients. A test must finish with [`World::end`], which checks the properties of the history.
pub struct World {
    pub stack: Stack,
    http: reqwest::Client,
    /// Thing and command id of each accepted command for a single thing.
    accepted: Mutex<Vec<(String, String)>>,
    /// Thing and command id of each thing that an accepted command excludes.
    excluded: Mutex<BTreeSet<(String, String)>>,
    ended: bool,
    /// The stack's open work, for the report of a test that fails at its deadline.
    _diagnosis: Arc<Diagnosis>,
    _certificates: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        assert!(self.ended || std::thread::panicking(), "the world was dropped unchecked: call World::end");
    }
}

impl World {
    pub async fn start() -> Self {
        Self::with_parameters(&[]).await
    }

    pub async fn with_parameters(parameters: &[(&str, &str)]) -> Self {
        Self::with_template(parameters, |template| template).await
    }

    /// Starts a world with an edited copy of template.yaml.
    pub async fn with_template(parameters: &[(&str, &str)], edit: impl FnOnce(String) -> String) -> Self {
        Self::on_clock(Clock::manual(START * 1000), true, parameters, edit).await
    }

    /// Starts a world on the given clock. Without a journal, which grows with every message, `end` checks nothing.
    pub async fn on_clock(
        clock: Clock,
        journal: bool,
        parameters: &[(&str, &str)],
        edit: impl FnOnce(String) -> String,
    ) -> Self {
        let certificates = tempfile::tempdir().expect("a folder");
        let edited = certificates.path().join("template.yaml");
        std::fs::write(&edited, edit(std::fs::read_to_string(template()).expect("text"))).expect("written");
        for (name, content) in &*CERTIFICATES {
            std::fs::write(certificates.path().join(name), content).expect("written");
        }
        let stack = Stack::start(Config {
            programs: Programs::Given(programs()),
            ports: Ports::any(),
            clock,
            certificates: certificates.path().to_owned(),
            journal,
            parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Config::new(edited)
        });
        let stack = waiting("the start of a stack", stack).await.expect("the stack starts");
        let diagnosis = Arc::new(stack.diagnosis());
        deadline::watch(&diagnosis);
        Self {
            stack,
            http: reqwest::Client::new(),
            accepted: Mutex::default(),
            excluded: Mutex::default(),
            ended: false,
            _diagnosis: diagnosis,
            _certificates: certificates,
        }
    }

    /// Ends a test: waits until the stack is idle and checks the journal against the properties in `tests/history`.
    pub async fn end(self) {
        self.end_with(Vec::new()).await;
    }

    /// As [`World::end`], with the runs that the devices recorded.
    pub async fn end_with(self, runs: Vec<Run>) {
        self.end_with_losses(runs, Vec::new()).await;
    }

    /// As [`World::end_with`], with the times in milliseconds at which things lost their memory.
    pub async fn end_with_losses(mut self, runs: Vec<Run>, memory_losses: Vec<(i64, String)>) {
        self.settle().await;
        self.ended = true;
        if !self.stack.journal.is_on() {
            return;
        }
        let accepted = std::mem::take(&mut *self.accepted.lock().expect("not poisoned"));
        let mut history = history(&self.stack.journal.entries(), &accepted, self.stack.clock.now_ms());
        (history.runs, history.memory_losses) = (runs, memory_losses);
        history.excluded = std::mem::take(&mut *self.excluded.lock().expect("not poisoned"));
        let violations: Vec<String> = violations(&history).iter().map(ToString::to_string).collect();
        assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
    }

    /// Moves the clock and waits until the stack is idle.
    pub async fn advance(&self, seconds: u64) {
        let what = format!("everything that follows within {seconds} s after {}", self.now());
        waiting(what, self.stack.advance(Duration::from_secs(seconds))).await;
    }

    /// Waits until the stack is idle.
    pub async fn settle(&self) {
        waiting("the stack to be idle", self.stack.settle()).await;
    }

    /// The clock's time in RFC 3339, as events carry it.
    pub fn now(&self) -> String {
        let now = jiff::Timestamp::from_millisecond(self.stack.clock.now_ms()).expect("a time");
        format!("{now:.3}")
    }
}

/// The template without wakes: what is due waits for a tick, as if every message on the queue of ticks were lost.
pub fn without_wakes(template: String) -> String {
    let mapping = "Queue: !GetAtt TickQueue.Arn\n            Enabled: true";
    assert!(template.contains(mapping), "the template maps the queue of ticks to its function");
    template.replace(mapping, &mapping.replace("true", "false"))
}

/// The keys and certificates of every world, by the names of their files. A world that made its own would wait 80 ms until
/// the keys are on the disk.
static CERTIFICATES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    Pki::load_or_create(folder.path()).expect("certificates");
    let files = std::fs::read_dir(folder.path()).expect("a folder").map(|file| file.expect("a file"));
    let content = |file: &std::fs::DirEntry| std::fs::read(file.path()).expect("a file");
    files.map(|file| (file.file_name().to_string_lossy().into_owned(), content(&file))).collect()
});

/// The functions' binaries of this build.
fn programs() -> BTreeMap<String, PathBuf> {
    [
        ("command-api", env!("CARGO_BIN_EXE_command-api")),
        ("track-command", env!("CARGO_BIN_EXE_track-command")),
        ("fan-out-command", env!("CARGO_BIN_EXE_fan-out-command")),
        ("dispatch-commands", env!("CARGO_BIN_EXE_dispatch-commands")),
        ("tally-command", env!("CARGO_BIN_EXE_tally-command")),
        ("reconcile-commands", env!("CARGO_BIN_EXE_reconcile-commands")),
        ("trim-shadow", env!("CARGO_BIN_EXE_trim-shadow")),
    ]
    .into_iter()
    .map(|(name, path)| (name.to_owned(), path.into()))
    .collect()
}

/// Path of template.yaml.
pub fn template() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")
}
