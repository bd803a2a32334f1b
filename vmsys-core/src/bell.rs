//! A bell: whoever changes something rings, whoever waits for that is woken, on whatever runtime it is.
//!
//! Not a channel: what is new is in the log and in the store, and each reader asks for it from its own place. So a slow
//! reader holds nothing but its place, and to ring costs the same whether one reader is behind or none.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(crate) struct Bell {
    rings: AtomicU64,
    /// Mirrors whether anybody is in `waiting`, for the many who ring when nobody listens.
    awaited: AtomicBool,
    waiting: Mutex<Vec<(u64, Waker)>>,
    listeners: AtomicU64,
}

impl Bell {
    /// Wakes everybody who waits. What there is to see must be there before.
    pub(crate) fn ring(&self) {
        // Sequentially consistent, with the two in `poll`: either this sees who waits, or that one sees the ring.
        self.rings.fetch_add(1, Ordering::SeqCst);
        if self.awaited.swap(false, Ordering::SeqCst) {
            // Woken when the lock is gone: a waker may run its task at once, and that waits again.
            let waiting = std::mem::take(&mut *self.lock());
            waiting.into_iter().for_each(|(_, waker)| waker.wake());
        }
    }

    pub(crate) fn listen(self: &Arc<Self>) -> Listener {
        let id = self.listeners.fetch_add(1, Ordering::Relaxed);
        Listener { bell: Arc::clone(self), id, heard: self.rings.load(Ordering::SeqCst) }
    }

    /// A panic while the list was held leaves it as it was between two pushes.
    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Waker)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who listens. It has heard all rings so far when it is made.
#[derive(Debug)]
pub(crate) struct Listener {
    bell: Arc<Bell>,
    id: u64,
    heard: u64,
}

impl Listener {
    pub(crate) fn is_of(&self, bell: &Arc<Bell>) -> bool {
        Arc::ptr_eq(&self.bell, bell)
    }

    /// Says that it goes and looks now: only what is rung from here on is news.
    pub(crate) fn look(&mut self) {
        self.heard = self.bell.rings.load(Ordering::SeqCst);
    }

    /// Is ready once the bell has been rung since the last [`look`](Self::look). Never blocks.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.bell.rings.load(Ordering::SeqCst) != self.heard {
            return Poll::Ready(());
        }
        {
            let mut waiting = self.bell.lock();
            match waiting.iter_mut().find(|(id, _)| *id == self.id) {
                Some((_, waker)) => waker.clone_from(context.waker()),
                None => waiting.push((self.id, context.waker().clone())),
            }
            self.bell.awaited.store(true, Ordering::SeqCst);
        }
        if self.bell.rings.load(Ordering::SeqCst) == self.heard { Poll::Pending } else { Poll::Ready(()) }
    }

    /// Waits for the next ring on this thread; false when the time has passed first.
    pub(crate) fn wait(&mut self, at_most: Duration) -> bool {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let start = Instant::now();
        while self.poll(&mut Context::from_waker(&waker)).is_pending() {
            let Some(left) = at_most.checked_sub(start.elapsed()) else { return false };
            std::thread::park_timeout(left);
        }
        true
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.bell.lock().retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_ring_between_looking_and_waiting_is_heard() {
        let bell = Arc::new(Bell::default());
        let mut listener = bell.listen();
        assert!(!listener.wait(Duration::ZERO));
        listener.look();
        bell.ring();
        assert!(listener.wait(LONG));
        assert!(listener.wait(LONG), "it has not looked yet");
        listener.look();
        assert!(!listener.wait(Duration::from_millis(1)));
    }

    #[test]
    fn everybody_who_waits_is_woken_and_nobody_is_left_behind() {
        let bell = Arc::new(Bell::default());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let mut listener = bell.listen();
                scope.spawn(move || {
                    for _ in 0..100 {
                        assert!(listener.wait(LONG));
                        listener.look();
                    }
                });
            }
            // Until all have heard a hundred: rings that come close together are one piece of news.
            let ringing = bell.clone();
            scope.spawn(move || {
                while Arc::strong_count(&ringing) > 2 {
                    ringing.ring();
                    std::thread::yield_now();
                }
            });
        });
        assert_eq!(bell.lock().len(), 0);
    }
}
