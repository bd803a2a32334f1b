//! `vm-system libs download`: which libraries, from where, and what became of each.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use vmsys_core::library::{CATALOG, CatalogLibrary};
use vmsys_core::{LibraryCache, LibraryCheck};

use super::cdn::{self, Cdn};
use super::npm::Npm;
use crate::commands::serve::CacheArgs;
use crate::error::{Error, Exit, Result};
use crate::output::Output;

/// What to get, and from where.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vm-system libs download
  vm-system libs download lodash dayjs-1.11.10 --from npm
  vm-system libs download --cdn http://mirror.example:8080/npm")]
pub(crate) struct DownloadArgs {
    /// Libraries of the catalogue, by name or by name and version; all of them when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Where to get them
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t = From::Cdn)]
    from: From,
    /// Address of a network that serves packages as `ADDRESS/NAME@VERSION/FILE`
    #[arg(
        long,
        value_name = "URL",
        env = "VM_SYSTEM_CDN",
        hide_env_values = true,
        default_value = cdn::DEFAULT,
        value_parser = cdn::address
    )]
    cdn: String,
    /// Get also those that are there and as they should be
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    cache: CacheArgs,
}

/// Where libraries come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// A content delivery network, over HTTP
    Cdn,
    /// The registry that the machine's own npm client is set up for
    Npm,
}

/// What became of a library.
#[derive(Debug, Serialize)]
struct Report {
    name: &'static str,
    version: &'static str,
    outcome: Outcome,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// It was there already, as it should be.
    Present,
    Downloaded,
    Failed,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Reports<'a> {
    cache_dir: String,
    libraries: &'a [Report],
}

/// Gets what is missing. One that fails keeps no other from being there.
pub(super) fn run(args: DownloadArgs, out: &mut Output) -> Result<Exit> {
    let cache = super::open(&args.cache)?;
    let chosen = choose(&args.names)?;
    let bars = Bars::new(out.is_json());
    let (present, wanted): (Vec<_>, Vec<_>) = {
        let list = cache.list()?;
        let is_there = |known: &&CatalogLibrary| {
            let verified = |library: &&vmsys_core::Library| library.check == Some(LibraryCheck::Verified);
            !args.force && list.iter().filter(verified).any(|library| library.spec() == known.id())
        };
        chosen.iter().partition(|known| is_there(known))
    };

    let mut reports: Vec<_> = present.into_iter().map(|known| Report::new(known, Outcome::Present)).collect();
    let store = |known: &CatalogLibrary, bytes: Result<Vec<u8>, String>, origin: &str| {
        let stored = bytes.and_then(|bytes| {
            let stored = cache.add_known(known, &bytes, origin);
            stored.map(drop).map_err(|error| Error::from(error).message().to_owned())
        });
        Report {
            error: stored.clone().err(),
            ..Report::new(known, if stored.is_ok() { Outcome::Downloaded } else { Outcome::Failed })
        }
    };
    if !wanted.is_empty() {
        match args.from {
            From::Cdn => Cdn::new(&args.cdn)?.fetch(&wanted, &bars, |known, bytes, origin| {
                reports.push(store(known, bytes, origin));
            }),
            From::Npm => {
                let npm = Npm::find()?;
                for known in wanted {
                    let bar = bars.waiting(known);
                    reports.push(store(known, npm.fetch(known), "npm"));
                    bar.finish_and_clear();
                }
            }
        }
    }
    reports.sort_by_key(|report| report.name);
    show(&cache, &reports, out)?;
    let failed: Vec<_> = reports.iter().filter(|report| report.outcome == Outcome::Failed).collect();
    if failed.is_empty() { Ok(Exit::Done) } else { Err(failure(&failed, args.from)) }
}

/// The libraries that some names mean, each once.
fn choose(names: &[String]) -> Result<Vec<&'static CatalogLibrary>> {
    if names.is_empty() {
        return Ok(CATALOG.iter().collect());
    }
    let mut chosen: Vec<&CatalogLibrary> = Vec::new();
    for name in names {
        let known = CatalogLibrary::find(name).ok_or_else(|| {
            let known: Vec<_> = CATALOG.iter().map(CatalogLibrary::id).collect();
            Error::failed("LIBRARY_NOT_FOUND", format!("{name} is not in the catalogue: it has {}", known.join(", ")))
                .hint("`vm-system libs add` puts a file of your own into the cache")
        })?;
        if !chosen.contains(&known) {
            chosen.push(known);
        }
    }
    Ok(chosen)
}

fn show(cache: &LibraryCache, reports: &[Report], out: &mut Output) -> Result<()> {
    let directory = cache.directory().unwrap_or(std::path::Path::new("")).display().to_string();
    if out.is_json() {
        return super::document(&Reports { cache_dir: directory, libraries: reports }, out);
    }
    for report in reports {
        let id = format!("{}-{}", report.name, report.version);
        match report.outcome {
            Outcome::Present => out.line(format_args!("Already there: {id}")),
            Outcome::Downloaded => out.line(format_args!("Downloaded: {id} ({} bytes)", report.bytes)),
            Outcome::Failed => {}
        }
    }
    out.line(format_args!("Cache: {directory}"));
    Ok(())
}

fn failure(failed: &[&Report], from: From) -> Error {
    let mut message = "could not download".to_owned();
    for (at, report) in failed.iter().enumerate() {
        let why = report.error.as_deref().unwrap_or_default();
        let separator = if at == 0 { ' ' } else { '\n' };
        let _ = write!(message, "{separator}{}-{}: {why}", report.name, report.version);
    }
    Error::failed("DOWNLOAD_FAILED", message).hint(match from {
        From::Cdn => {
            "the same command gets what is missing, once the network is there; `--from npm` asks this machine's npm \
             client instead, and `--cdn URL` a mirror"
        }
        From::Npm => {
            "`npm ping` says whether the registry can be reached; `--from cdn` asks a content delivery network"
        }
    })
}

impl Report {
    fn new(known: &CatalogLibrary, outcome: Outcome) -> Self {
        Self { name: known.name, version: known.version, outcome, bytes: known.bytes, error: None }
    }
}

/// Progress bars: on a terminal's standard error, and nowhere else.
pub(super) struct Bars(MultiProgress);

impl Bars {
    fn new(hidden: bool) -> Self {
        // Hides itself when standard error is no terminal.
        Self(MultiProgress::with_draw_target(if hidden {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        }))
    }

    /// A bar that fills.
    pub(super) fn filling(&self, known: &CatalogLibrary) -> ProgressBar {
        self.bar(ProgressBar::new(known.bytes), known, "{msg:18} [{bar:30}] {bytes}/{total_bytes}")
    }

    /// A bar for what does not say how far it is.
    fn waiting(&self, known: &CatalogLibrary) -> ProgressBar {
        let bar = self.bar(ProgressBar::new_spinner(), known, "{msg:18} {spinner} {elapsed}");
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        bar
    }

    fn bar(&self, bar: ProgressBar, known: &CatalogLibrary, template: &str) -> ProgressBar {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.0.add(bar.with_style(style.progress_chars("=> ")).with_message(known.id()))
    }
}
