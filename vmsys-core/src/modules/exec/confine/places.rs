//! Which files programs reach, and whether the network: rules of Landlock's.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope, make_bitflags,
};
use rustix::fs::{Mode, OFlags};

use crate::modules::files::{Grant, Identity, ProtectedFiles};

/// The newest that is asked for: Linux 6.12 has all of it.
const NEWEST: ABI = ABI::V6;

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
/// To read a program is to run it: who can do the one can copy it and do the other.
const RUN: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir | Execute});
/// All that is done to files but devices, which are ways past everything here, and sockets, which nobody could use.
const WRITE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    WriteFile | Truncate | RemoveFile | RemoveDir | MakeReg | MakeDir | MakeSym | MakeFifo | Refer
});
const DEVICE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile | IoctlDev});

/// Programs, their libraries and data.
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix", "/gnu/store"];
/// Whose files are everybody's but some.
const SETTINGS: &str = "/etc";
/// What is read by programs that want to know of themselves and of the machine. The rest of `/sys` is not for them, and
/// processes that are not theirs keep their secrets, because whoever is in a ruleset may not look into those without.
const KERNEL: &[&str] = &["/proc", "/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage"];
const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// Names of hosts are looked up by what this says. It is often a link that leads out of the above.
const RESOLVER: &str = "/etc/resolv.conf";

/// What one program may reach.
#[derive(Debug)]
pub(super) struct Allowed<'a> {
    pub(super) grants: Vec<Grant>,
    pub(super) temporary: &'a Path,
    pub(super) search_path: &'a str,
    pub(super) program: Option<&'a Path>,
    pub(super) network: bool,
}

/// Which parts of Landlock this kernel has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Landlock {
    files: bool,
    truncation: bool,
    network: bool,
    devices: bool,
    scopes: bool,
}

impl Landlock {
    pub(super) fn look() -> Self {
        let strict = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        let files = |access: BitFlags<AccessFs>| strict().handle_access(access).is_ok();
        Self {
            files: files(AccessFs::from_all(ABI::V1)),
            truncation: files(AccessFs::from_all(ABI::V3)),
            network: strict().handle_access(AccessNet::from_all(NEWEST)).is_ok(),
            devices: files(AccessFs::from_all(NEWEST)),
            scopes: strict().scope(Scope::from_all(NEWEST)).is_ok(),
        }
    }

    /// Says in words what there is not.
    pub(super) fn missing(self) -> Vec<String> {
        if !self.files {
            return vec!["Landlock".to_owned()];
        }
        let parts = [
            (self.truncation, "Landlock's rules for truncation (Linux 6.2)"),
            (self.network, "Landlock's rules for TCP (Linux 6.7)"),
            (self.devices, "Landlock's rules for devices (Linux 6.10)"),
            (self.scopes, "Landlock's scopes for signals and abstract sockets (Linux 6.12)"),
        ];
        parts.into_iter().filter(|(there, _)| !there).map(|(_, part)| part.to_owned()).collect()
    }

    /// Makes the rules for a program; none, where the kernel has no Landlock.
    pub(super) fn ruleset(
        self,
        allowed: Allowed<'_>,
        public: &Public,
        protected: &ProtectedFiles,
    ) -> Result<Option<OwnedFd>, RulesetError> {
        if !self.files {
            return Ok(None);
        }
        let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort);
        ruleset = ruleset.handle_access(AccessFs::from_all(NEWEST))?.scope(Scope::from_all(NEWEST))?;
        if !allowed.network {
            ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?;
        }
        let mut places = Places { found: Vec::new(), protected: protected.with_above() };
        for directory in SYSTEM.iter().copied().chain(directories(allowed.search_path)) {
            places.add_unprotected(Path::new(directory), RUN);
        }
        places.add_public(Path::new(SETTINGS), public);
        if allowed.network {
            places.add(Path::new(RESOLVER), READ);
        }
        KERNEL.iter().for_each(|path| places.add(Path::new(path), READ));
        DEVICES.iter().for_each(|path| places.add(Path::new(path), DEVICE));
        places.add(allowed.temporary, RUN | WRITE);
        allowed.program.into_iter().for_each(|program| places.add_unprotected(program, RUN));
        for Grant { file, read, write } in allowed.grants {
            let none = BitFlags::EMPTY;
            let access = if read { RUN } else { none } | if write { WRITE } else { none };
            places.found.push((file, access));
        }
        let rules = places.found.into_iter().map(|(file, access)| Ok(PathBeneath::new(file, access)));
        let created = ruleset.create()?.add_rules(rules.map(|rule: Result<_, RulesetError>| rule))?;
        Ok(created.into())
    }
}

