//! SQLite's memory: how much of it one thread may take while it runs SQL that is not ours.
//!
//! SQLite's own bound is for the whole program: a script that reached it would make the store fail. So its allocator is
//! wrapped, once and before anything is opened, by one that counts for threads that ask for it. SQLite takes a refusal
//! well: the statement fails, and the connection can be used on.
#![expect(unsafe_code, reason = "SQLite's allocator can only be given to it through its own interface")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use rusqlite::{Connection, ffi};

thread_local! {
    /// What the thread may still take; `None` when nobody counts.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The allocator that does the work: SQLite's own, or what the host's program has given it.
struct Original(ffi::sqlite3_mem_methods);

// SAFETY: it holds functions, which SQLite calls from any thread itself, and a pointer that is passed back to them.
unsafe impl Send for Original {}
// SAFETY: as above; nothing of it changes.
unsafe impl Sync for Original {}

static ORIGINAL: OnceLock<Option<Original>> = OnceLock::new();

/// Wraps SQLite's allocator, and tells whether that was possible: it is not when the host's program has used SQLite
/// before.
pub(crate) fn install() -> bool {
    let original = ORIGINAL.get_or_init(|| {
        let mut methods = ffi::sqlite3_mem_methods {
            xMalloc: None,
            xFree: None,
            xRealloc: None,
            xSize: None,
            xRoundup: None,
            xInit: None,
            xShutdown: None,
            pAppData: std::ptr::null_mut(),
        };
        // SAFETY: the operation takes a pointer to such a structure and fills it in, unless SQLite is in use already.
        let got = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, &raw mut methods) };
        let is_whole = methods.xMalloc.is_some()
            && methods.xFree.is_some()
            && methods.xRealloc.is_some()
            && methods.xSize.is_some();
        (got == ffi::SQLITE_OK && is_whole).then_some(Original(methods))
    });
    let Some(Original(methods)) = original else { return false };
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        let mut ours = ffi::sqlite3_mem_methods {
            xMalloc: Some(malloc),
            xFree: Some(free),
            xRealloc: Some(realloc),
            xSize: Some(size),
            ..*methods
        };
        // SAFETY: the operation copies the structure. Memory that the original has given out already goes on to be its
        // own: ours passes everything on to it.
        unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw mut ours) == ffi::SQLITE_OK }
    })
}

/// Lets this thread take at most so many bytes more of SQLite's memory until the body is done.
pub(crate) fn within<T>(bytes: usize, body: impl FnOnce() -> T) -> T {
    struct Restore(Option<usize>);
    impl Drop for Restore {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let _restore = Restore(LEFT.replace(Some(bytes)));
    body()
}

/// How many bytes a connection holds between two statements: pages, schema, prepared statements.
pub(crate) fn held_by(connection: &Connection) -> usize {
    let of = |what| {
        let (mut now, mut most) = (0, 0);
        // SAFETY: the handle is the connection's own, which is borrowed; both numbers are written to locals.
        let got = unsafe { ffi::sqlite3_db_status(connection.handle(), what, &raw mut now, &raw mut most, 0) };
        if got == ffi::SQLITE_OK { usize::try_from(now).unwrap_or(usize::MAX) } else { 0 }
    };
    let parts = [ffi::SQLITE_DBSTATUS_CACHE_USED, ffi::SQLITE_DBSTATUS_SCHEMA_USED, ffi::SQLITE_DBSTATUS_STMT_USED];
    parts.into_iter().map(of).fold(0, usize::saturating_add)
}

fn original() -> Option<&'static ffi::sqlite3_mem_methods> {
    Some(&ORIGINAL.get()?.as_ref()?.0)
}

/// Whether the thread may take so many bytes more.
fn may_take(bytes: usize) -> bool {
    // Also called while a thread ends, when nothing of it is there any more: then nobody counts.
    LEFT.try_with(|left| left.get().is_none_or(|left| left >= bytes)).unwrap_or(true)
}

