//! The directory that holds libraries: one file a library, and the manifest with their checksums.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;

use super::catalog::{CATALOG, CatalogLibrary};
use super::integrity::integrity;
use super::manifest::{self, Entry, Manifest};
use super::name::{LibraryId, Wanted};
use super::{Library, LibraryCacheInfo, LibraryCheck, LibrarySource, NewLibrary};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Timestamp;

/// The largest library that is stored or loaded, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// The file whose lock writers hold.
const LOCK: &str = ".lock";
/// How the names of files begin that are not whole yet.
const PARTIAL: &str = ".partial-";
/// File systems tell times apart by the tick of a clock, 10 ms or less. What changed a shorter time ago than this may
/// change again without being seen.
const SETTLED: Duration = Duration::from_millis(100);

/// A directory of libraries.
///
/// Any number of programs may use one at the same time. A file appears whole or not at all, as `NAME-VERSION.js`, and
/// each one's checksum is in `manifest.json`. Checksums are compared whenever a library is loaded; within one program,
/// a file that has not changed since by the file system's word is not read again.
///
/// What this does *not* stop: whoever can write to the directory can change the manifest as well. The checksums of the
/// catalogue alone are compiled in, and what is recorded as a library of the catalogue must have them.
#[derive(Debug)]
pub struct LibraryCache {
    directory: Option<PathBuf>,
    seen: Mutex<Seen>,
}

/// What was read of a directory, while it stays as it was.
#[derive(Debug, Default)]
struct Seen {
    manifest: Option<(Stamp, Arc<Manifest>)>,
    files: HashMap<LibraryId, (Stamp, Content)>,
}

/// What tells a file from what it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

#[derive(Debug, Clone)]
struct Content {
    integrity: Arc<str>,
    /// Absent when it is no text, and when nobody has asked for it yet.
    text: Option<Arc<str>>,
}

