//! A page of memory that a host and its worker share: what need not be said, but seen.
//!
//! A script that computes does not listen. Whether it is to stop is therefore a word that the worker looks at whenever
//! the engine can be interrupted, which costs a load; and that it has looked is another one, by which the host sees that
//! the worker is not stuck. What a worker writes there is hostile as all that it says: it is a count, and nothing more.
#![expect(unsafe_code, reason = "mapping memory that is shared with another process")]

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

use super::protocol::Stop;

/// The smallest piece of memory that can be mapped.
const BYTES: usize = 4096;

/// The reasons for which a host stops a job, by the number that they have here.
const REASONS: [Stop; 5] = [Stop::Requested, Stop::Events, Stop::Output, Stop::Wall, Stop::Cpu];
/// The bits of a word that say the reason.
const REASON_BITS: u32 = 3;

#[repr(C)]
struct Shared {
    /// Which job is to stop, and why: its number times eight, plus one more than the place of the reason in [`REASONS`].
    stop: AtomicU64,
    /// How often the worker has looked.
    polls: AtomicU64,
}

/// The page, as this process sees it.
pub(super) struct Control(NonNull<Shared>);

// SAFETY: what it points to is atomics only, in memory that lives as long as the value.
unsafe impl Send for Control {}
// SAFETY: as above.
unsafe impl Sync for Control {}

impl Control {
    /// Makes a page, and the descriptor by which another process maps it too.
    pub(super) fn create() -> io::Result<(Self, OwnedFd)> {
        let file = rustix::fs::memfd_create("vm-control", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::ftruncate(&file, BYTES as u64)?;
        // Whoever could make it smaller would end us with a signal, at our next look.
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((Self::map(&file)?, file))
    }

    /// Maps the page that a descriptor stands for.
    pub(super) fn map(file: impl AsFd) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses a place where nothing is, so that no memory of ours changes.
        let place = unsafe { rustix::mm::mmap(std::ptr::null_mut(), BYTES, access, MapFlags::SHARED, file, 0) }?;
        NonNull::new(place.cast()).map(Self).ok_or_else(|| io::Error::other("nothing was mapped"))
    }

    fn shared(&self) -> &Shared {
        // SAFETY: the page is mapped, aligned, larger than `Shared`, and stays until this is dropped; a new one is zero,
        // and any bytes are atomics. It cannot shrink: it was sealed before anybody else had it.
        unsafe { self.0.as_ref() }
    }

    /// Asks for a job to end. One that was begun later is not meant, and not reached.
    pub(super) fn stop(&self, job: u64, reason: Stop) {
        let reason = REASONS.iter().position(|other| *other == reason).unwrap_or_default() as u64;
        self.shared().stop.fetch_max((job << REASON_BITS) + reason + 1, Ordering::AcqRel);
    }

    /// Tells whether a job is to end, and notes that somebody looked.
    pub(super) fn look(&self, job: u64) -> Option<Stop> {
        self.note();
        let stop = self.shared().stop.load(Ordering::Acquire);
        let place = usize::try_from((stop & ((1 << REASON_BITS) - 1)).checked_sub(1)?).ok()?;
        (stop >> REASON_BITS == job).then(|| REASONS.get(place).copied()).flatten()
    }

    /// Notes that the worker is not stuck; alone, where it has no reason to look.
    pub(super) fn note(&self) {
        self.shared().polls.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the worker has looked.
    pub(super) fn polls(&self) -> u64 {
        self.shared().polls.load(Ordering::Relaxed)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`, with this length, and nobody else's.
        let _ = unsafe { rustix::mm::munmap(self.0.as_ptr().cast(), BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_see_the_same_and_old_jobs_stop_no_new_ones() {
        let (host, file) = Control::create().unwrap();
        let worker = Control::map(&file).unwrap();
        assert_eq!((worker.look(1), host.polls()), (None, 1));
        host.stop(1, Stop::Output);
        assert_eq!((worker.look(1), worker.look(2)), (Some(Stop::Output), None));
        host.stop(2, Stop::Cpu);
        host.stop(1, Stop::Events);
        assert_eq!((worker.look(1), worker.look(2), host.polls()), (None, Some(Stop::Cpu), 5));
    }

    #[test]
    fn the_page_keeps_its_size() {
        let (_host, file) = Control::create().unwrap();
        assert!(rustix::fs::ftruncate(&file, 0).is_err());
    }
}
