//! Gives the processes of a stack's functions a small share of a processor: they are stopped, but for a millisecond now
//! and then.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long the processes run at a time.
const RUNS: Duration = Duration::from_millis(1);

/// Slows processes down until it is dropped.
pub struct SlowProcesses {
    is_over: Arc<AtomicBool>,
    /// Returns how often a process was stopped.
    thread: Option<JoinHandle<usize>>,
}

impl SlowProcesses {
    /// The functions' processes of the stack with this AWS endpoint run one part in `parts` of the time.
    pub fn start(endpoint: SocketAddr, parts: u32) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let over = is_over.clone();
        let thread = std::thread::spawn(move || {
            let (mut stops, mut processes) = (0, Vec::new());
            while !over.load(Ordering::Relaxed) {
                // While the others are stopped, since it takes longer than they run.
                processes = functions_of(endpoint);
                stops += signal(&processes, Signal::STOP);
                std::thread::sleep(RUNS * (parts - 1));
                signal(&processes, Signal::CONT);
                std::thread::sleep(RUNS);
                signal(&processes, Signal::STOP);
            }
            signal(&processes, Signal::CONT);
            stops
        });
        Self { is_over, thread: Some(thread) }
    }

    /// Lets the processes run. Returns how often one of them was stopped.
    pub fn end(mut self) -> usize {
        self.join()
    }

    fn join(&mut self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().map_or(0, |thread| thread.join().unwrap_or_default())
    }
}

impl Drop for SlowProcesses {
    fn drop(&mut self) {
        self.join();
    }
}

/// Sends a signal to each process. Returns how many have got it; the others have ended.
fn signal(processes: &[Pid], signal: Signal) -> usize {
    processes.iter().filter(|pid| kill_process(**pid, signal).is_ok()).count()
}

/// The child processes whose environment names the endpoint.
fn functions_of(endpoint: SocketAddr) -> Vec<Pid> {
    let own = std::process::id();
    let named = format!("{endpoint}").into_bytes();
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<i32>().ok());
    let is_child = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // After the name in parentheses: the state, and the parent.
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok());
        parent == Some(own)
    };
    let is_named = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(named.len()).any(|window| window == named)
    };
    pids.filter(is_child).filter(is_named).filter_map(Pid::from_raw).collect()
}
