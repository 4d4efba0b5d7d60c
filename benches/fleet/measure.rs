//! A process that is measured from outside: it says when it is ready, is told to go, says when it is done, and stays until it has been looked at.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

pub struct Figures {
    pub things: usize,
    pub took: Duration,
    /// User and system.
    pub cpu: Duration,
    pub peak_kib: u64,
    pub requests: u64,
    /// Every thing, exactly once.
    pub served: bool,
}

impl Figures {
    /// Of a process that has just served so many things.
    pub fn of(pid: u32, things: usize, took: Duration, cpu_before: Duration) -> Self {
        let (cpu, peak_kib) = (cpu(pid) - cpu_before, peak_kib(pid));
        Self { things, took, cpu, peak_kib, requests: 0, served: false }
    }

    pub fn rate(&self) -> f64 {
        self.things as f64 / self.took.as_secs_f64()
    }

    pub fn print_header() {
        println!(
            "{:<48} {:>9} {:>9} {:>12} {:>11} {:>9}",
            "", "things", "things/s", "CPU us/thing", "calls/thing", "peak MB"
        );
    }

    pub fn print(&self, what: &str) {
        let things = self.things as f64;
        println!(
            "{what:<48} {:>9} {:>9.0} {:>12.0} {:>11.2} {:>9.1}{}",
            self.things,
            self.rate(),
            self.cpu.as_secs_f64() * 1e6 / things,
            self.requests as f64 / things,
            self.peak_kib as f64 / 1024.0,
            if self.served { "" } else { "  NOT every thing exactly once" },
        );
    }
}

pub struct Program {
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
}

impl Program {
    /// Starts it where AWS is this address, and waits until it is ready.
    pub async fn start(mut command: Command, cloud: SocketAddr) -> Self {
        command
            .envs(environment(cloud))
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let says = BufReader::new(child.stdout.take().expect("piped")).lines();
        let hears = child.stdin.take().expect("piped");
        let mut program = Self { child, says, hears };
        program.hear("ready").await;
        program
    }

    async fn hear(&mut self, expected: &str) {
        let said = self.says.next_line().await.expect("readable");
        assert_eq!(said.as_deref(), Some(expected), "what the measured process says");
    }

    /// Lets it serve its things; what it took to start is not counted, its memory is.
    pub async fn measure(&mut self, things: usize) -> Figures {
        let pid = self.child.id().expect("it runs");
        let (before, start) = (cpu(pid), Instant::now());
        self.hears.write_all(b"go\n").await.expect("it listens");
        self.hear("done").await;
        Figures::of(pid, things, start.elapsed(), before)
    }
}

/// What tells a program where AWS is.
pub fn environment(cloud: SocketAddr) -> [(&'static str, String); 8] {
    [
        ("AWS_ENDPOINT_URL", format!("http://{cloud}")),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
    ]
}

/// The process that this one has started of a program.
pub fn child(program: &str) -> u32 {
    let parent = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
    let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_it = |pid: &u32| {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let (stat, command) = (read("stat"), read("cmdline"));
        let after_name = stat.rsplit_once(')').map_or("", |(_, after)| after);
        after_name.split_whitespace().nth(1) == Some(&parent) && command.contains(program)
    };
    numbers.find(is_it).expect("it runs")
}

/// Of all its threads, so far. Linux counts in hundredths of a second here, whatever its clock does.
pub fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("Linux");
    let (_, after_name) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    peak.trim().trim_end_matches(" kB").parse().expect("a number")
}
