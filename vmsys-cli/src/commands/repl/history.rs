//! What was typed at earlier prompts: a file of its owner's alone, one JSON string a line.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// How many inputs are kept.
pub(super) const MOST_ENTRIES: usize = 1_000;
/// How large the file may become before it is written anew, with its newest half.
const MOST_BYTES: u64 = 1 << 20;
/// An input that is longer is not kept.
const LONGEST: usize = 64 << 10;
/// Its owner's alone.
const MODE: u32 = 0o600;

/// The file.
#[derive(Debug)]
pub(super) struct History {
    path: Option<PathBuf>,
}

impl History {
    /// The file of this user's.
    pub(super) fn of_user() -> Self {
        let directory = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = directory("XDG_STATE_HOME").or_else(|| Some(directory("HOME")?.join(".local/state")));
        Self { path: state.map(|state| state.join("vm-system/repl_history")) }
    }

    /// Reads what there is, oldest first. What is damaged is passed by.
    pub(super) fn load(&self) -> io::Result<Vec<String>> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(MOST_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(2 * MOST_BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let entries: Vec<String> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(entries[entries.len().saturating_sub(MOST_ENTRIES)..].to_vec())
    }

    /// Adds an input.
    pub(super) fn add(&self, input: &str) -> io::Result<()> {
        let Some(path) = self.path.as_deref().filter(|_| input.len() <= LONGEST) else { return Ok(()) };
        if let Some(directory) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let line = serde_json::to_string(input)? + "\n";
        let mut file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
        // Also of one that somebody has made before.
        file.set_permissions(Permissions::from_mode(MODE))?;
        if file.metadata()?.len() + line.len() as u64 > MOST_BYTES {
            self.shorten(path)?;
            file = OpenOptions::new().append(true).open(path)?;
        }
        // In one piece: other prompts write to it, too.
        file.write_all(line.as_bytes())
    }

    /// Writes the file anew with its newest half.
    fn shorten(&self, path: &Path) -> io::Result<()> {
        let mut kept = String::new();
        for entry in self.load()?.iter().rev() {
            let line = serde_json::to_string(entry)? + "\n";
            if (kept.len() + line.len()) as u64 > MOST_BYTES / 2 {
                break;
            }
            kept.insert_str(0, &line);
        }
        let new = path.with_extension(format!("{}.new", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&new)?;
        file.write_all(kept.as_bytes())?;
        fs::rename(&new, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> (tempfile::TempDir, History) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state/vm-system/repl_history");
        (directory, History { path: Some(path) })
    }

    #[test]
    fn inputs_are_read_back_and_nobody_elses() {
        let (_directory, history) = history();
        assert_eq!(history.load().expect("there is none"), [""; 0]);
        let inputs = ["1 + 1", "a\nb", "'\u{1b}\"é'", ""];
        inputs.iter().for_each(|input| history.add(input).expect("written"));
        assert_eq!(history.load().expect("read"), inputs);
        let path = history.path.clone().expect("a path");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        // One that others could read is closed to them.
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("set");
        history.add("x").expect("written");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        fs::write(&path, b"\"a\"\nnonsense\n\xff\xfe\n\"b\"\n").expect("written");
        assert_eq!(history.load().expect("read"), ["a", "b"]);
    }

    #[test]
    fn the_file_is_bounded() {
        let (_directory, history) = history();
        let long = "x".repeat(50 << 10);
        for n in 0..60 {
            history.add(&format!("{n} {long}")).expect("written");
        }
        let size = fs::metadata(history.path.as_ref().expect("a path")).expect("there").len();
        assert!(size <= MOST_BYTES, "{size}");
        let entries = history.load().expect("read");
        assert!(entries.len() >= 10 && entries.last().is_some_and(|last| last.starts_with("59 ")), "{}", entries.len());
        history.add(&"x".repeat(LONGEST + 1)).expect("passed by");
        assert!(history.load().expect("read").last().is_some_and(|last| last.starts_with("59 ")));
    }
}
