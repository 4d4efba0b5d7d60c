//! What functions print: forwarded to the stack's own log, and the newest lines kept.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, oneshot};

/// Lines kept of each function.
const KEPT: usize = 10_000;
/// A line longer than this is cut.
const LONGEST_LINE: usize = 256 * 1024;

/// The newest lines of one function.
pub(super) struct Logs {
    function: String,
    lines: Mutex<VecDeque<String>>,
}

impl Logs {
    pub fn new(function: &str) -> Self {
        Self { function: function.to_owned(), lines: Mutex::default() }
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn line(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).into_owned();
        tracing::info!(target: "local::function", function = self.function, "{line}");
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Reads both outputs of a process to their end. A message on `flush` is answered once everything that the process
    /// has printed so far is in, so that an invoke is not over before its lines are there.
    pub async fn follow(
        &self,
        stdout: impl AsyncRead + Unpin,
        stderr: impl AsyncRead + Unpin,
        mut flush: mpsc::Receiver<oneshot::Sender<()>>,
    ) {
        let (mut stdout, mut stderr) = (Output::new(stdout), Output::new(stderr));
        while stdout.open || stderr.open {
            tokio::select! {
                biased;
                () = stdout.read(self), if stdout.open => {}
                () = stderr.read(self), if stderr.open => {}
                Some(done) = flush.recv() => drop(done.send(())),
            }
        }
    }
}

struct Output<R> {
    reader: R,
    buffer: BytesMut,
    open: bool,
}

impl<R: AsyncRead + Unpin> Output<R> {
    fn new(reader: R) -> Self {
        Self { reader, buffer: BytesMut::new(), open: true }
    }

    /// Reads once, and logs the lines that this completes.
    async fn read(&mut self, logs: &Logs) {
        // An output that cannot be read has ended, for us.
        self.open = self.reader.read_buf(&mut self.buffer).await.is_ok_and(|bytes| bytes > 0);
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = self.buffer.split_to(end);
            self.buffer.advance(1);
            logs.line(line.strip_suffix(b"\r").unwrap_or(&line));
        }
        if self.buffer.len() > LONGEST_LINE || (!self.open && !self.buffer.is_empty()) {
            logs.line(&self.buffer.split());
        }
    }
}
