//! The two heaps of a worker process: what is a guest's, and what is scratch.
//!
//! A later version saves the whole state of a worker that has nothing to do, and maps it into a fresh process. For that,
//! all of a guest's state, in the engine and around it, has to be in one place and nothing else in it; and when nothing is
//! done, nothing of it may be elsewhere. So a worker has a range of addresses of its own for guests, says what it
//! allocates for whom, and frees by address. Messages are scratch. What a program makes once and keeps, as the bytecode of
//! scripts, is neither.
//!
//! None of this is there in a program that is no worker: all goes to the system's allocator.
#![expect(unsafe_code, reason = "an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use dlmalloc::{Allocator, Dlmalloc};
use rustix::mm::{Advice, MapFlags, ProtFlags};

/// For whom something is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Owner {
    /// Nobody asks: this is no worker.
    Host,
    /// For the time that a message takes.
    Scratch,
    /// Once in the program.
    Program,
    /// A guest's state, which lasts from one job to the next.
    Guest,
}

/// Whose is what is allocated now, as a number of [`Owner`]. A worker has one thread, and so there is one.
static OWNER: AtomicU8 = AtomicU8::new(Owner::Host as u8);
/// Blocks of scratch that are alive; those that were there before there was a guest's heap are not counted.
static SCRATCH: AtomicI64 = AtomicI64::new(0);
/// The guest's heap, at the start of its own range.
static HEAP: AtomicPtr<Dlmalloc<Range>> = AtomicPtr::new(ptr::null_mut());
/// Where the range begins and ends; nothing is in it while there is none.
static BEGINS: AtomicUsize = AtomicUsize::new(0);
static ENDS: AtomicUsize = AtomicUsize::new(0);

/// The smallest piece of memory that the kernel gives.
const PAGE: usize = 4096;
/// How much the heap takes of its range at once.
const STEP: usize = 64 << 10;

/// The allocator of a program whose sessions have processes of their own: in a worker it keeps what is a guest's apart from
/// all else; in the program itself it is the system's.
///
/// A program need not have it. It costs a comparison for each allocation, and later versions can freeze, copy and restore
/// the sessions of programs that have it.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: vmsys_core::WorkerAlloc = vmsys_core::WorkerAlloc;
///
/// assert_eq!(vec![1; 1000].len(), 1000);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkerAlloc;