impl LibraryCache {
    /// Opens the cache in a directory, which need not be there yet: the first file creates it.
    ///
    /// A relative path is taken from the current directory now, and means the same place from then on.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) for an empty path, an internal error when there is no current directory.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        if directory.as_os_str().is_empty() {
            return Err(Error::validation("cache_dir", "the directory of the library cache must not be empty"));
        }
        let absolute = std::path::absolute(directory)
            .map_err(|error| Error::internal("the current directory cannot be told", error))?;
        Ok(Self { directory: Some(absolute), seen: Mutex::default() })
    }

    /// A cache without a directory: it knows the catalogue, and has none of it.
    pub fn none() -> Self {
        Self { directory: None, seen: Mutex::default() }
    }

    /// Returns the directory, as an absolute path.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Lists the catalogue and whatever else the directory holds, by name, then by age. Files are checked.
    ///
    /// # Errors
    /// An internal error when the directory or its manifest cannot be read.
    pub fn list(&self) -> Result<Vec<Library>> {
        let mut seen = self.lock_seen();
        let manifest = self.manifest(&mut seen)?;
        let cached: BTreeSet<_> = self.files()?.into_iter().map(|(id, _)| id.to_string()).collect();
        let mut ids: Vec<_> = cached.iter().filter_map(|id| LibraryId::parse(id)).collect();
        ids.extend(
            CATALOG
                .iter()
                .filter(|known| !cached.contains(&known.id()))
                .filter_map(|known| LibraryId::parse(&known.id())),
        );
        ids.sort_by(|a, b| a.name().cmp(b.name()).then_with(|| a.by_age(b)));
        Ok(ids.iter().map(|id| self.describe(id, &manifest, &mut seen)).collect())
    }

    /// Finds the library that a name means: `lodash`, the newest that is there, or `lodash-4.17.21`, that one.
    ///
    /// Answers `None` for what is neither in the directory nor in the catalogue.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) with the field `name` for what is no name, and as [`list`](Self::list).
    pub fn find(&self, name: &str) -> Result<Option<Library>> {
        let wanted = Wanted::parse(name)?;
        let mut seen = self.lock_seen();
        let manifest = self.manifest(&mut seen)?;
        Ok(self.resolve(&wanted)?.map(|id| self.describe(&id, &manifest, &mut seen)))
    }

    /// Returns the source of the library that a name means, and checks it first.
    ///
    /// # Errors
    /// [`LibraryNotFound`](ErrorKind::LibraryNotFound) when it is not in the directory,
    /// [`LibraryDamaged`](ErrorKind::LibraryDamaged) when its file is not what was stored, both with the detail `library`;
    /// and as [`find`](Self::find).
    pub fn source(&self, name: &str) -> Result<LibrarySource> {
        let wanted = Wanted::parse(name)?;
        let missing = |why: String| Error::new(ErrorKind::LibraryNotFound, why).with("library", name);
        let Some(id) = self.resolve(&wanted)? else {
            return Err(missing(format!("there is no library {name:?}, neither in the catalogue nor in the cache")));
        };
        let Some(directory) = &self.directory else {
            return Err(missing(format!("the library {id} cannot be loaded: no library cache is set up")));
        };
        // In a statement of its own: what was seen must be let go before a lock of the directory is waited for, which
        // its owner may hold while waiting for what was seen.
        let first = self.load(&id, &mut self.lock_seen());
        match first {
            Err(error) if error.kind() == ErrorKind::LibraryDamaged => {
                // A writer puts the file there first and its checksum second: let one that is at it finish.
                let _writers_are_done = lock_shared(directory);
                self.load(&id, &mut self.lock_seen())
            }
            other => other,
        }?
        .ok_or_else(|| {
            missing(format!(
                "the library {id} is not in the cache {}: download it first, as `vm-system libs download {}` does",
                directory.display(),
                id.name()
            ))
        })
    }

    /// Stores a library, in the place of one of the same name and version.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) for a bad name, version or global, for what is no text or is larger than 16
    /// MiB, and for a file that calls itself a library of the catalogue and is another; an internal error when the
    /// directory cannot be written.
    pub fn add(&self, new: NewLibrary, bytes: &[u8]) -> Result<Library> {
        let id = LibraryId::new(&new.name, &new.version)?;
        if let Some(global) = &new.global
            && !is_identifier(global)
        {
            return Err(Error::validation("global", format!("{global:?} cannot be the name of a global")));
        }
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::validation("path", format!("a library has at most {} MiB", MAX_BYTES >> 20)));
        }
        if std::str::from_utf8(bytes).is_err() {
            return Err(Error::validation("path", "a library must be UTF-8 text"));
        }
        let integrity = integrity(bytes);
        if CatalogLibrary::of(&id).is_some_and(|known| known.integrity != integrity) {
            return Err(Error::validation(
                "version",
                format!("{id} is a library of the catalogue, and this is another file: give it another version"),
            ));
        }
        let entry = Entry {
            global: new.global,
            description: new.description,
            bytes: bytes.len() as u64,
            integrity,
            origin: new.origin,
            added_at: Timestamp::now(),
        };
        self.store(&id, bytes, entry)
    }

    /// Stores the file of a library of the catalogue, which came from `origin`.
    ///
    /// # Errors
    /// [`LibraryDamaged`](ErrorKind::LibraryDamaged) with the detail `library` for bytes that do not have the catalogue's
    /// checksum, of which nothing is stored; and an internal error as [`add`](Self::add).
    pub fn add_known(&self, known: &CatalogLibrary, bytes: &[u8], origin: &str) -> Result<Library> {
        let id = LibraryId::new(known.name, known.version)?;
        let integrity = integrity(bytes);
        if integrity != known.integrity {
            let message = format!(
                "what came as {id} is another file: it has {} bytes and the checksum {integrity}, instead of {} bytes and {}",
                bytes.len(),
                known.bytes,
                known.integrity
            );
            return Err(Error::new(ErrorKind::LibraryDamaged, message).with("library", &id));
        }
        let entry = Entry {
            global: Some(known.global.to_owned()),
            description: known.description.to_owned(),
            bytes: known.bytes,
            integrity,
            origin: origin.to_owned(),
            added_at: Timestamp::now(),
        };
        self.store(&id, bytes, entry)
    }

    /// Removes the file that a name means. Answers what it was, or `None` when it was not there.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) for what is no name, or for a name without a version of which there are
    /// several; an internal error when the directory cannot be written.
    pub fn remove(&self, name: &str) -> Result<Option<Library>> {
        let wanted = Wanted::parse(name)?;
        let Some(directory) = self.directory.as_deref().filter(|directory| directory.exists()) else {
            return Ok(None);
        };
        let _lock = lock_exclusive(directory)?;
        let mut there: Vec<_> = self.files()?.into_iter().map(|(id, _)| id).filter(|id| wanted.fits(id)).collect();
        let Some(id) = there.pop() else { return Ok(None) };
        if let Some(other) = there.pop() {
            let message = format!("{name} is there in several versions: say which, as in {other}");
            return Err(Error::validation("name", message));
        }
        let mut seen = self.lock_seen();
        let mut manifest = Manifest::clone(&*self.manifest(&mut seen)?);
        let library = self.describe(&id, &manifest, &mut seen);
        let failed = |error| Error::internal(format!("{id} cannot be removed"), error);
        fs::remove_file(directory.join(id.file_name())).map_err(failed)?;
        manifest.remove(&id);
        write_manifest(directory, &manifest)?;
        Ok(Some(library))
    }

    /// Returns where the cache is, and how much it holds.
    ///
    /// # Errors
    /// [`LibraryNotFound`](ErrorKind::LibraryNotFound) for a cache without a directory, an internal error when the
    /// directory cannot be read.
    pub fn info(&self) -> Result<LibraryCacheInfo> {
        let Some(directory) = &self.directory else {
            return Err(Error::new(ErrorKind::LibraryNotFound, "no library cache is set up"));
        };
        let files = self.files()?;
        Ok(LibraryCacheInfo {
            path: directory.clone(),
            exists: directory.is_dir(),
            files: files.len() as u64,
            bytes: files.iter().map(|(_, bytes)| bytes).sum(),
        })
    }

    fn lock_seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        // What is seen is only ever replaced whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files of libraries that are there, with their sizes. Others are not ours and are passed over.
    fn files(&self) -> Result<Vec<(LibraryId, u64)>> {
        let Some(directory) = &self.directory else { return Ok(Vec::new()) };
        let failed =
            |error| Error::internal(format!("the library cache {} cannot be read", directory.display()), error);
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Some(id) = entry.file_name().to_str().and_then(LibraryId::of_file) else { continue };
            // Links are followed; a file may also go away while we look.
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            if metadata.is_file() {
                files.push((id, metadata.len()));
            }
        }
        files.sort_by(|(a, _), (b, _)| a.name().cmp(b.name()).then_with(|| a.by_age(b)));
        Ok(files)
    }

    fn resolve(&self, wanted: &Wanted) -> Result<Option<LibraryId>> {
        let there = self.files()?.into_iter().map(|(id, _)| id).rfind(|id| wanted.fits(id));
        let known = || CATALOG.iter().filter_map(|known| LibraryId::parse(&known.id())).find(|id| wanted.fits(id));
        Ok(there.or_else(known))
    }

    fn manifest(&self, seen: &mut Seen) -> Result<Arc<Manifest>> {
        let Some(directory) = &self.directory else { return Ok(Arc::default()) };
        let path = directory.join(manifest::FILE);
        if let Some((stamp, manifest)) = &seen.manifest
            && Some(*stamp) == fs::metadata(&path).ok().and_then(|metadata| Stamp::of(&metadata))
        {
            return Ok(Arc::clone(manifest));
        }
        seen.manifest = None;
        let failed = |error| Error::internal(format!("the library manifest {} cannot be read", path.display()), error);
        let Some((text, stamp)) = read(&path, manifest::MAX_BYTES).map_err(failed)? else { return Ok(Arc::default()) };
        let manifest = Arc::new(Manifest::parse(&text, &path)?);
        seen.manifest = stamp.map(|stamp| (stamp, Arc::clone(&manifest)));
        Ok(manifest)
    }

    /// Reads a file unless it was seen before; `None` when there is none.
    fn content(&self, id: &LibraryId, with_text: bool, seen: &mut Seen) -> io::Result<Option<Content>> {
        let Some(directory) = &self.directory else { return Ok(None) };
        let path = directory.join(id.file_name());
        if let Some((stamp, content)) = seen.files.get(id)
            && (content.text.is_some() || !with_text)
            && Some(*stamp) == fs::metadata(&path).ok().and_then(|metadata| Stamp::of(&metadata))
        {
            return Ok(Some(content.clone()));
        }
        seen.files.remove(id);
        let Some((bytes, stamp)) = read(&path, MAX_BYTES)? else { return Ok(None) };
        let integrity = integrity(&bytes).into();
        let text = if with_text { String::from_utf8(bytes).ok().map(Arc::from) } else { None };
        let content = Content { integrity, text };
        if let Some(stamp) = stamp {
            seen.files.insert(id.clone(), (stamp, content.clone()));
        }
        Ok(Some(content))
    }

    fn describe(&self, id: &LibraryId, manifest: &Manifest, seen: &mut Seen) -> Library {
        let known = CatalogLibrary::of(id);
        let entry = manifest.get(id);
        let size = self.directory.as_ref().and_then(|directory| fs::metadata(directory.join(id.file_name())).ok());
        let check = match self.content(id, false, seen) {
            Ok(None) => None,
            Ok(Some(content)) => Some(check(id, &content, entry)),
            Err(_) => Some(LibraryCheck::Damaged),
        };
        let global = entry.and_then(|entry| entry.global.clone());
        let description = entry.map(|entry| entry.description.clone()).unwrap_or_default();
        Library {
            id: id.name().to_owned(),
            name: id.name().to_owned(),
            version: id.version().to_string(),
            description: known.map_or(description, |known| known.description.to_owned()),
            global: known.map_or(global, |known| Some(known.global.to_owned())),
            cached: check.is_some(),
            in_catalog: known.is_some(),
            bytes: check.and(size).map(|metadata| metadata.len()),
            check,
            integrity: known
                .map(|known| known.integrity.to_owned())
                .or_else(|| entry.map(|entry| entry.integrity.clone())),
        }
    }

    /// Reads and checks a file; `None` when there is none.
    fn load(&self, id: &LibraryId, seen: &mut Seen) -> Result<Option<LibrarySource>> {
        let manifest = self.manifest(seen)?;
        let damaged = |why: String| Error::new(ErrorKind::LibraryDamaged, why).with("library", id);
        let content = self
            .content(id, true, seen)
            .map_err(|error| damaged(format!("the file of the library {id} cannot be read")).because(error))?;
        let Some(content) = content else { return Ok(None) };
        let entry = manifest.get(id);
        if check(id, &content, entry) == LibraryCheck::Damaged {
            return Err(damaged(format!(
                "the file of the library {id} is not the one that was stored: its checksum is not that of the manifest; \
                 download or add it again"
            )));
        }
        let Some(text) = content.text else {
            return Err(damaged(format!("the file of the library {id} is no UTF-8 text")));
        };
        let known = CatalogLibrary::of(id);
        let recorded = entry.and_then(|entry| entry.global.clone());
        Ok(Some(LibrarySource {
            name: id.name().to_owned(),
            version: id.version().to_string(),
            file: id.file_name(),
            global: known.map_or(recorded, |known| Some(known.global.to_owned())),
            sets: known.and_then(|known| known.sets).map(str::to_owned),
            source: text,
            integrity: content.integrity,
        }))
    }

    fn store(&self, id: &LibraryId, bytes: &[u8], entry: Entry) -> Result<Library> {
        let Some(directory) = &self.directory else {
            return Err(Error::new(ErrorKind::LibraryNotFound, "no library cache is set up"));
        };
        let failed = |error| {
            Error::internal(format!("{id} cannot be stored in the library cache {}", directory.display()), error)
        };
        fs::create_dir_all(directory).map_err(failed)?;
        let _lock = lock_exclusive(directory)?;
        clear_partial(directory);
        let mut seen = self.lock_seen();
        let mut manifest = Manifest::clone(&*self.manifest(&mut seen)?);
        // The file first: one without a checksum is listed as unverified, a checksum without its file says nothing.
        write(directory, &id.file_name(), bytes).map_err(failed)?;
        manifest.set(id, entry);
        write_manifest(directory, &manifest)?;
        Ok(self.describe(id, &manifest, &mut seen))
    }
}

