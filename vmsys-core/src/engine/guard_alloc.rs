//! The heap of a realm: counted to the byte, and bounded so that the engine survives reaching the bound.
//!
//! QuickJS has a memory limit of its own, but its compiler aborts the process when an allocation fails inside it. So
//! past the limit this allocator *dooms* the job and still grants small requests out of a reserve, while large ones are
//! refused; the stack limit is shrunk and the interrupt handler ends the script within a few thousand steps.
#![expect(unsafe_code, reason = "implements the engine's allocator interface")]

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ptr;
use std::rc::Rc;

use rquickjs::allocator::Allocator;

use super::ffi::RuntimePtr;

/// A request up to this size is granted past the limit, as long as the reserve lasts.
const SMALL: usize = 64 << 10;
/// How much is lent past the limit while a doomed job is being ended.
const RESERVE: usize = 32 << 20;
/// What a job may add to a heap that is at its limit already: enough to let go of what fills it, and for one of the
/// engine's own tables to double.
const SLACK: usize = 16 << 20;

/// In front of every block stands its size; sixteen bytes keep the block aligned as malloc would.
const HEADER: usize = 16;
const ALIGN: usize = 16;

/// What a realm's heap holds, and may hold.
#[derive(Debug)]
pub(super) struct Meter {
    used: Cell<usize>,
    limit: Cell<usize>,
    /// What no job's limit goes past, whatever earlier ones left.
    bound: Cell<usize>,
    doomed: Cell<bool>,
    runtime: Cell<Option<RuntimePtr>>,
}

impl Meter {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            used: Cell::new(0),
            limit: Cell::new(usize::MAX - RESERVE),
            bound: Cell::new(usize::MAX - RESERVE),
            doomed: Cell::new(false),
            runtime: Cell::new(None),
        })
    }

    /// Bytes in use, block headers included.
    pub(super) fn used(&self) -> usize {
        self.used.get()
    }

    /// Bounds the heap for one job. What earlier jobs left beyond the limit stays usable, so that a session that ran
    /// out of memory can let go of it; but it can never grow past the limit, the slack and two reserves together.
    pub(super) fn arm(&self, runtime: RuntimePtr, limit: usize) {
        self.bound.set(limit + RESERVE + SLACK);
        let tolerated = (self.used.get() + SLACK).min(self.bound.get());
        self.limit.set(limit.max(tolerated));
        self.doomed.set(false);
        self.runtime.set(Some(runtime));
    }

    /// Whether there is enough for one more job, if only one that lets go of what fills the heap. Without a reserve not
    /// even that can be compiled, and the engine would run on with every allocation refused.
    pub(super) fn has_room(&self) -> bool {
        self.used.get() <= self.bound.get() + RESERVE / 2
    }

    /// Whether the job that runs has passed the limit.
    pub(super) fn is_doomed(&self) -> bool {
        self.doomed.get()
    }

    /// While what a stopped job left behind is thrown away: only small requests, out of a fresh reserve.
    pub(super) fn arm_for_cleanup(&self) {
        self.limit.set(self.used.get());
    }

    /// Between jobs nothing is refused: no guest code runs then.
    pub(super) fn disarm(&self) {
        self.limit.set(usize::MAX - RESERVE);
        self.doomed.set(false);
    }

    fn charge(&self, bytes: usize) -> bool {
        let Some(used) = self.used.get().checked_add(bytes) else { return false };
        if used > self.limit.get() && !self.charge_past_limit(used, bytes) {
            return false;
        }
        self.used.set(used);
        true
    }

    #[cold]
    fn charge_past_limit(&self, used: usize, bytes: usize) -> bool {
        self.doomed.set(true);
        if let Some(runtime) = self.runtime.get() {
            runtime.forbid_calls();
        }
        bytes <= SMALL && used <= self.limit.get() + RESERVE
    }

    fn release(&self, bytes: usize) {
        self.used.set(self.used.get() - bytes);
    }
}

/// The engine's allocator over a [`Meter`].
pub(super) struct GuardAlloc(pub(super) Rc<Meter>);

/// The layout of a block with its header, or `None` when the size is absurd.
fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, ALIGN).ok()
}