// SAFETY: each block comes from the system's allocator or from the guest's heap, which keep what is asked of an allocator, and
// goes back to the one that it came from, which its address tells. The guest's heap is reached by a worker's only thread.
unsafe impl GlobalAlloc for WorkerAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match owner() {
            Owner::Guest => {
                // SAFETY: as the caller promises; with a guest there is a heap, and one thread.
                let block = unsafe { heap().malloc(layout.size(), layout.align()) };
                // The range may be used up, as by the parser on its way through a text of megabytes.
                // SAFETY: as the caller promises.
                if block.is_null() { counted(unsafe { System.alloc(layout) }) } else { block }
            }
            // SAFETY: as the caller promises.
            Owner::Scratch => counted(unsafe { System.alloc(layout) }),
            // SAFETY: as the caller promises.
            Owner::Host | Owner::Program => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match owner() {
            Owner::Guest => {
                // SAFETY: as in `alloc`.
                let block = unsafe { heap().calloc(layout.size(), layout.align()) };
                // SAFETY: as the caller promises.
                if block.is_null() { counted(unsafe { System.alloc_zeroed(layout) }) } else { block }
            }
            // SAFETY: as the caller promises.
            Owner::Scratch => counted(unsafe { System.alloc_zeroed(layout) }),
            // SAFETY: as the caller promises.
            Owner::Host | Owner::Program => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_of_guest(block) {
            // SAFETY: only the guest's heap gives addresses of its range; it is there, and a worker has one thread.
            return unsafe { heap().free(block, layout.size(), layout.align()) };
        }
        if matches!(owner(), Owner::Scratch | Owner::Guest) {
            SCRATCH.fetch_sub(1, Ordering::Relaxed);
        }
        // SAFETY: as the caller promises; whatever is not of the guest's heap is the system's.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_of_guest(block) {
            // SAFETY: as the caller promises.
            return unsafe { System.realloc(block, layout, size) };
        }
        // SAFETY: as in `dealloc`.
        let moved = unsafe { heap().realloc(block, layout.size(), layout.align(), size) };
        if !moved.is_null() {
            return moved;
        }
        // SAFETY: the new layout is one, as the caller promises; the old block is as large as is copied, and not used again.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

fn owner() -> Owner {
    match OWNER.load(Ordering::Relaxed) {
        1 => Owner::Scratch,
        2 => Owner::Program,
        3 => Owner::Guest,
        _ => Owner::Host,
    }
}

fn counted(block: *mut u8) -> *mut u8 {
    SCRATCH.fetch_add(i64::from(!block.is_null()), Ordering::Relaxed);
    block
}

/// The guest's heap.
///
/// # Safety
/// There is one, nobody else has a reference to it, and there is no other thread.
unsafe fn heap<'a>() -> &'a mut Dlmalloc<Range> {
    // SAFETY: as the caller promises.
    unsafe { &mut *HEAP.load(Ordering::Relaxed) }
}

fn is_of_guest(block: *mut u8) -> bool {
    (BEGINS.load(Ordering::Relaxed)..ENDS.load(Ordering::Relaxed)).contains(&block.addr())
}

/// Makes this process, which must have one thread and stay with it, one with a heap for a guest of at most so many bytes.
/// From here on, whatever is not said to be somebody's is scratch.
pub(super) fn begin(bytes: usize) -> io::Result<()> {
    let bytes = bytes.next_multiple_of(PAGE);
    let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
    // SAFETY: the kernel chooses a place where nothing is, so that no memory of ours changes.
    let place = unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), bytes, access, flags) }?;
    let place = NonNull::new(place.cast::<u8>()).ok_or_else(|| io::Error::other("nothing was mapped"))?;
    let head = size_of::<Dlmalloc<Range>>().next_multiple_of(PAGE);
    let mut heap = Dlmalloc::new_with_allocator(Range { place, bytes, used: Cell::new(head) });
    heap.set_granularity(STEP);
    let root = place.cast::<Dlmalloc<Range>>();
    // SAFETY: the range begins at a page, is ours alone, and has room for this in front of what the heap takes of it.
    unsafe { root.write(heap) };
    BEGINS.store(place.addr().get(), Ordering::Relaxed);
    ENDS.store(place.addr().get() + bytes, Ordering::Relaxed);
    HEAP.store(root.as_ptr(), Ordering::Relaxed);
    OWNER.store(Owner::Scratch as u8, Ordering::Relaxed);
    Ok(())
}

/// Whatever is allocated within is a guest's.
pub(crate) fn guest<T>(work: impl FnOnce() -> T) -> T {
    within(Owner::Guest, work)
}

/// Whatever is allocated within is there for a message only.
pub(crate) fn scratch<T>(work: impl FnOnce() -> T) -> T {
    within(Owner::Scratch, work)
}

/// Whatever is allocated within, and not freed there, is the program's until it ends.
pub(crate) fn program<T>(work: impl FnOnce() -> T) -> T {
    within(Owner::Program, work)
}

fn within<T>(owner: Owner, work: impl FnOnce() -> T) -> T {
    struct Back(u8);
    impl Drop for Back {
        fn drop(&mut self) {
            OWNER.store(self.0, Ordering::Relaxed);
        }
    }
    let before = OWNER.load(Ordering::Relaxed);
    if before == Owner::Host as u8 {
        return work();
    }
    let _back = Back(before);
    OWNER.store(owner as u8, Ordering::Relaxed);
    work()
}

/// How many blocks of scratch are alive: when nothing is done, always as many.
pub(super) fn scratch_blocks() -> i64 {
    SCRATCH.load(Ordering::Relaxed)
}

/// The addresses that a heap is made of, taken from their beginning on.
struct Range {
    place: NonNull<u8>,
    bytes: usize,
    used: Cell<usize>,
}

