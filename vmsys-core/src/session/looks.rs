//! What is remembered of a session's globals from one look to the next: by that it is told which execution changed them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::ids::ExecutionId;
use crate::lookup::{FoundGlobal, Global};

/// How many executions of a session have ended, and which was the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) count: u64,
    pub(crate) last: Option<ExecutionId>,
}

/// The last look at the globals.
#[derive(Debug)]
pub(crate) struct Looks(Mutex<Looked>);

#[derive(Debug)]
struct Looked {
    /// How many executions had ended then; none when nobody has looked, and it is not known what was there.
    after: Option<u64>,
    seen: HashMap<String, Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    mark: u64,
    changed_by: Option<ExecutionId>,
}

impl Looks {
    /// Of globals of which there are none before the first execution.
    pub(super) fn from_nothing() -> Self {
        Self(Mutex::new(Looked { after: Some(0), seen: HashMap::new() }))
    }

    /// Of globals that are there from the start.
    pub(super) fn of_built_ins() -> Self {
        Self(Mutex::new(Looked { after: None, seen: HashMap::new() }))
    }

    /// Tells of each global which execution has changed it, as far as that is known, and remembers what was found.
    ///
    /// Only what happened between two looks is known: with more than one execution in between, it may have been any.
    pub(crate) fn compare(&self, found: Vec<FoundGlobal>, ended: Ended) -> Vec<Global> {
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two who look at the same time, the one that has seen less may come second.
        let is_news = looked.after.is_none_or(|after| after <= ended.count);
        let changed_by = match looked.after {
            Some(after) if after + 1 == ended.count => ended.last,
            _ => None,
        };
        let mut seen = HashMap::with_capacity(found.len());
        let compared = found.into_iter().map(|global| {
            let FoundGlobal { name, kind, value_type, preview, mark } = global;
            let changed_by = match looked.seen.get(&name) {
                Some(before) if before.mark == mark || !is_news => before.changed_by,
                _ => changed_by,
            };
            seen.insert(name.clone(), Seen { mark, changed_by });
            Global { name, kind, value_type, preview, changed_by }
        });
        let compared = compared.collect();
        if is_news {
            *looked = Looked { after: Some(ended.count), seen };
        }
        compared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::GlobalKind;

    fn look(looks: &Looks, marks: &[(&str, u64)], ended: Ended) -> Vec<Option<ExecutionId>> {
        let found = marks.iter().map(|(name, mark)| FoundGlobal {
            name: (*name).to_owned(),
            kind: GlobalKind::Let,
            value_type: None,
            preview: String::new(),
            mark: *mark,
        });
        looks.compare(found.collect(), ended).into_iter().map(|global| global.changed_by).collect()
    }

    #[test]
    fn a_change_is_that_of_the_only_execution_between_two_looks() {
        let looks = Looks::from_nothing();
        let ids: Vec<_> = (0..6).map(|_| Some(ExecutionId::new())).collect();
        let ended = |count: u64| Ended { count, last: ids[count as usize] };
        assert_eq!(look(&looks, &[("a", 1)], ended(1)), [ids[1]]);
        assert_eq!(look(&looks, &[("a", 1)], ended(1)), [ids[1]]);
        assert_eq!(look(&looks, &[("a", 1), ("b", 1)], ended(2)), [ids[1], ids[2]]);
        assert_eq!(look(&looks, &[("a", 2), ("b", 1)], ended(3)), [ids[3], ids[2]]);
        // Whoever comes late changes nothing.
        assert_eq!(look(&looks, &[("a", 1), ("b", 1)], ended(2)), [ids[3], ids[2]]);
        // Which of the two it was is not known; what has not changed is.
        assert_eq!(look(&looks, &[("a", 3), ("b", 1), ("c", 1)], ended(5)), [None, ids[2], None]);
    }

    #[test]
    fn what_was_there_from_the_start_was_changed_by_nobody() {
        let looks = Looks::of_built_ins();
        let ended = |count| Ended { count, last: Some(ExecutionId::new()) };
        assert_eq!(look(&looks, &[("Array", 1)], ended(1)), [None]);
        let second = ended(2);
        assert_eq!(look(&looks, &[("Array", 1), ("x", 1)], second), [None, second.last]);
    }
}
