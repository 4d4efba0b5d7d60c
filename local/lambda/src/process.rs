//! One process of a function, from its start to its end.

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
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::logs::Logs;
use super::work_slot::{Phase, Reply, Work, WorkSlot};
use super::{Function, outcome, runtime_api};

/// From the start to the first `GET next`. Lambda allows 10 s, and then once more the function's own timeout; one
/// generous limit stands for both.
const INIT_LIMIT: Duration = Duration::from_secs(30);

/// What a program needs of the machine that it runs on. Nothing else of our own environment is a function's business.
const INHERITED: [&str; 6] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "SystemRoot"];

/// Each process has its own, which tells its calls from those of others.
const ACCESS_KEY: &str = "AWS_ACCESS_KEY_ID";

/// All processes of all functions.
pub(super) struct Host {
    /// Ends everything.
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

    fn enter(self: &Arc<Self>) -> Alive {
        self.alive.send_modify(|alive| *alive += 1);
        Alive(self.clone())
    }
}

struct Alive(Arc<Host>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.send_modify(|alive| *alive -= 1);
    }
}

/// A process that is ready for work, or has ended since.
pub(super) struct Process {
    work_slot: Arc<WorkSlot>,
    kill: CancellationToken,
    registration: Registration,
    flush: mpsc::Sender<oneshot::Sender<()>>,
}

/// How one piece of work ended.
pub(super) enum End {
    /// The process can do more.
    Over(InvokeOutcome),
    /// The process is gone.
    Lost(InvokeOutcome),
    /// The process is gone, and had not begun.
    NotTaken,
}

impl Process {
    /// Starts a process and waits until it asks for work. The error is the outcome of the invoke that needed it.
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
        let process =
            Self { work_slot: work_slot.clone(), kill: kill.clone(), registration: registration.clone(), flush };
        let api = runtime_api::router(work_slot.clone(), &function.arn);
        let listener = listener.tap_io(|stream| {
            // Only speed depends on it.
            let _ = stream.set_nodelay(true);
        });
        tokio::spawn(async move {
            tokio::select! {
                _ = child.wait() => {}
                () = kill.cancelled() => {}
                _ = axum::serve(listener, api).into_future() => {}
            }
            work_slot.close(&describe(end(&mut child).await));
            registration.remove();
            drop(alive);
        });
        let init = process.ready(id).await?;
        Ok((process, init))
    }

    async fn ready(&self, id: &str) -> Result<Duration, InvokeOutcome> {
        let mut phase = self.work_slot.phase.subscribe();
        let settled = phase.wait_for(|phase| !matches!(phase, Phase::Starting));
        let settled = timeout(INIT_LIMIT, settled).await.map(|phase| phase.map(|phase| phase.clone()));
        let failure = match settled {
            Ok(Ok(Phase::Ready(init))) => return Ok(init),
            Ok(Ok(Phase::Failed(report))) => outcome::reported(report),
            Ok(Ok(Phase::Exited(how))) => outcome::exited(id, &format!("{how}, before it asked for work")),
            Ok(Ok(Phase::Starting) | Err(_)) | Err(_) => outcome::timed_out(id, INIT_LIMIT),
        };
        self.flush().await;
        self.kill.cancel();
        Err(failure)
    }

    /// Does one piece of work, at this time since the epoch. The deadline is on the stack's clock: it also says what time it is.
    pub async fn run(&self, id: &str, payload: Bytes, limit: Duration, now: Duration) -> End {
        let deadline_ms = u64::try_from((now + limit).as_millis()).unwrap_or(u64::MAX);
        self.registration.start_invoke(id);
        let mut reply = self.work_slot.assign(Work { id: id.to_owned(), payload, deadline_ms, trace: trace(now) });
        let end = match timeout(limit, &mut reply).await {
            Ok(Ok(Reply::Answered(payload))) => End::Over(outcome::answered(payload)),
            Ok(Ok(Reply::Failed(report))) => End::Over(outcome::reported(report)),
            Ok(Ok(Reply::Exited(how))) => End::Lost(outcome::exited(id, &how)),
            Ok(Ok(Reply::NotTaken) | Err(_)) => End::NotTaken,
            Err(_) => {
                self.kill.cancel();
                // Comes when the process is gone.
                let _ = reply.await;
                End::Lost(outcome::timed_out(id, limit))
            }
        };
        self.flush().await;
        end
    }

    /// Returns once everything that the process has printed is in the log.
    async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.flush.send(done).await.is_ok() {
            // Fails only when the log has come to its end, and then all is in.
            let _ = flushed.await;
        }
    }
}

fn command(function: &Function, runtime_api: &str, registration: &Registration) -> Command {
    let mut command = Command::new(&function.program);
    command.env_clear().envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
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
    // Ctrl-C at a terminal goes to the whole group; functions are to end when the stack says so.
    #[cfg(unix)]
    command.process_group(0);
    // The functions of tests are the test binary itself, which must not run all its tests again.
    if std::env::current_exe().is_ok_and(|own| own == function.program) {
        command.args(super::testing::ARGUMENTS);
    }
    command
}

/// Kills the process if it has not ended by itself.
async fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
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

/// An X-Ray trace id: every invoke has one, sampled or not.
fn trace(now: Duration) -> String {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let (root, parent) = (&unique[..24], &unique[16..]);
    format!("Root=1-{:08x}-{root};Parent={parent};Sampled=0", now.as_secs())
}