// SAFETY: the pointer is to a mapping that is never taken away, and a worker has one thread.
unsafe impl Send for Range {}

impl Range {
    /// Takes the end of what is used back, if this is it.
    fn take_back(&self, end: *mut u8, bytes: usize) -> bool {
        if end.addr() != self.place.addr().get() + self.used.get() {
            return false;
        }
        self.used.set(self.used.get() - bytes);
        // SAFETY: of this range, whole pages, and behind what is still used.
        let _ = unsafe {
            let start = self.place.as_ptr().add(self.used.get());
            rustix::mm::madvise(start.cast(), bytes, Advice::LinuxDontNeed)
        };
        true
    }
}

// SAFETY: what is given is a part of a mapping that nothing else uses, in whole pages, and given once until it is taken
// back.
unsafe impl Allocator for Range {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let (from, size) = (self.used.get(), size.next_multiple_of(PAGE));
        let Some(end) = from.checked_add(size).filter(|end| *end <= self.bytes) else { return (ptr::null_mut(), 0, 0) };
        self.used.set(end);
        // SAFETY: within the mapping.
        (unsafe { self.place.as_ptr().add(from) }, size, 0)
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }

    fn free_part(&self, start: *mut u8, old_size: usize, new_size: usize) -> bool {
        self.take_back(start.wrapping_add(old_size), old_size - new_size)
    }

    fn free(&self, start: *mut u8, size: usize) -> bool {
        self.take_back(start.wrapping_add(size), size)
    }

    fn can_release_part(&self, _: u32) -> bool {
        true
    }

    fn allocates_zeros(&self) -> bool {
        // What was used before is zero only if the kernel took it back.
        false
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    #![allow(clippy::print_stdout, reason = "one process tells another what came of it")]

    use std::process::Command;

    use super::*;

    /// Passes all on, but in the process of the test below.
    #[global_allocator]
    static ALLOCATOR: WorkerAlloc = WorkerAlloc;

    fn is_of_guest_vec(bytes: &[u8]) -> bool {
        is_of_guest(bytes.as_ptr().cast_mut())
    }

    /// In a process of its own, with one thread.
    #[test]
    #[ignore = "called by `what_is_a_guests_is_apart_from_all_else`"]
    fn apart() {
        begin(64 << 20).unwrap();
        let before = scratch_blocks();
        let mut kept = guest(|| vec![7_u8; 100_000]);
        assert!(is_of_guest_vec(&kept));
        // Wherever it grows, it stays where it is.
        scratch(|| kept.resize(300_000, 8));
        assert!(is_of_guest_vec(&kept) && kept[99_999] == 7 && kept[299_999] == 8);
        assert_eq!(scratch_blocks(), before);

        let message = scratch(|| vec![1_u8; 100]);
        assert!(!is_of_guest_vec(&message));
        assert_eq!(scratch_blocks(), before + 1);
        guest(|| drop(message));
        assert_eq!(scratch_blocks(), before);

        program(|| std::mem::forget(vec![1_u8; 100]));
        assert_eq!(scratch_blocks(), before);

        // What was used is zero where zeros are asked for, and what is let go of is used again.
        for round in 0..100_u8 {
            let mut large = guest(|| vec![0_u8; 40 << 20]);
            assert!(is_of_guest_vec(&large) && large.iter().all(|byte| *byte == 0));
            large.fill(round | 1);
        }
        let past_its_end = guest(|| vec![1_u8; 80 << 20]);
        assert!(!is_of_guest_vec(&past_its_end));
        assert_eq!(scratch_blocks(), before + 1);
        drop(past_its_end);
        assert!(kept.iter().take(100_000).all(|byte| *byte == 7));
        scratch(|| drop(kept));
        assert_eq!(scratch_blocks(), before);
        println!("it is apart");
    }

    #[test]
    fn what_is_a_guests_is_apart_from_all_else() {
        let program = std::fs::read_link("/proc/self/exe").unwrap();
        let name = "isolation::memory::tests::apart";
        let arguments = ["--exact", name, "--ignored", "--nocapture", "--test-threads=1"];
        let output = Command::new(program).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("it is apart"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    }
}
