//! Lines on their way to the log: a bounded queue and a thread that empties it in batches.
//!
//! Whoever writes a line never waits. Where there is no room, the line is dropped and counted.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use crate::metrics::Metrics;

/// The most lines that wait.
const LINES_MAX: usize = 16 * 1024;
/// The most bytes that wait: long targets and fields must not make the queue large.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long the first line of a batch waits for others. Waking a thread costs more than a line does.
const BATCH_TIME: Duration = Duration::from_millis(10);
/// How long flushing may take at the end.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(5);

enum Message {
    Line(String),
    Flush(SyncSender<()>),
}

/// Where lines are handed in. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: SyncSender<Message>,
    waiting_bytes: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
}

/// Keeps the log complete: dropping it waits (a bounded time) until what was handed in is written.
#[derive(Debug)]
pub struct LogFlush {
    sender: SyncSender<Message>,
}

impl Queue {
    /// Starts the thread that writes to `out`.
    pub(super) fn start(
        out: impl Write + Send + 'static,
        metrics: Arc<Metrics>,
    ) -> io::Result<(Self, LogFlush)> {
        let (sender, receiver) = sync_channel(LINES_MAX);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let queue = Self {
            sender: sender.clone(),
            waiting_bytes,
            metrics,
        };
        let drain = Drain {
            out,
            waiting_bytes: Arc::clone(&queue.waiting_bytes),
            metrics: Arc::clone(&queue.metrics),
            batch: Vec::new(),
            lines: 0,
        };
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || drain.run(&receiver))?;
        Ok((queue, LogFlush { sender }))
    }

    /// Hands a line in, or drops it.
    pub(super) fn push(&self, line: String) {
        let bytes = line.len();
        let has_room = self.waiting_bytes.fetch_add(bytes, Relaxed) + bytes <= BYTES_MAX;
        let sent = has_room && self.sender.try_send(Message::Line(line)).is_ok();
        if !sent {
            self.waiting_bytes.fetch_sub(bytes, Relaxed);
            self.metrics.count_dropped_log_lines(1);
        }
    }
}

impl Drop for LogFlush {
    fn drop(&mut self) {
        let (done, is_done) = sync_channel(1);
        let mut message = Message::Flush(done);
        // A full queue is being emptied: room comes soon, or the writer hangs and nothing helps.
        for _ in 0..FLUSH_TIME_MAX.as_millis() / BATCH_TIME.as_millis() {
            match self.sender.try_send(message) {
                Ok(()) => {
                    let _ = is_done.recv_timeout(FLUSH_TIME_MAX);
                    return;
                }
                Err(TrySendError::Full(back)) => message = back,
                Err(TrySendError::Disconnected(_)) => return,
            }
            thread::sleep(BATCH_TIME);
        }
    }
}

/// The thread's side.
struct Drain<W> {
    out: W,
    waiting_bytes: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
    batch: Vec<u8>,
    lines: u64,
}

impl<W: Write> Drain<W> {
    fn run(mut self, receiver: &Receiver<Message>) {
        while let Ok(first) = receiver.recv() {
            let mut next = Some(first);
            if matches!(next, Some(Message::Line(_))) {
                thread::sleep(BATCH_TIME);
            }
            while let Some(message) = next.take() {
                self.accept(message);
                next = receiver.try_recv().ok();
            }
            self.write();
        }
    }

    fn accept(&mut self, message: Message) {
        match message {
            Message::Line(line) => self.take(&line),
            Message::Flush(done) => {
                self.write();
                let _ = done.try_send(());
            }
        }
    }

    fn take(&mut self, line: &str) {
        const BATCH_BYTES: usize = 256 * 1024;
        self.batch.extend_from_slice(line.as_bytes());
        self.lines += 1;
        if self.batch.len() >= BATCH_BYTES {
            self.write();
        }
    }

    fn write(&mut self) {
        if self.lines == 0 {
            return;
        }
        let written = self
            .out
            .write_all(&self.batch)
            .and_then(|()| self.out.flush());
        if written.is_err() {
            self.metrics.count_dropped_log_lines(self.lines);
        }
        self.waiting_bytes.fetch_sub(self.batch.len(), Relaxed);
        self.batch.clear();
        self.lines = 0;
    }
}
