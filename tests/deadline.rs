//! A deadline for each test of the system: a test in which nothing happens any more fails, and says what it was waiting for.
//!
//! `#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]` builds its runtime from this module instead of
//! tokio's. The test's own thread polls the test's future and measures the time itself, so it fails the test even where every
//! worker of the runtime, and so every timer, is blocked. Where that thread is blocked too, a second one ends the process.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::time::{Duration, Instant};

use local::stack::Diagnosis;
use tokio::runtime::{Handle, Id};

pub use tokio::pin;

/// A test fails after this time without any progress, however long it has run: a long test makes progress.
const STALLED: Duration = Duration::from_secs(90);
/// A test fails after this time, even while it makes progress.
const LONGEST: Duration = Duration::from_secs(1_800);
/// The time that blocked threads and a report that waits for locks get beyond the deadline.
const GRACE: Duration = Duration::from_secs(20);

/// The open waits of all tests, by number, each with the runtime of its test.
static WAITS: LazyLock<Mutex<Waits>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Waits {
    next: u64,
    /// The number of waits that have begun in each runtime: progress.
    begun: HashMap<Id, u64>,
    open: BTreeMap<u64, (Id, String, Instant)>,
    stacks: Vec<(Id, Weak<Diagnosis>)>,
}

fn waits() -> MutexGuard<'static, Waits> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Includes a stack's open work in the report, should the test that runs here fail at its deadline.
pub fn watch(stack: &Arc<Diagnosis>) {
    let mut waits = waits();
    waits.stacks.retain(|(_, stack)| stack.strong_count() > 0);
    waits.stacks.push((Handle::current().id(), Arc::downgrade(stack)));
}

/// Awaits a future that must complete; if it does not, the report names `what`.
pub async fn waiting<T>(what: impl Into<String>, future: impl Future<Output = T>) -> T {
    let _waiting = Waiting::new(what.into());
    future.await
}

struct Waiting(u64);

impl Waiting {
    fn new(what: String) -> Self {
        let mut waits = waits();
        let number = waits.next;
        waits.next += 1;
        let runtime = Handle::current().id();
        *waits.begun.entry(runtime).or_default() += 1;
        waits.open.insert(number, (runtime, what, Instant::now()));
        Self(number)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        waits().open.remove(&self.0);
    }
}

/// A value that changes whenever a test of this runtime makes progress.
fn progress(runtime: Id) -> (u64, usize) {
    let waits = waits();
    let stacks = waits.stacks.iter().filter(|(id, _)| *id == runtime).filter_map(|(_, stack)| stack.upgrade());
    (waits.begun.get(&runtime).copied().unwrap_or(0), stacks.map(|stack| stack.progress()).sum())
}

/// The open waits of the tests of this runtime, and the open work of their stacks.
fn report(runtime: Id) -> String {
    let mut text = String::new();
    let (open, stacks) = {
        let waits = waits();
        let open: Vec<_> = waits.open.values().filter(|(id, ..)| *id == runtime).cloned().collect();
        let stacks = waits.stacks.iter().filter(|(id, _)| *id == runtime).filter_map(|(_, stack)| stack.upgrade());
        (open, stacks.collect::<Vec<_>>())
    };
    for (_, what, since) in open {
        let _ = writeln!(text, "for {:.0?}: {what}", since.elapsed());
    }
    for stack in stacks {
        let _ = write!(text, "{stack}");
    }
    text
}

/// The report, from a thread of its own: the stack's locks may never be released.
fn report_in_time(runtime: Id) -> String {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || drop(sender.send(report(runtime))));
    receiver.recv_timeout(GRACE / 2).unwrap_or_else(|_| "the stack did not report: its locks are held".to_owned())
}

/// The part of `tokio::runtime` that `tokio::test` uses.
pub mod runtime {
    use std::pin::pin;
    use std::sync::{Arc, mpsc};
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread::Thread;
    use std::time::{Duration, Instant};