fn directories(search_path: &str) -> impl Iterator<Item = &str> {
    search_path.split(':').filter(|directory| directory.starts_with('/'))
}

/// Places for a ruleset. What is not there needs no rule.
struct Places {
    found: Vec<(File, BitFlags<AccessFs>)>,
    /// The daemon's database, and what it is in.
    protected: Vec<Identity>,
}

impl Places {
    fn add(&mut self, path: &Path, access: BitFlags<AccessFs>) {
        self.found.extend(hold(path, OFlags::empty()).map(|file| (file, access)));
    }

    /// Adds a place; or, since nothing can be taken out of one, what is in it, when the daemon's database is.
    fn add_unprotected(&mut self, path: &Path, access: BitFlags<AccessFs>) {
        let Some(file) = hold(path, OFlags::empty()) else { return };
        let Ok(metadata) = file.metadata() else { return };
        if !self.protected.contains(&(&metadata).into()) {
            self.found.push((file, access));
        } else if metadata.is_dir() {
            for (entry, _) in entries(path) {
                self.add_unprotected(&entry, access);
            }
        }
    }

    /// Adds what everybody may read below a directory.
    fn add_public(&mut self, path: &Path, public: &Public) {
        for (entry, metadata) in entries(path) {
            if !is_public(&metadata) {
                continue;
            }
            let is_above = self.protected.contains(&(&metadata).into());
            if metadata.is_dir() && (is_above || public.mixed.contains(&entry)) {
                self.add_public(&entry, public);
            } else if !is_above {
                self.found.extend(hold(&entry, OFlags::NOFOLLOW).map(|file| (file, RUN)));
            }
        }
    }
}

/// Opens a place without reading it.
fn hold(path: &Path, flags: OFlags) -> Option<File> {
    let flags = flags | OFlags::PATH | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).ok().map(File::from)
}

/// What is in a directory, and is no link: where those lead has its own rule, or none.
fn entries(directory: &Path) -> impl Iterator<Item = (PathBuf, Metadata)> + use<> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)));
    found.filter(|(_, metadata)| !metadata.is_symlink())
}

/// Whether its mode lets everybody read it.
fn is_public(metadata: &Metadata) -> bool {
    let wanted = if metadata.is_dir() { 0o005 } else { 0o004 };
    metadata.permissions().mode() & wanted == wanted
}

/// Which directories of settings have something in them that is not for everybody, such as keys. Looked at once: to
/// whatever comes later, a directory that was everybody's stays so.
#[derive(Debug)]
pub(super) struct Public {
    mixed: HashSet<PathBuf>,
}

impl Public {
    pub(super) fn look() -> Self {
        let mut public = Self { mixed: HashSet::new() };
        public.visit(Path::new(SETTINGS));
        public
    }

    /// Tells whether everybody may read all that is in a directory.
    fn visit(&mut self, directory: &Path) -> bool {
        let mut all = true;
        for (entry, metadata) in entries(directory) {
            all &= is_public(&metadata) && (!metadata.is_dir() || self.visit(&entry));
        }
        if !all {
            self.mixed.insert(directory.to_owned());
        }
        all
    }
}
