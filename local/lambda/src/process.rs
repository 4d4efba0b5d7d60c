//! One process of a function: start, environment, invokes, end.

use std::future::IntoFuture;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use bytes::Bytes;
use local_clock::Clock;
use local_faults::{Faults, Registration};
use local_journal::{InvokeOutcome, Journal};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::activity::Busy;
use super::logs::Logs;
use super::work_slot::{Phase, Reply, Work, WorkSlot};
use super::{Function, outcome, runtime_api};

/// Maximum time from the start of a process to its first `GET next`. Lambda allows 10 s, and then once more the timeout
/// of the function; one longer limit replaces both.
const INIT_LIMIT: Duration = Duration::from_secs(30);

/// Environment variables that a function inherits from the stack, because programs need them to run.
const INHERITED_VARIABLES: [&str; 6] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "SystemRoot"];

/// Each process has its own access key, which identifies the process that makes a request.
const ACCESS_KEY: &str = "AWS_ACCESS_KEY_ID";

/// State shared by all processes of all functions.
pub(super) struct Host {
    /// Cancelled at shutdown; ends all processes and event queues.
    pub stop: CancellationToken,
    pub clock: Clock,
    pub faults: Faults,
    pub journal: Journal,
    alive: watch::Sender<usize>,
}

impl Host {
    pub fn new(clock: Clock, faults: Faults, journal: Journal) -> Self {
        Self { stop: CancellationToken::new(), clock, faults, journal, alive: watch::Sender::default() }
    }

    pub async fn shutdown(&self) {
        self.stop.cancel();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.alive.subscribe().wait_for(|alive| *alive == 0).await;
    }

    fn enter(self: &Arc<Self>) -> LiveProcess {
        self.alive.send_modify(|alive| *alive += 1);
        LiveProcess(self.clone())
    }
}

struct LiveProcess(Arc<Host>);

impl Drop for LiveProcess {
    fn drop(&mut self) {
        self.0.alive.send_modify(|alive| *alive -= 1);
    }
}

/// A started process, which may have exited since.
pub(super) struct Process {
    work_slot: Arc<WorkSlot>,
    kill: CancellationToken,
    registration: Registration,
    clock: Clock,
    flush: mpsc::Sender<oneshot::Sender<()>>,
}

/// End of an invoke on a process.
pub(super) enum RunEnd {
    /// The invoke has an outcome, and the process can run further invokes.
    Finished(InvokeOutcome),
    /// The process exited or was killed during the invoke.
    ProcessExited(InvokeOutcome),
    /// The process exited before it took the invoke, which another process can run.
    NotTaken,
}

impl Process {
    /// Starts a process and waits for its first `GET next`; returns the process and the duration of its start. The
    /// error is the outcome of the invoke `id`, which the process was started for.
    pub async fn start(
        function: &Function,
        host: &Arc<Host>,
        logs: Arc<Logs>,
        id: &str,
    ) -> Result<(Self, Duration), InvokeOutcome> {
        let alive = host.enter();
        if host.stop.is_cancelled() {
            return Err(outcome::exited(id, "because the host shut down"));
        }
        let failed = |error: std::io::Error| {
            let program = function.program.display();
            outcome::failed(
                "Runtime.InvalidEntrypoint",
                &format!("RequestId: {id} Error: cannot run {program}: {error}"),
            )
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?.to_string();
        let work_slot = Arc::new(WorkSlot::new());
        let kill = host.stop.child_token();
        let registration = host.faults.register(&function.name, kill.clone());
        let mut child = command(function, &address, &registration).spawn().map_err(|error| {
            registration.remove();
            failed(error)
        })?;

        let (flush, flushes) = mpsc::channel(1);
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            tokio::spawn(async move { logs.follow(stdout, stderr, flushes).await });
        }
        let process = Self {
            work_slot: work_slot.clone(),
            kill: kill.clone(),
            registration: registration.clone(),
            clock: host.clock.clone(),
            flush,
        };
        let api = runtime_api::router(work_slot.clone(), &function.arn);
        let listener = listener.tap_io(|stream| {
            // An error affects only latency.
            let _ = stream.set_nodelay(true);
        });
        tokio::spawn(async move {
            tokio::select! {
                _ = child.wait() => {}
                () = kill.cancelled() => {}
                _ = axum::serve(listener, api).into_future() => {}
            }
            work_slot.close(&describe(kill_and_wait(&mut child).await));
            registration.remove();
            drop(alive);
        });
        let init = process.ready(id).await?;
        Ok((process, init))
    }