impl Stamp {
    /// Answers `None` for a file that changed a moment ago, and could change again within the same tick.
    fn of(metadata: &fs::Metadata) -> Option<Self> {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        let since =
            SystemTime::UNIX_EPOCH + Duration::new(u64::try_from(changed.0).ok()?, u32::try_from(changed.1).ok()?);
        let settled = since.elapsed().is_ok_and(|age| age >= SETTLED);
        settled.then(|| Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed,
        })
    }
}

fn check(id: &LibraryId, content: &Content, entry: Option<&Entry>) -> LibraryCheck {
    let Some(entry) = entry else { return LibraryCheck::Unverified };
    let as_known = CatalogLibrary::of(id).is_none_or(|known| *content.integrity == *known.integrity);
    if as_known && *content.integrity == *entry.integrity { LibraryCheck::Verified } else { LibraryCheck::Damaged }
}

/// Reads a file whole, with a stamp of it if it has settled; `None` when there is none.
fn read(path: &Path, max_bytes: u64) -> io::Result<Option<(Vec<u8>, Option<Stamp>)>> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    // To open a FIFO would wait for somebody to write to it.
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let file = File::open(path)?;
    let stamp = Stamp::of(&file.metadata()?);
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::other(format!("it is larger than {} MiB", max_bytes >> 20)));
    }
    Ok(Some((bytes, stamp)))
}

