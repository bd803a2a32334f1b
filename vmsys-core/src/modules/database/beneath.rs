//! Files of a database are named in a directory that is held open, for as long as they are in use.
//!
//! SQLite resolves a name to an absolute path first, and opens the journal, the write-ahead log and the directory by it
//! later, each time that it needs them: whoever renames a directory meanwhile leads it elsewhere. So there is a file
//! system of ours, which is SQLite's own but for two things. A name stays what it is: `/proc/self/fd/N/name`, which the
//! kernel resolves through the handle; its last part is never followed, because SQLite opens everything with `O_NOFOLLOW`.
//! And files cannot be mapped into memory: whoever shortened one would end this program by a bus error.
#![expect(unsafe_code, reason = "SQLite's file systems are structures of C functions")]

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::{Mutex, OnceLock, PoisonError};

use rusqlite::ffi;

/// The name by which connections ask for it.
pub(super) const FILE_SYSTEM: &CStr = c"vmsys-beneath";

/// SQLite's own file system, whose functions do the work.
struct Original(*mut ffi::sqlite3_vfs);

// SAFETY: file systems are registered for the life of the program, are used by SQLite from any thread, and this one is
// only read.
unsafe impl Send for Original {}
// SAFETY: as above.
unsafe impl Sync for Original {}

static ORIGINAL: OnceLock<Option<Original>> = OnceLock::new();

/// Makes the file system known to SQLite; false when there is nothing that it could be made of.
pub(super) fn install() -> bool {
    let original = ORIGINAL.get_or_init(|| {
        // SAFETY: no name asks for the default; the answer is null or lives as long as the program.
        let found = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        if found.is_null() {
            return None;
        }
        // SAFETY: it is not null. The copy has the same functions and data; they take the structure that they are called
        // with for their own, and SQLite itself makes several of them in this way, which differ in a few fields.
        let mut ours = unsafe { *found };
        ours.xOpen?;
        ours.pNext = std::ptr::null_mut();
        ours.zName = FILE_SYSTEM.as_ptr();
        ours.xOpen = Some(open);
        ours.xFullPathname = Some(full_pathname);
        // Loading of extensions is off and refused; here there is nothing to do it with.
        ours.xDlOpen = Some(no_library);
        // SAFETY: it lives as long as the program, and nobody but SQLite has it from here on.
        let registered = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 0) };
        (registered == ffi::SQLITE_OK).then_some(Original(found))
    });
    original.is_some()
}

/// The name of a file in a directory, for a connection on this file system. The directory must stay open as long as the
/// connection.
pub(super) fn name_in(directory: BorrowedFd<'_>, name: &str) -> String {
    format!("/proc/self/fd/{}/{name}", directory.as_fd().as_raw_fd())
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    full: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a name that ends with a NUL.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if name.len() > usize::try_from(room).unwrap_or(0) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: there is room for it, as has just been seen, and the two do not overlap: the room is for the answer.
    unsafe { std::ptr::copy_nonoverlapping(name.as_ptr().cast(), full, name.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_used: *mut c_int,
) -> c_int {
    let Some(Some(Original(original))) = ORIGINAL.get() else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: the original lives as long as the program; its function is called as SQLite calls ours.
    let opened = unsafe {
        let Some(open) = (**original).xOpen else { return ffi::SQLITE_CANTOPEN };
        open(vfs, name, file, flags, flags_used)
    };
    if opened != ffi::SQLITE_OK {
        return opened;
    }
    // SAFETY: a file that was opened has methods, which live as long as the program.
    unsafe {
        if !(*file).pMethods.is_null() {
            (*file).pMethods = without_mapping((*file).pMethods);
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn no_library(_: *mut ffi::sqlite3_vfs, _: *const c_char) -> *mut std::ffi::c_void {
    std::ptr::null_mut()
}

/// The same methods in the first version of their structure, in which files are read and written, and that is all.
///
/// # Safety
/// They live as long as the program.
unsafe fn without_mapping(methods: *const ffi::sqlite3_io_methods) -> *const ffi::sqlite3_io_methods {
    /// By the address of the original: there is one for each way of locking.
    static MADE: Mutex<Option<HashMap<usize, usize>>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let address = made.get_or_insert_default().entry(methods as usize).or_insert_with(|| {
        // SAFETY: as the caller promises.
        let mut first = unsafe { *methods };
        first.iVersion = 1;
        Box::into_raw(Box::new(first)) as usize
    });
    *address as *const ffi::sqlite3_io_methods
}
