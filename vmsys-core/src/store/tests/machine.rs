//! A machine whose power can be cut: what of its files is on the disk, and what is only on its way there.
//!
//! The disk promises what SQLite relies on and no more. What was written before the last sync of a file is there. What
//! was written since may be there or not, in any selection and torn between two sectors, and where a file has grown there
//! may be anything. Names that were made or removed follow in their order, as file systems with a journal have it, up to
//! some point behind the last sync of the directory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The files of a directory: what is found when the power is back.
pub(super) type Image = BTreeMap<String, Vec<u8>>;

/// Puts the files of an image into a directory.
pub(super) fn restore(image: &Image, directory: &Path) {
    for (name, content) in image {
        std::fs::write(directory.join(name), content).unwrap();
    }
}

/// What becomes of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syncs {
    Honoured,
    /// The disk says that it is done, and does nothing.
    Ignored,
}

/// The power is off: nothing is written any more.
#[derive(Debug)]
pub(super) struct Off;

pub(super) struct Machine(Mutex<State>);

struct State {
    /// How many writes there will be before the power is cut.
    left: u64,
    /// How many there were.
    done: u64,
    syncs: Syncs,
    rng: Rng,
    files: Vec<Content>,
    /// The names as programs see them, and as the disk has them; each stands for a file of `files`.
    names: BTreeMap<String, usize>,
    names_on_disk: BTreeMap<String, usize>,
    unsynced_names: Vec<NameChange>,
    /// What the cut has left.
    image: Option<Image>,
}

enum NameChange {
    Made(String, usize),
    Removed(String),
}

impl Machine {
    /// One whose disk has these files, and whose power is cut at one of its next writes.
    pub(super) fn new(image: &Image, writes: u64, syncs: Syncs, rng: Rng) -> Self {
        let files = image.values().map(|content| Content { on_disk: content.clone(), unsynced: Vec::new() }).collect();
        let names: BTreeMap<_, _> = image.keys().cloned().zip(0..).collect();
        Self(Mutex::new(State {
            left: writes,
            done: 0,
            syncs,
            rng,
            files,
            names_on_disk: names.clone(),
            names,
            unsynced_names: Vec::new(),
            image: None,
        }))
    }

    /// A file is opened, and made if it is not there. Answers its number.
    pub(super) fn open(&self, name: &str) -> Result<usize, Off> {
        let mut state = self.lock();
        if let Some(file) = state.names.get(name) {
            return Ok(*file);
        }
        state.step()?;
        let file = state.files.len();
        state.files.push(Content::default());
        state.names.insert(name.to_owned(), file);
        state.unsynced_names.push(NameChange::Made(name.to_owned(), file));
        Ok(file)
    }

    pub(super) fn write(&self, file: usize, at: usize, bytes: &[u8]) -> Result<(), Off> {
        let mut state = self.lock();
        // On its way when the power goes, it may get there in part.
        state.files[file].unsynced.push(Change::Write { at, bytes: bytes.to_vec() });
        state.step()
    }

    pub(super) fn truncate(&self, file: usize, len: usize) -> Result<(), Off> {
        let mut state = self.lock();
        state.files[file].unsynced.push(Change::Truncate(len));
        state.step()
    }

    /// Waits until a file is on the disk, and with it the names of the directory, if that is asked for.
    pub(super) fn sync(&self, file: usize, with_names: bool) -> Result<(), Off> {
        let mut state = self.lock();
        state.step()?;
        if state.syncs == Syncs::Honoured {
            state.files[file].sync();
            if with_names {
                state.sync_names();
            }
        }
        Ok(())
    }

    pub(super) fn remove(&self, name: &str, with_names: bool) -> Result<(), Off> {
        let mut state = self.lock();
        if state.names.remove(name).is_none() {
            return Ok(());
        }
        state.unsynced_names.push(NameChange::Removed(name.to_owned()));
        state.step()?;
        if with_names && state.syncs == Syncs::Honoured {
            state.sync_names();
        }
        Ok(())
    }

    /// How many writes there were.
    pub(super) fn writes(&self) -> u64 {
        self.lock().done
    }

    /// Tells whether the power is off.
    pub(super) fn is_off(&self) -> bool {
        self.lock().image.is_some()
    }