/// Puts a file into the directory, whole or not at all, also when the machine stops.
fn write(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file: NamedTempFile = tempfile::Builder::new()
        .prefix(PARTIAL)
        .permissions(fs::Permissions::from_mode(0o666)) // less what the umask takes away
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(directory.join(name))?;
    File::open(directory)?.sync_all()
}

fn write_manifest(directory: &Path, manifest: &Manifest) -> Result<()> {
    write(directory, manifest::FILE, manifest.to_text()?.as_bytes()).map_err(|error| {
        Error::internal(format!("the manifest of the library cache {} cannot be written", directory.display()), error)
    })
}

/// Removes what writers left that were killed. Only for whoever holds the lock: nobody else is writing then.
fn clear_partial(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(PARTIAL.as_bytes()) {
            // One that stays does no harm: the next writer tries again.
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Waits until nobody else writes. The lock ends with the file, also when the process is killed.
fn lock_exclusive(directory: &Path) -> Result<File> {
    let path = directory.join(LOCK);
    let open = || File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let lock = open().and_then(|file| file.lock().map(|()| file));
    lock.map_err(|error| Error::internal(format!("the library cache {} cannot be written", directory.display()), error))
}

/// Waits until nobody writes. Where there is no lock, nobody ever did.
fn lock_shared(directory: &Path) -> Option<File> {
    let file = File::open(directory.join(LOCK)).ok()?;
    file.lock_shared().ok()?;
    Some(file)
}

/// Tells whether a text can name a global: the ASCII part of what JavaScript takes.
fn is_identifier(text: &str) -> bool {
    let first = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$');
    text.len() <= 100
        && text.as_bytes().first().is_some_and(first)
        && text.bytes().all(|byte| first(&byte) || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
