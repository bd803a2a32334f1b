//! What a program of root's is more than one of anybody else's: little, once this is dropped.

use rustix::thread::{CapabilitySet, capabilities, capability_is_in_bounding_set};

/// What root's programs keep: a worktree may be another user's.
const KEPT: CapabilitySet = CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::FOWNER).union(CapabilitySet::FSETID);

/// What this program could hand on to others.
#[derive(Debug)]
pub(super) struct Privileges {
    dropped: CapabilitySet,
    can_drop: bool,
}

impl Privileges {
    pub(super) fn look() -> Self {
        let own = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.permitted);
        let inherits = rustix::process::geteuid().is_root() || rustix::process::getuid().is_root();
        let bounding = CapabilitySet::all().iter().filter(|one| capability_is_in_bounding_set(*one).unwrap_or(false));
        let at_most = if inherits { bounding.collect() } else { own };
        let can_drop = !inherits || own.contains(CapabilitySet::SETPCAP);
        Self { dropped: at_most.difference(KEPT), can_drop }
    }

    /// What is to be dropped.
    pub(super) fn to_drop(&self) -> CapabilitySet {
        self.dropped
    }

    pub(super) fn missing(&self) -> Option<String> {
        let stuck = !self.can_drop && !self.dropped.is_empty();
        stuck.then(|| "the right to drop root's capabilities".to_owned())
    }
}
