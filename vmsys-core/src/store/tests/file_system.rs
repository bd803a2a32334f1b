//! SQLite's file system with a [`Machine`] looking on: each write and sync of a watched directory is told to it, and
//! refused from the moment at which it is off.
//!
//! It is made the default of this process, so that the store is opened as it always is, by the same code, and needs no
//! parameter that only tests would use. Files of other directories never notice.
#![expect(unsafe_code, reason = "SQLite's file systems are structures of C functions")]

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::ffi;

use super::machine::{Machine, Off};

/// Watches a directory for as long as this is held.
pub(super) struct Watched(PathBuf);

impl Watched {
    pub(super) fn new(directory: &Path, machine: &Arc<Machine>) -> Self {
        // SQLite's memory can only be taken over before SQLite is first used.
        assert!(crate::store::memory::install());
        install();
        let directory = directory.canonicalize().unwrap();
        lock(&MACHINES).get_or_insert_default().insert(directory.clone(), Arc::clone(machine));
        Self(directory)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&MACHINES).get_or_insert_default().remove(&self.0);
    }
}

static MACHINES: Mutex<Option<HashMap<PathBuf, Arc<Machine>>>> = Mutex::new(None);

/// The files of watched directories that are open, by the address of SQLite's structure.
static OPEN: Mutex<Option<HashMap<usize, Opened>>> = Mutex::new(None);

#[derive(Clone)]
struct Opened {
    machine: Arc<Machine>,
    file: usize,
    /// Whether its next sync is one of the directory as well: so SQLite does with journals and logs that it may have made.
    with_names: bool,
    original: Methods,
}

/// The methods of SQLite's own files.
#[derive(Clone, Copy)]
struct Methods(*const ffi::sqlite3_io_methods);

// SAFETY: it points to functions that live as long as the program and do not change.
unsafe impl Send for Methods {}

/// SQLite's own file system.
struct Original(*mut ffi::sqlite3_vfs);

// SAFETY: file systems are registered for the life of the program, are used by SQLite from any thread, and this one is
// only read.
unsafe impl Send for Original {}
// SAFETY: as above.
unsafe impl Sync for Original {}

static ORIGINAL: OnceLock<Original> = OnceLock::new();

fn install() {
    ORIGINAL.get_or_init(|| {
        // SAFETY: no name asks for the default; the answer is null or lives as long as the program.
        let found = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        assert!(!found.is_null());
        // SAFETY: it is not null. The copy has the same functions and data, which is how SQLite makes several of its own.
        let mut ours = unsafe { *found };
        ours.pNext = std::ptr::null_mut();
        ours.zName = c"vmsys-power".as_ptr();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        // SAFETY: it lives as long as the program, and nobody but SQLite has it from here on.
        let registered = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 1) };
        assert_eq!(registered, ffi::SQLITE_OK);
        Original(found)
    });
}

