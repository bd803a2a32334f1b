//! Futures of async functions, and a thread that polls them where nobody else does.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::Call;
use crate::modules::PendingCall;
use crate::modules::session::panicked;
use crate::value::{CallError, Value};

/// What an async function does, up to its answer.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<Value, CallError>> + Send>>;

/// A call of an async function, as a task for [`HostModule::spawn_with`](super::HostModule::spawn_with): a future that answers
/// the script when it is done, and is done soon after the execution has ended.
pub struct HostTask {
    /// `None` once it is over.
    running: Option<(Work, PendingCall)>,
    call: Call,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl std::fmt::Debug for HostTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostTask").field("call", &self.running.as_ref().map(|(_, call)| call)).finish_non_exhaustive()
    }
}

impl HostTask {
    pub(super) fn new(work: Work, call: Call, pending: PendingCall) -> Self {
        let waker = Arc::new(Mutex::new(None::<Waker>));
        let to_wake = waker.clone();
        pending.on_cancel(move || {
            // The future is dropped where it runs: it may need to be there for that.
            let waker = to_wake.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        Self { running: Some((work, pending)), call, waker }
    }

    /// Ends it. A panic of the function's own, also when it is dropped, is its own.
    fn end(&mut self, result: Option<Result<Value, CallError>>) {
        let Some((work, pending)) = self.running.take() else { return };
        if catch_unwind(AssertUnwindSafe(|| drop(work))).is_err() {
            tracing::error!("a host function panicked when its future was dropped");
        }
        if let Some(result) = result {
            pending.complete(result);
        }
    }
}

impl Future for HostTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Before the look at whether it is cancelled: either that is seen here, or whoever cancels sees whom to wake.
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        let Some((work, pending)) = &mut self.running else { return Poll::Ready(()) };
        if pending.context().should_stop() {
            self.end(None);
            return Poll::Ready(());
        }
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => self.end(Some(result)),
            Err(_) => {
                let error = panicked(self.call.module(), self.call.function());
                self.end(Some(Err(error)));
            }
        }
        Poll::Ready(())
    }
}

impl Drop for HostTask {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// A thread that polls futures. It ends when the executor and all of its futures are gone.
pub(super) struct Executor {
    queue: Mutex<Option<Sender<Arc<Task>>>>,
}

struct Task {
    future: Mutex<Option<HostTask>>,
    queue: Sender<Arc<Task>>,
    queued: AtomicBool,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            let _ = self.queue.send(self.clone());
        }
    }
}

impl Executor {
    pub(super) fn new() -> Self {
        Self { queue: Mutex::new(None) }
    }

    /// Runs a task; the thread is started for the first one. Without threads to be had, its call is given up.
    pub(super) fn run(&self, task: HostTask) {
        let mut started = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if started.is_none() {
            *started = start();
        }
        if let Some(queue) = &*started {
            let task = Task { future: Mutex::new(Some(task)), queue: queue.clone(), queued: AtomicBool::new(false) };
            Arc::new(task).wake();
        }
    }
}

fn start() -> Option<Sender<Arc<Task>>> {
    let (queue, tasks) = channel::<Arc<Task>>();
    let thread = std::thread::Builder::new().name("vm-host-tasks".to_owned()).spawn(move || {
        while let Ok(task) = tasks.recv() {
            // Before the poll: what wakes it meanwhile has it polled again.
            task.queued.store(false, Ordering::Release);
            let waker = Waker::from(task.clone());
            let mut future = task.future.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(running) = &mut *future
                && Pin::new(running).poll(&mut Context::from_waker(&waker)).is_ready()
            {
                *future = None;
            }
        }
    });
    match thread {
        Ok(_) => Some(queue),
        Err(error) => {
            tracing::error!(%error, "the thread for host functions could not be started");
            None
        }
    }
}
