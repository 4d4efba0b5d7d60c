//! Measures a process from outside: CPU time and memory from `/proc`, and the protocol between benchmark and process.
//!
//! The process prints `ready`, waits for the line `go`, prints `done`, and stays until its standard input is closed.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// What was measured while a process served a fleet.
pub struct Measurement {
    pub things: usize,
    pub duration: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// The most memory that the process has held.
    pub peak_kib: u64,
    /// Requests to AWS.
    pub requests: u64,
    /// Whether every thing was served exactly once.
    pub served: bool,
}

impl Measurement {
    /// Measures a process that has just served this number of things. `cpu_before` is its CPU time before that.
    pub fn read(pid: u32, things: usize, duration: Duration, cpu_before: Duration) -> Self {
        let (cpu, peak_kib) = (cpu_time(pid) - cpu_before, peak_kib(pid));
        Self { things, duration, cpu, peak_kib, requests: 0, served: false }
    }

    /// Things per second.
    pub fn rate(&self) -> f64 {
        self.things as f64 / self.duration.as_secs_f64()
    }

    pub fn print_header() {
        println!(
            "{:<48} {:>9} {:>9} {:>12} {:>11} {:>9}",
            "", "things", "things/s", "CPU us/thing", "calls/thing", "peak MB"
        );
    }

    pub fn print(&self, name: &str) {
        let things = self.things as f64;
        println!(
            "{name:<48} {:>9} {:>9.0} {:>12.0} {:>11.2} {:>9.1}{}",
            self.things,
            self.rate(),
            self.cpu.as_secs_f64() * 1e6 / things,
            self.requests as f64 / things,
            self.peak_kib as f64 / 1024.0,
            if self.served { "" } else { "  NOT every thing served exactly once" },
        );
    }
}

/// A process that speaks the protocol of this file.
pub struct MeasuredProcess {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stdin: ChildStdin,
}

impl MeasuredProcess {
    /// Starts a process that uses the fake AWS at this address, and waits until it is ready.
    pub async fn start(mut command: Command, aws: SocketAddr) -> Self {
        command
            .envs(environment(aws))
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
        let stdin = child.stdin.take().expect("standard input is piped");
        let mut process = Self { child, stdout, stdin };
        process.expect_line("ready").await;
        process
    }

    async fn expect_line(&mut self, expected: &str) {
        let line = self.stdout.next_line().await.expect("standard output is readable");
        assert_eq!(line.as_deref(), Some(expected), "the next line of the measured process");
    }

    /// Lets the process serve its things. The time of its start is not counted; the memory of its start is.
    pub async fn measure(&mut self, things: usize) -> Measurement {
        let pid = self.child.id().expect("the process runs");
        let (cpu_before, start) = (cpu_time(pid), Instant::now());
        self.stdin.write_all(b"go\n").await.expect("standard input is open");
        self.expect_line("done").await;
        Measurement::read(pid, things, start.elapsed(), cpu_before)
    }
}

/// The variables that let a program use the fake AWS at this address.
pub fn environment(aws: SocketAddr) -> [(&'static str, String); 8] {
    [
        ("AWS_ENDPOINT_URL", format!("http://{aws}")),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
    ]
}

/// The id of this process's child that runs a program.
pub fn child_pid(program: &str) -> u32 {
    let parent = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").expect("the benchmark needs Linux's /proc").flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_match = |pid: &u32| {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let (stat, command) = (read("stat"), read("cmdline"));
        let after_name = stat.rsplit_once(')').map_or("", |(_, after)| after);
        after_name.split_whitespace().nth(1) == Some(&parent) && command.contains(program)
    };
    pids.find(is_match).unwrap_or_else(|| panic!("no child runs {program}"))
}

/// The CPU time of all threads of a process so far, in steps of 10 ms: `/proc` counts in USER_HZ, which is always 100.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    let (_, after_name) = stat.rsplit_once(')').expect("the name is in parentheses");
    let ticks =
        after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks are numbers"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the status has VmHWM");
    peak.trim().trim_end_matches(" kB").parse().expect("VmHWM is a number of kB")
}
