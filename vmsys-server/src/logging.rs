//! Log lines to standard error, by way of a thread that may wait for it.
//!
//! Whoever reads the daemon's standard error may stop doing so: a terminal that is held, a pipe that nobody empties.
//! A subscriber that writes from the thread of the request would then stop the daemon, at some line. Here lines are
//! queued, and dropped and counted when the queue is full.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::config::{LogFormat, LogLevel};

/// Lines that wait for the writer at most.
const QUEUE: usize = 8192;

/// Bytes that the writer hands over at once.
const BATCH_BYTES: usize = 64 << 10;

/// How long the end of the program waits for its last lines.
const FLUSH: Duration = Duration::from_millis(500);

/// Keeps the log going; dropped, it sees to the last lines.
#[derive(Debug)]
#[must_use = "the last lines of the log are written when this is dropped"]
pub(crate) struct Logging(SyncSender<Message>);

impl Drop for Logging {
    fn drop(&mut self) {
        let (done, flushed) = channel();
        if self.0.try_send(Message::Flush(done)).is_ok() {
            let _ = flushed.recv_timeout(FLUSH);
        }
    }
}

/// Installs the subscriber of this process, unless it has one.
pub(crate) fn init(format: LogFormat, level: LogLevel) -> Logging {
    let stderr = io::stderr();
    let ansi = stderr.is_terminal();
    let queue = start(stderr);
    let writer = queue.clone();
    let level = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_ansi(ansi).with_writer(move || writer.clone());
    // One that is there already belongs to the program around us, and stays.
    let _ = match format {
        LogFormat::Pretty => tracing::subscriber::set_global_default(subscriber.finish()),
        LogFormat::Json => tracing::subscriber::set_global_default(subscriber.json().flatten_event(true).finish()),
    };
    Logging(queue.sender)
}

enum Message {
    Line(Vec<u8>),
    Flush(Sender<()>),
}

/// The end of the queue at which lines go in.
#[derive(Debug, Clone)]
struct Queue {
    sender: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.sender.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start(output: impl Write + Send + 'static) -> Queue {
    let (sender, receiver) = sync_channel(QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let counter = dropped.clone();
    // Without a thread there is no log, which is no reason not to serve.
    let _ = thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&receiver, output, &counter));
    Queue { sender, dropped }
}

fn write_all(receiver: &Receiver<Message>, mut output: impl Write, dropped: &AtomicU64) {
    let mut batch = Vec::new();
    let mut waiting = Vec::new();
    while let Ok(first) = receiver.recv() {
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Line(line) => batch.extend_from_slice(&line),
                Message::Flush(done) => waiting.push(done),
            }
            next = if batch.len() < BATCH_BYTES { receiver.try_recv().ok() } else { None };
        }
        // There is nowhere to say that standard error is gone.
        let _ = output.write_all(&batch).and_then(|()| output.flush());
        batch.clear();
        for done in waiting.drain(..) {
            let _ = done.send(());
        }
        let lines = dropped.swap(0, Ordering::Relaxed);
        if lines > 0 {
            tracing::warn!(lines, "log lines were dropped: standard error was not read");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// An output that accepts nothing while its lock is held.
    #[derive(Clone, Default)]
    struct Slow(Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_come_out_whole_and_in_order() {
        let output = Slow::default();
        let mut queue = start(output.clone());
        let expected: String = (0..500).map(|number| format!("line {number}\n")).collect();
        for line in expected.split_inclusive('\n') {
            queue.write_all(line.as_bytes()).unwrap();
        }
        drop(Logging(queue.sender));
        assert_eq!(String::from_utf8(output.0.lock().unwrap().clone()).unwrap(), expected);
    }

    #[test]
    fn an_output_that_takes_nothing_stops_nobody() {
        let output = Slow::default();
        let mut queue = start(output.clone());
        let held = output.0.lock().unwrap();
        // More than the queue and one batch hold, however fast the writer takes them.
        let line = [b'x'; 64];
        for _ in 0..2 * QUEUE + BATCH_BYTES / line.len() {
            queue.write_all(&line).unwrap();
        }
        assert!(queue.dropped.load(Ordering::Relaxed) > 0);
        drop(held);
    }
}
