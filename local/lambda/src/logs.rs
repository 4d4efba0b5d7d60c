//! Output of functions: forwards lines to the log of the stack and keeps the newest ones.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, oneshot};

/// Maximum number of lines that are kept per function.
const MAX_LINES: usize = 10_000;
/// Maximum bytes of a line; a longer one is split.
const MAX_LINE_BYTES: usize = 256 * 1024;

/// The newest output lines of one function.
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
        if lines.len() == MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Reads both outputs of a process to their end. Replies to a message on `flush` once all output so far is stored,
    /// so that an invoke does not return before its lines are stored.
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
        // A sender that reserved its slot before the outputs ended may send only now. Dropping the receiver would leave
        // its message in the channel without a reply, and the invoke that waits for the reply would never end.
        flush.close();
        while let Some(done) = flush.recv().await {
            // The send fails if the invoke no longer waits.
            let _ = done.send(());
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

    /// Reads once and logs all complete lines.
    async fn read(&mut self, logs: &Logs) {
        // A read error counts as the end of the output.
        self.open = self.reader.read_buf(&mut self.buffer).await.is_ok_and(|bytes| bytes > 0);
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = self.buffer.split_to(end);
            self.buffer.advance(1);
            logs.line(line.strip_suffix(b"\r").unwrap_or(&line));
        }
        if self.buffer.len() > MAX_LINE_BYTES || (!self.open && !self.buffer.is_empty()) {
            logs.line(&self.buffer.split());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn flush_that_is_sent_after_the_outputs_ended_is_answered() {
        let logs = Logs::new("f");
        let (flush, flushes) = mpsc::channel(1);
        let reserved = flush.reserve().await.expect("the log is followed");
        let (done, flushed) = oneshot::channel();
        let late = async {
            // The outputs have ended; `follow` does not return because of the reserved slot.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            reserved.send(done);
            tokio::time::timeout(Duration::from_secs(5), flushed).await
        };
        let ((), flushed) = tokio::join!(logs.follow(tokio::io::empty(), tokio::io::empty(), flushes), late);
        flushed.expect("answered").expect("not dropped");
        assert!(flush.is_closed());
    }
}