    async fn ready(&self, id: &str) -> Result<Duration, InvokeOutcome> {
        let mut phase = self.work_slot.phase.subscribe();
        let settled = phase.wait_for(|phase| !matches!(phase, Phase::Starting));
        let settled = self.clock.timeout(INIT_LIMIT, settled).await.map(|phase| phase.map(|phase| phase.clone()));
        let failure = match settled {
            Some(Ok(Phase::Ready(init))) => return Ok(init),
            Some(Ok(Phase::Failed(report))) => outcome::reported(report),
            Some(Ok(Phase::Exited(how))) => outcome::exited(id, &format!("{how}, before its first GET next")),
            Some(Ok(Phase::Starting) | Err(_)) | None => outcome::timed_out(id, INIT_LIMIT),
        };
        self.flush().await;
        self.kill.cancel();
        Err(failure)
    }

    /// Runs one invoke; `now` is the time since 1970 on the stack's clock. Functions derive their current time from the
    /// deadline, so it is a time of that clock.
    pub async fn run(&self, busy: &Busy, id: &str, payload: Bytes, limit: Duration, now: Duration) -> RunEnd {
        busy.stage("waits for the process's answer");
        let deadline_ms = u64::try_from((now + limit).as_millis()).unwrap_or(u64::MAX);
        self.registration.start_invoke(id);
        let mut reply =
            self.work_slot.assign(Work { id: id.to_owned(), payload, deadline_ms, trace: new_trace_header(now) });
        let end = match self.clock.timeout(limit, &mut reply).await {
            Some(Ok(Reply::Answered(payload))) => RunEnd::Finished(outcome::answered(payload)),
            Some(Ok(Reply::Failed(report))) => RunEnd::Finished(outcome::reported(report)),
            Some(Ok(Reply::Exited(how))) => RunEnd::ProcessExited(outcome::exited(id, &how)),
            Some(Ok(Reply::NotTaken) | Err(_)) => RunEnd::NotTaken,
            None => {
                self.kill.cancel();
                busy.stage("has passed its timeout, and waits for its process to end");
                // The reply arrives when the process has exited.
                let _ = reply.await;
                RunEnd::ProcessExited(outcome::timed_out(id, limit))
            }
        };
        busy.stage("waits for the output of the process");
        self.flush().await;
        end
    }

    /// Waits until all output of the process so far is stored.
    async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.flush.send(done).await.is_ok() {
            // Fails only if the outputs have ended, and then all output is stored.
            let _ = flushed.await;
        }
    }
}

fn command(function: &Function, runtime_api: &str, registration: &Registration) -> Command {
    let mut command = Command::new(&function.program);
    command.env_clear().envs(INHERITED_VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    if let Some(region) = function.arn.split(':').nth(3) {
        command.env("AWS_REGION", region).env("AWS_DEFAULT_REGION", region);
    }
    command
        .envs(&function.environment)
        .envs(&function.added_environment)
        .envs(function.added_environment.get(ACCESS_KEY).map(|stem| (ACCESS_KEY, registration.access_key(stem))))
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string())
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("[$LATEST]{}", uuid::Uuid::new_v4().simple()))
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("_HANDLER", "bootstrap")
        .env("TZ", ":UTC")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // A terminal sends Ctrl-C to the whole process group. Functions get a group of their own, so that the stack ends
    // them.
    #[cfg(unix)]
    command.process_group(0);
    // The function of tests is the test binary itself; the arguments make it run the scripted function instead of all
    // tests.
    if std::env::current_exe().is_ok_and(|own| own == function.program) {
        command.args(super::testing::ARGUMENTS);
    }
    command
}

/// Kills the process unless it has exited, and returns its exit status.
async fn kill_and_wait(child: &mut Child) -> std::io::Result<ExitStatus> {
    if child.try_wait()?.is_none() {
        child.start_kill()?;
    }
    child.wait().await
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) if status.success() => "without providing a reason".to_owned(),
        Ok(status) => format!("with error: {status}"),
        Err(error) => format!("with error: {error}"),
    }
}

/// A new X-Ray trace header, not sampled.
fn new_trace_header(now: Duration) -> String {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let (root, parent) = (&unique[..24], &unique[16..]);
    format!("Root=1-{:08x}-{root};Parent={parent};Sampled=0", now.as_secs())
}