    /// Cuts the power, unless that has happened, and answers what the disk has.
    pub(super) fn cut(&self) -> Image {
        self.lock().cut().clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Something reaches the disk, unless this is the moment at which the power is cut, or a later one.
    fn step(&mut self) -> Result<(), Off> {
        if self.left == 0 {
            self.cut();
        }
        if self.image.is_some() {
            return Err(Off);
        }
        self.left -= 1;
        self.done += 1;
        Ok(())
    }

    fn sync_names(&mut self) {
        self.names_on_disk = self.names.clone();
        self.unsynced_names.clear();
    }

    fn cut(&mut self) -> &Image {
        let Self { rng, files, names_on_disk, unsynced_names, image, .. } = self;
        image.get_or_insert_with(|| {
            let mut names = names_on_disk.clone();
            for change in unsynced_names.iter().take(rng.usize(..=unsynced_names.len())) {
                match change {
                    NameChange::Made(name, file) => names.insert(name.clone(), *file),
                    NameChange::Removed(name) => names.remove(name),
                };
            }
            names.into_iter().map(|(name, file)| (name, files[file].after_cut(rng))).collect()
        })
    }
}

#[derive(Default)]
struct Content {
    on_disk: Vec<u8>,
    unsynced: Vec<Change>,
}

enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// What a cut does to what is not synced: all of these are found in the wild.
enum Fate {
    /// Nothing has reached the disk.
    Lost,
    /// Everything has.
    Kept,
    /// What came first has, up to the middle of one change.
    Until(usize),
    /// Everything but one.
    AllBut(usize),
    /// Some have, others have not.
    Some,
    /// Some sectors have, others have not.
    Sectors,
}

impl Fate {
    fn draw(rng: &mut Rng, changes: usize) -> Self {
        match rng.u8(..8) {
            0 => Self::Lost,
            1 => Self::Kept,
            2 | 3 => Self::Until(rng.usize(..=changes)),
            4 => Self::AllBut(rng.usize(..=changes)),
            5 => Self::Some,
            _ => Self::Sectors,
        }
    }

    /// Whether a sector of this change is kept.
    fn keeps(&self, change: usize, whole: bool, rng: &mut Rng) -> bool {
        match self {
            Self::Lost => false,
            Self::Kept => true,
            Self::Until(last) if change == *last => rng.bool(),
            Self::Until(last) => change < *last,
            Self::AllBut(lost) => change != *lost,
            Self::Some => whole,
            Self::Sectors => rng.bool(),
        }
    }
}

impl Content {
    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            match change {
                Change::Write { at, bytes } => put(&mut self.on_disk, at, &bytes),
                Change::Truncate(len) => self.on_disk.resize(len, 0),
            }
        }
    }

    fn after_cut(&self, rng: &mut Rng) -> Vec<u8> {
        let fate = Fate::draw(rng, self.unsynced.len());
        let grows_with_junk = rng.bool();
        let mut left = self.on_disk.clone();
        for (number, change) in self.unsynced.iter().enumerate() {
            let whole = rng.bool();
            match change {
                Change::Truncate(len) => {
                    if fate.keeps(number, whole, rng) {
                        left.resize(*len, 0);
                    }
                }
                Change::Write { at, bytes } => {
                    for (at, sector) in sectors(*at, bytes) {
                        if fate.keeps(number, whole, rng) {
                            put(&mut left, at, sector);
                        } else if at >= left.len() && grows_with_junk && rng.bool() {
                            let junk: Vec<u8> = sector.iter().map(|_| rng.u8(..)).collect();
                            put(&mut left, at, &junk);
                        }
                    }
                }
            }
        }
        left
    }
}

/// The parts of a write that lie in one sector each.
fn sectors(mut at: usize, mut bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    std::iter::from_fn(move || {
        let (sector, rest) = bytes.split_at(bytes.len().min(SECTOR - at % SECTOR));
        let place = at;
        (at, bytes) = (at + sector.len(), rest);
        (!sector.is_empty()).then_some((place, sector))
    })
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    content.resize(content.len().max(at + bytes.len()), 0);
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

#[test]
fn a_cut_keeps_what_is_synced_and_anything_of_the_rest() {
    let written = |seed| {
        let machine = Machine::new(&Image::new(), u64::MAX, Syncs::Honoured, Rng::with_seed(seed));
        let file = machine.open("a").unwrap();
        machine.write(file, 0, &[1; 1024]).unwrap();
        machine.sync(file, true).unwrap();
        machine.write(file, 100, &[2; 1000]).unwrap();
        machine.open("b").unwrap();
        machine.cut()
    };
    let images: Vec<Image> = (0..200).map(written).collect();
    let mut found = [false; 4];
    for image in &images {
        let a = &image["a"];
        assert_eq!(a[..100], [1; 100], "what lies beside a write is not touched");
        assert!(a.len() >= 1024);
        let torn = a[511] != a[512];
        found[0] |= a[100] == 1 && a.len() == 1024;
        found[1] |= a[100..] == [2; 1000];
        found[2] |= torn;
        found[3] |= image.contains_key("b");
        let whole = |part: &[u8]| part.iter().all(|byte| *byte == part[0]);
        assert!(whole(&a[100..512]) && whole(&a[512..1024]), "a sector is whole");
    }
    assert_eq!(found, [true; 4], "nothing, everything, a part, a new name");
    assert!(images.iter().any(|image| !image.contains_key("b")));
    assert_eq!(images, (0..200).map(written).collect::<Vec<_>>(), "a seed repeats them");
}

#[test]
fn nothing_is_written_without_power() {
    let machine = Machine::new(&Image::new(), 2, Syncs::Honoured, Rng::with_seed(1));
    let file = machine.open("a").unwrap();
    machine.write(file, 0, b"kept").unwrap();
    assert!(!machine.is_off());
    machine.sync(file, true).unwrap_err();
    assert!(machine.is_off());
    let image = machine.cut();
    machine.write(file, 0, b"lost").unwrap_err();
    machine.open("b").unwrap_err();
    assert_eq!((machine.cut(), machine.writes()), (image, 2));
}