/// The machine that a path is on, and the path's last part.
///
/// # Safety
/// The name is null or ends with a NUL.
unsafe fn watched(name: *const c_char) -> Option<(Arc<Machine>, String)> {
    if name.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()));
    let machine = lock(&MACHINES).as_ref()?.get(path.parent()?)?.clone();
    Some((machine, path.file_name()?.to_str()?.to_owned()))
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_used: *mut c_int,
) -> c_int {
    let Some(Original(original)) = ORIGINAL.get() else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: SQLite passes no name, or one that ends with a NUL.
    let watched = unsafe { watched(name) };
    let known = match watched {
        None => None,
        Some((machine, name)) => match machine.open(&name) {
            Ok(file) => Some((machine, file)),
            Err(Off) => return ffi::SQLITE_CANTOPEN,
        },
    };
    // SAFETY: the original lives as long as the program; its function is called as SQLite calls ours.
    let opened = unsafe {
        let Some(open) = (**original).xOpen else { return ffi::SQLITE_CANTOPEN };
        open(vfs, name, file, flags, flags_used)
    };
    let Some((machine, number)) = known.filter(|_| opened == ffi::SQLITE_OK) else { return opened };
    let with_names = flags & (ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL) != 0;
    // SAFETY: a file that was opened has methods, which live as long as the program.
    unsafe {
        let original = Methods((*file).pMethods);
        (*file).pMethods = ours(original);
        let opened = Opened { machine, file: number, with_names, original };
        lock(&OPEN).get_or_insert_default().insert(file as usize, opened);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: SQLite passes a name that ends with a NUL.
    let watched = unsafe { watched(name) };
    let is_watched = watched.is_some();
    if let Some((machine, name)) = watched
        && machine.remove(&name, sync_directory != 0).is_err()
    {
        return ffi::SQLITE_IOERR_DELETE;
    }
    let Some(Original(original)) = ORIGINAL.get() else { return ffi::SQLITE_IOERR_DELETE };
    // SAFETY: the original lives as long as the program; its function is called as SQLite calls ours.
    unsafe {
        let Some(delete) = (**original).xDelete else { return ffi::SQLITE_IOERR_DELETE };
        delete(vfs, name, if is_watched { 0 } else { sync_directory })
    }
}

/// The same methods, but for those that change a file. Without those by which files are mapped into memory: what is written
/// there nobody would see.
///
/// # Safety
/// They live as long as the program.
unsafe fn ours(original: Methods) -> *const ffi::sqlite3_io_methods {
    /// By the address of the original: there is one for each way of locking.
    static MADE: Mutex<Option<HashMap<usize, usize>>> = Mutex::new(None);
    let mut made = lock(&MADE);
    let address = made.get_or_insert_default().entry(original.0 as usize).or_insert_with(|| {
        // SAFETY: as the caller promises.
        let mut ours = unsafe { *original.0 };
        ours.iVersion = 2;
        ours.xWrite = Some(write);
        ours.xTruncate = Some(truncate);
        ours.xSync = Some(sync);
        ours.xClose = Some(close);
        Box::into_raw(Box::new(ours)) as usize
    });
    *address as *const ffi::sqlite3_io_methods
}

fn opened(file: *mut ffi::sqlite3_file) -> Option<Opened> {
    lock(&OPEN).as_ref()?.get(&(file as usize)).cloned()
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, len: c_int, at: i64) -> c_int {
    let Some(opened) = opened(file) else { return ffi::SQLITE_IOERR_WRITE };
    let (Ok(size), Ok(place)) = (usize::try_from(len), usize::try_from(at)) else { return ffi::SQLITE_IOERR_WRITE };
    // SAFETY: SQLite passes so many bytes, which nobody changes during the call.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), size) };
    if opened.machine.write(opened.file, place, bytes).is_err() {
        return ffi::SQLITE_IOERR_WRITE;
    }
    // SAFETY: the file is the original's, and its method is called as SQLite calls ours.
    unsafe { (*opened.original.0).xWrite.map_or(ffi::SQLITE_IOERR_WRITE, |write| write(file, from, len, at)) }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    let Some(opened) = opened(file) else { return ffi::SQLITE_IOERR_TRUNCATE };
    let Ok(len) = usize::try_from(size) else { return ffi::SQLITE_IOERR_TRUNCATE };
    if opened.machine.truncate(opened.file, len).is_err() {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    // SAFETY: as for `write`.
    unsafe { (*opened.original.0).xTruncate.map_or(ffi::SQLITE_IOERR_TRUNCATE, |truncate| truncate(file, size)) }
}

/// The machine's disk alone is asked: to wait for the real one would cost time and prove nothing.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    let Some(opened) = opened(file) else { return ffi::SQLITE_IOERR_FSYNC };
    if opened.machine.sync(opened.file, opened.with_names).is_err() {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    if let Some(opened) = lock(&OPEN).as_mut().and_then(|open| open.get_mut(&(file as usize))) {
        opened.with_names = false;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let Some(opened) = lock(&OPEN).as_mut().and_then(|open| open.remove(&(file as usize))) else {
        return ffi::SQLITE_IOERR_CLOSE;
    };
    // SAFETY: as for `write`.
    unsafe { (*opened.original.0).xClose.map_or(ffi::SQLITE_OK, |close| close(file)) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