impl GuardAlloc {
    fn allocate(&self, size: usize, zeroed: bool) -> *mut u8 {
        let Some(layout) = layout(size) else { return ptr::null_mut() };
        if !self.0.charge(layout.size()) {
            return ptr::null_mut();
        }
        // SAFETY: the layout is never of size 0, as it includes the header.
        let block = unsafe { if zeroed { alloc::alloc_zeroed(layout) } else { alloc::alloc(layout) } };
        if block.is_null() {
            self.0.release(layout.size());
            return block;
        }
        // SAFETY: the block is at least HEADER bytes long and aligned for usize.
        unsafe {
            block.cast::<usize>().write(size);
            block.add(HEADER)
        }
    }
}

// SAFETY: blocks are at least as large as asked for and aligned to 16 bytes; `usable_size` gives the very size that was
// asked for; null is returned when nothing was allocated.
unsafe impl Allocator for GuardAlloc {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        self.allocate(size, false)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        match count.checked_mul(size) {
            Some(bytes) => self.allocate(bytes, true),
            None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&mut self, block: *mut u8) {
        if block.is_null() {
            return;
        }
        // SAFETY: the engine hands back only what `allocate` or `realloc` gave it, so a header stands before it, and the
        // layout computed from it is the one that the block was allocated with.
        unsafe {
            let start = block.sub(HEADER);
            let Some(layout) = layout(start.cast::<usize>().read()) else { return };
            alloc::dealloc(start, layout);
            self.0.release(layout.size());
        }
    }

    unsafe fn realloc(&mut self, block: *mut u8, new_size: usize) -> *mut u8 {
        if block.is_null() {
            return self.alloc(new_size);
        }
        if new_size == 0 {
            // SAFETY: as the caller promises for this call.
            unsafe { self.dealloc(block) };
            return ptr::null_mut();
        }
        // SAFETY: as in `dealloc`; the new size was checked to make a valid layout.
        unsafe {
            let start = block.sub(HEADER);
            let (Some(old), Some(new)) = (layout(start.cast::<usize>().read()), layout(new_size)) else {
                return ptr::null_mut();
            };
            if new.size() > old.size() && !self.0.charge(new.size() - old.size()) {
                return ptr::null_mut();
            }
            let moved = alloc::realloc(start, old, new.size());
            if moved.is_null() {
                self.0.release(new.size().saturating_sub(old.size()));
                return moved;
            }
            self.0.release(old.size().saturating_sub(new.size()));
            moved.cast::<usize>().write(new_size);
            moved.add(HEADER)
        }
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        if block.is_null() {
            return 0;
        }
        // SAFETY: as in `dealloc`.
        unsafe { block.sub(HEADER).cast::<usize>().read() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_counted_and_given_back() {
        let meter = Meter::new();
        let mut alloc = GuardAlloc(meter.clone());
        let a = alloc.alloc(100);
        let b = alloc.calloc(10, 10);
        assert_eq!(meter.used(), 2 * (100 + HEADER));
        // SAFETY: `a` and `b` come from this allocator, and are used no more after they are given back.
        unsafe {
            assert_eq!(std::slice::from_raw_parts(b, 100), [0; 100]);
            a.write_bytes(7, 100);
            let a = alloc.realloc(a, 5_000);
            assert_eq!(std::slice::from_raw_parts(a, 100), [7; 100]);
            assert_eq!(GuardAlloc::usable_size(a), 5_000);
            let a = alloc.realloc(a, 10);
            assert_eq!(GuardAlloc::usable_size(a), 10);
            assert!(alloc.realloc(a, 0).is_null());
            alloc.dealloc(b);
            alloc.dealloc(ptr::null_mut());
        }
        assert_eq!(meter.used(), 0);
    }

    #[test]
    fn absurd_sizes_are_refused_and_charge_nothing() {
        let meter = Meter::new();
        let mut alloc = GuardAlloc(meter.clone());
        assert!(alloc.alloc(usize::MAX).is_null());
        assert!(alloc.calloc(usize::MAX, 2).is_null());
        assert!(alloc.alloc(usize::MAX / 2).is_null());
        assert_eq!(meter.used(), 0);
    }
}