    use super::{GRACE, LONGEST, STALLED, progress, report_in_time};

    pub struct Builder(tokio::runtime::Builder);

    impl Builder {
        pub fn new_multi_thread() -> Self {
            Self(tokio::runtime::Builder::new_multi_thread())
        }

        pub fn worker_threads(mut self, threads: usize) -> Self {
            self.0.worker_threads(threads);
            self
        }

        pub fn enable_all(mut self) -> Self {
            self.0.enable_all();
            self
        }

        pub fn build(mut self) -> std::io::Result<Runtime> {
            self.0.build().map(|runtime| Runtime { runtime, stalled: STALLED })
        }
    }

    pub struct Runtime {
        runtime: tokio::runtime::Runtime,
        pub(super) stalled: Duration,
    }

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    impl Runtime {
        /// Runs a test.
        ///
        /// # Panics
        /// The test made no progress until its deadline.
        pub fn block_on<F: Future>(self, test: F) -> F::Output {
            let Self { runtime, stalled } = self;
            let id = runtime.handle().id();
            let _alive = watchdog(id);
            let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
            let mut context = Context::from_waker(&waker);
            let mut test = pin!(test);
            let began = Instant::now();
            let (mut moved, mut last) = (began, progress(id));
            loop {
                let inside = runtime.enter();
                if let Poll::Ready(output) = test.as_mut().poll(&mut context) {
                    drop(inside);
                    // Tasks that still run are dropped; a blocked thread is left behind.
                    runtime.shutdown_timeout(GRACE);
                    return output;
                }
                drop(inside);
                std::thread::park_timeout(Duration::from_secs(1).min(stalled));
                let (now, next) = (Instant::now(), progress(id));
                if next != last {
                    (moved, last) = (now, next);
                }
                if now - moved > stalled || now - began > LONGEST {
                    let report = report_in_time(id);
                    // Neither tasks nor threads are awaited.
                    runtime.shutdown_background();
                    panic!("nothing has happened for {:.0?}, after {:.0?}. Waited\n{report}", now - moved, now - began);
                }
            }
        }
    }

    /// Ends the process if the test's own thread is blocked, until the returned value is dropped.
    fn watchdog(id: tokio::runtime::Id) -> mpsc::Sender<()> {
        let (alive, ended) = mpsc::channel();
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        std::thread::spawn(move || {
            let (mut moved, mut last) = (Instant::now(), progress(id));
            while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(Duration::from_secs(5)) {
                let next = progress(id);
                if next != last {
                    (moved, last) = (Instant::now(), next);
                }
                if moved.elapsed() > STALLED + 2 * GRACE {
                    use std::io::Write;
                    let report = report_in_time(id);
                    // Not `eprintln!`, whose output the test harness would keep for a test that never ends.
                    let _ = writeln!(std::io::stderr(), "{test} is stuck. Waited\n{report}");
                    std::process::exit(101);
                }
            }
        });
        alive
    }
}

/// A runtime with a short deadline.
#[cfg(test)]
fn with_short_deadline() -> runtime::Runtime {
    let mut runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.stalled = Duration::from_millis(500);
    runtime
}

#[test]
#[should_panic(expected = "for the answer to a request that never comes")]
fn a_test_without_progress_fails_and_names_its_wait() {
    with_short_deadline()
        .block_on(waiting("for the answer to a request that never comes", std::future::pending::<()>()));
}

#[test]
#[should_panic(expected = "for 1s: nothing")]
fn a_test_fails_although_every_worker_is_blocked() {
    with_short_deadline().block_on(async {
        for _ in 0..4 {
            tokio::spawn(async { std::thread::sleep(Duration::from_secs(30)) });
        }
        waiting("nothing", tokio::time::sleep(Duration::from_millis(1))).await;
        waiting("nothing", tokio::time::sleep(Duration::from_millis(1))).await;
        std::future::pending::<()>().await;
    });
}