fn note(taken: usize, given_back: usize) {
    let _ = LEFT.try_with(|left| {
        if let Some(bytes) = left.get() {
            left.set(Some(bytes.saturating_add(given_back).saturating_sub(taken)));
        }
    });
}

unsafe extern "C" fn malloc(bytes: c_int) -> *mut c_void {
    let Some(malloc) = original().and_then(|methods| methods.xMalloc) else { return std::ptr::null_mut() };
    if !may_take(usize::try_from(bytes).unwrap_or(usize::MAX)) {
        return std::ptr::null_mut();
    }
    // SAFETY: the original's function, called as SQLite calls it.
    let taken = unsafe { malloc(bytes) };
    // SAFETY: it is null or the original's.
    note(unsafe { size_of_block(taken) }, 0);
    taken
}

unsafe extern "C" fn free(block: *mut c_void) {
    let Some(free) = original().and_then(|methods| methods.xFree) else { return };
    // SAFETY: SQLite gives back what it got from here, which is the original's.
    let bytes = unsafe { size_of_block(block) };
    // SAFETY: as above.
    unsafe { free(block) };
    note(0, bytes);
}

unsafe extern "C" fn realloc(block: *mut c_void, bytes: c_int) -> *mut c_void {
    let Some(realloc) = original().and_then(|methods| methods.xRealloc) else { return std::ptr::null_mut() };
    // SAFETY: SQLite passes what it got from here.
    let before = unsafe { size_of_block(block) };
    if !may_take(usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(before)) {
        return std::ptr::null_mut();
    }
    // SAFETY: as above; what fails leaves the block as it was.
    let moved = unsafe { realloc(block, bytes) };
    if !moved.is_null() {
        // SAFETY: the original has just given it out.
        note(unsafe { size_of_block(moved) }, before);
    }
    moved
}

unsafe extern "C" fn size(block: *mut c_void) -> c_int {
    match original().and_then(|methods| methods.xSize) {
        // SAFETY: SQLite passes what it got from here.
        Some(size) if !block.is_null() => unsafe { size(block) },
        _ => 0,
    }
}

/// # Safety
/// The block is null or one of the original's.
unsafe fn size_of_block(block: *mut c_void) -> usize {
    // SAFETY: as the caller promises.
    usize::try_from(unsafe { size(block) }).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_takes_no_more_than_it_may() {
        assert!(install());
        let connection = Connection::open_in_memory().unwrap();
        let length = |bytes: u32| connection.query_row("SELECT length(randomblob(?1))", [bytes], |row| row.get(0));
        assert_eq!(length(8 << 20), Ok(8 << 20));
        let refused: rusqlite::Result<u32> = within(4 << 20, || length(8 << 20));
        assert_eq!(refused.unwrap_err().sqlite_error_code(), Some(rusqlite::ErrorCode::OutOfMemory));
        // It can be used on; what was given back counts; another thread is not bound.
        within(4 << 20, || {
            for _ in 0..100 {
                assert_eq!(length(1 << 20), Ok(1 << 20));
            }
            let free =
                || Connection::open_in_memory()?.query_row("SELECT length(randomblob(8000000))", [], |row| row.get(0));
            assert_eq!(std::thread::scope(|scope| scope.spawn(free).join().unwrap()), Ok(8_000_000));
        });
        assert_eq!(length(8 << 20), Ok(8 << 20));
    }

    #[test]
    fn what_a_connection_holds_is_known() {
        assert!(install());
        let connection = Connection::open_in_memory().unwrap();
        let before = held_by(&connection);
        connection.execute_batch("CREATE TABLE t (b); INSERT INTO t VALUES (zeroblob(3000000))").unwrap();
        assert!(held_by(&connection) > before + 3_000_000);
        connection.execute_batch("CREATE TEMP TABLE u (b); INSERT INTO u VALUES (zeroblob(3000000))").unwrap();
        assert!(held_by(&connection) > before + 3_000_000, "on disk or in memory, as temp_store says");
    }
}
