//! Libraries that sessions start with, from a local cache and nowhere else.
#![expect(clippy::print_stdout, reason = "examples show what they do")]

use vmsys_core::{Config, LibraryCache, NewLibrary, NewSession, NewTemplate, VmSystem};

const SOURCE: &str = "var money = { format: (cents) => `${(cents / 100).toFixed(2)} EUR` }";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;

    // The file is kept with its checksum, which is compared whenever it is loaded. `vm-system libs download` fills a cache
    // with well-known ones.
    let cache = LibraryCache::open(directory.path())?;
    let library = cache.add(NewLibrary::new("money", "1.0.0"), SOURCE.as_bytes())?;
    println!("cached {}", library.spec());

    let mut config = Config::default();
    config.library_cache = Some(directory.path().to_owned());
    let vm = VmSystem::with_config(config)?;
    let template = vm.create_template(NewTemplate::named("prices"))?;
    vm.add_library(template.id, "money")?;

    // It is compiled once in the program, and there in every new session before anything else runs.
    let session = vm.create_session(NewSession::new(template.id, directory.path()))?;
    assert_eq!(session.call::<String>("money.format", (1999,))?, "19.99 EUR");

    // Not for sessions whose template was not given it.
    let bare = vm.create_template(NewTemplate::named("bare"))?;
    let session = vm.create_session(NewSession::new(bare.id, directory.path()))?;
    assert_eq!(session.eval::<String>("typeof money")?, "undefined");
    Ok(())
}
