//! `vm-system libs`: the cache of libraries on this machine.
//!
//! There is no daemon in this: the directory is filled before one runs, and any number of programs may use it.

mod cdn;
mod download;
mod npm;

use std::path::PathBuf;

use anstyle::Style;
use clap::Subcommand;
use serde::Serialize;
use vmsys_core::library::CATALOG;
use vmsys_core::{ErrorKind, Library, LibraryCache, LibraryCheck, NewLibrary};

use self::download::DownloadArgs;
use crate::commands::serve::CacheArgs;
use crate::error::{Error, Exit, Result};
use crate::output::{BAD, GOOD, Output};

/// The commands of the group.
#[derive(Debug, Subcommand)]
pub(crate) enum LibsCommand {
    /// Get libraries of the catalogue; those that are there and as they should be are left alone
    Download(DownloadArgs),
    /// List the catalogue, and whatever else the cache holds
    List {
        #[command(flatten)]
        cache: CacheArgs,
    },
    /// Show where the cache is, and how much it holds
    CacheInfo {
        #[command(flatten)]
        cache: CacheArgs,
    },
    /// Compare each file of the cache with its checksum; exit code 1 when one differs
    Verify {
        #[command(flatten)]
        cache: CacheArgs,
    },
    /// Put a file of your own into the cache: a script that sets a global
    #[command(after_help = "\
Example:
  vm-system libs add dist/mine.js --name mine --version 1.2.3 --global Mine")]
    Add {
        /// The file
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// The name that templates call it by: lower-case letters, digits, `-`, `_` and `.`
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Its version, as in 1.2.3
        #[arg(long, value_name = "VERSION")]
        version: String,
        /// The global that the script sets; a session fails to start when it does not
        #[arg(long, value_name = "NAME")]
        global: Option<String>,
        /// What it is for, in a few words
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
        #[command(flatten)]
        cache: CacheArgs,
    },
    /// Remove a file from the cache
    Remove {
        /// The name, with its version where there are several
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        cache: CacheArgs,
    },
}

/// Does what the command says.
pub(crate) fn run(command: LibsCommand, out: &mut Output) -> Result<Exit> {
    match command {
        LibsCommand::Download(args) => download::run(args, out),
        LibsCommand::List { cache } => list(&open(&cache)?, out),
        LibsCommand::CacheInfo { cache } => cache_info(&open(&cache)?, out),
        LibsCommand::Verify { cache } => verify(&open(&cache)?, out),
        LibsCommand::Add { path, name, version, global, description, cache } => {
            let mut new = NewLibrary::new(name, version).description(description);
            new.global = global;
            add(&open(&cache)?, path, new, out)
        }
        LibsCommand::Remove { name, cache } => remove(&open(&cache)?, &name, out),
    }
}

fn open(args: &CacheArgs) -> Result<LibraryCache> {
    LibraryCache::open(&args.cache_dir).map_err(from_the_command_line)
}

/// What the core calls a bad value came from the command line here.
fn from_the_command_line(error: vmsys_core::Error) -> Error {
    match error.kind() {
        // The one field that is no flag's: the content of a file.
        ErrorKind::Validation if error.detail("field") != Some("path") => Error::usage(error.message()),
        _ => error.into(),
    }
}

fn list(cache: &LibraryCache, out: &mut Output) -> Result<Exit> {
    let libraries = cache.list()?;
    if out.is_json() {
        document(&libraries, out)?;
        return Ok(Exit::Done);
    }
    let head = ["NAME", "VERSION", "GLOBAL", "STATUS", "DESCRIPTION"];
    out.table(
        &head,
        libraries.iter().map(|library| {
            let global = library.global.clone().unwrap_or_else(|| "?".to_owned());
            let status = library.check.map_or("not downloaded", word).to_owned();
            vec![library.name.clone(), library.version.clone(), global, status, library.description.clone()]
        }),
    );
    Ok(Exit::Done)
}

fn cache_info(cache: &LibraryCache, out: &mut Output) -> Result<Exit> {
    let info = cache.info()?;
    if out.is_json() {
        document(&info, out)?;
        return Ok(Exit::Done);
    }
    out.line(format_args!("Path: {}", info.path.display()));
    out.line(format_args!("Exists: {}", if info.exists { "yes" } else { "no" }));
    out.line(format_args!("Libraries: {}", info.files));
    out.line(format_args!("Bytes: {}", info.bytes));
    Ok(Exit::Done)
}

fn verify(cache: &LibraryCache, out: &mut Output) -> Result<Exit> {
    let mut libraries = cache.list()?;
    libraries.retain(|library| library.cached);
    if out.is_json() {
        document(&libraries, out)?;
    } else if libraries.is_empty() {
        out.line("No libraries found");
    } else {
        for library in &libraries {
            let check = library.check.unwrap_or(LibraryCheck::Damaged);
            out.styled_field(&library.spec(), word(check), style(check));
        }
    }
    let damaged: Vec<_> = libraries
        .iter()
        .filter(|library| !matches!(library.check, Some(LibraryCheck::Verified | LibraryCheck::Unverified)))
        .map(Library::spec)
        .collect();
    if damaged.is_empty() {
        return Ok(Exit::Done);
    }
    let known = |spec: &&String| CATALOG.iter().any(|known| known.id() == ***spec);
    let again = damaged.iter().find(known).map_or_else(
        || "put your own file there again with `vm-system libs add`".to_owned(),
        |spec| format!("`vm-system libs download {spec}` gets it again"),
    );
    let message = format!("not what was stored, and never loaded: {}", damaged.join(", "));
    Err(Error::failed("LIBRARY_DAMAGED", message).hint(again))
}

fn add(cache: &LibraryCache, path: PathBuf, new: NewLibrary, out: &mut Output) -> Result<Exit> {
    let bytes = std::fs::read(&path)
        .map_err(|error| Error::failed("IO_ERROR", format!("cannot read {}: {error}", path.display())))
        .map_err(|error| error.hint("name a file of this machine with the library's code"))?;
    let origin = std::path::absolute(&path).unwrap_or(path).display().to_string();
    let added = cache.add(new.origin(origin), &bytes).map_err(from_the_command_line)?;
    if out.is_json() {
        document(&added, out)?;
    } else {
        out.line(format_args!("Added library: {} ({} bytes)", added.spec(), bytes.len()));
    }
    Ok(Exit::Done)
}

fn remove(cache: &LibraryCache, name: &str, out: &mut Output) -> Result<Exit> {
    let Some(removed) = cache.remove(name).map_err(from_the_command_line)? else {
        let message = format!("there is no library {name} in the cache");
        return Err(Error::failed("LIBRARY_NOT_FOUND", message).hint("`vm-system libs list` shows what is there"));
    };
    if out.is_json() {
        document(&removed, out)?;
    } else {
        out.line(format_args!("Removed library: {}", removed.spec()));
    }
    Ok(Exit::Done)
}

fn document(value: &impl Serialize, out: &mut Output) -> Result<()> {
    let text = serde_json::to_string(value)
        .map_err(|error| Error::failed("IO_ERROR", format!("the answer cannot be written as JSON: {error}")))?;
    out.json(&text);
    Ok(())
}

fn word(check: LibraryCheck) -> &'static str {
    match check {
        LibraryCheck::Verified => "verified",
        LibraryCheck::Unverified => "unverified",
        _ => "damaged",
    }
}

fn style(check: LibraryCheck) -> Style {
    match check {
        LibraryCheck::Verified => GOOD,
        LibraryCheck::Unverified => Style::new(),
        _ => BAD,
    }
}
