//! What a preloaded library costs: creating a session with lodash against loading lodash from its source into a session.
//! The three are measured in turns in one run, so that a busy machine slows all of them.
#![expect(clippy::print_stdout, reason = "a bench reports")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run stops")]

use std::path::Path;
use std::time::Instant;

use vmsys_core::{Config, ExecutionStatus, LibraryCache, NewSession, NewTemplate, TemplateId, VmSystem};

/// The most that a session with the library may cost, as a part of loading it from source.
const BUDGET: f64 = 1.0 / 3.0;
const ROUNDS: usize = 101;
/// Where the tests keep the real files, too.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/libraries");

fn main() {
    if !Path::new(CACHE).join("lodash-4.17.21.js").exists() {
        println!("lodash is not in {CACHE}: `cargo xtask bench` gets it");
        std::process::exit(1);
    }
    let source = LibraryCache::open(CACHE).unwrap().source("lodash").unwrap().source;
    let mut config = Config::default();
    config.library_cache = Some(CACHE.into());
    let vm = VmSystem::with_config(config).unwrap();
    let empty = vm.create_template(NewTemplate::named("empty")).unwrap().id;
    let preloaded = vm.create_template(NewTemplate::named("preloaded")).unwrap().id;
    vm.add_library(preloaded, "lodash").unwrap();

    let create = |template: TemplateId| {
        let started = Instant::now();
        let session = vm.create_session(NewSession::new(template, std::env::temp_dir())).unwrap();
        (session, started.elapsed().as_secs_f64() * 1e3)
    };
    let (mut without, mut with, mut from_source) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (session, creation) = create(empty);
        without.push(creation);
        let started = Instant::now();
        assert_eq!(session.repl(&*source).unwrap().status, ExecutionStatus::Ok);
        from_source.push(started.elapsed().as_secs_f64() * 1e3);
        session.close().unwrap();

        let (session, creation) = create(preloaded);
        with.push(creation);
        assert_eq!(session.repl("_.chunk([1, 2, 3], 2).length").unwrap().result.unwrap().preview, "2");
        session.close().unwrap();
    }
    let (without, with, from_source) = (median(without), median(with), median(from_source));
    println!("a session                       {without:8.3} ms");
    println!("a session with lodash           {with:8.3} ms");
    println!("loading lodash from source      {from_source:8.3} ms");
    println!("ratio                           {:8.3} (budget {BUDGET:.3})", with / from_source);
    println!("ratio of the library alone      {:8.3}", (with - without) / from_source);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
