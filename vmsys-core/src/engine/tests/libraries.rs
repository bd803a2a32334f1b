//! Libraries, and what they leave behind.

use super::*;

/// What a realm with one library is made from.
fn with_library(source: &str) -> RealmConfig {
    let library = LibraryCode {
        file: "lib.js".to_owned(),
        source: source.to_owned(),
        integrity: source.to_owned(),
        global: Some("lib".to_owned()),
        sets: None,
    };
    let limits = JobLimits {
        cpu: Duration::from_secs(5),
        wall: Duration::from_secs(10),
        memory_bytes: 64 << 20,
        output_bytes: 512 << 10,
        events: 10_000,
    };
    RealmConfig { libraries: vec![library], limits, ..with_test_module() }
}

#[test]
fn what_a_library_leaves_queued_is_over_before_the_first_job() {
    let source = "globalThis.lib = []; Promise.resolve().then(() => lib.push('queued')).then(() => lib.push('after'));
        setTimeout(() => lib.push('timer'), 0); setInterval(() => lib.push('interval'), 1);
        require('test').later(1).then(() => lib.push('answered'));
        Promise.reject(new Error('handled')).catch(() => lib.push('caught'));";
    on_both_with(with_library(source), |bench| {
        assert_eq!(bench.value("lib.join()"), "queued,caught,after");
        assert_eq!(bench.value("await new Promise((done) => setTimeout(done, 20)); lib.length"), "3");
    });
}

#[test]
fn a_library_that_rejects_or_goes_on_for_ever_fails() {
    on_big_stack(|| {
        for (source, words) in [
            ("globalThis.lib = 1; Promise.reject(new TypeError('mine'))", "lib.js failed: TypeError: mine"),
            ("globalThis.lib = 1; queueMicrotask(() => { throw new Error('late') })", "lib.js failed: Error: late"),
            ("globalThis.lib = 1; (async () => { for (;;) await 1 })()", "it passed a limit of the template (Cpu)"),
        ] {
            let mut config = with_library(source);
            config.limits.cpu = Duration::from_millis(200);
            match QuickRealm::new(&config).map(drop) {
                Err(NotMade::Library(why)) => assert!(why.contains(words), "{why}"),
                other => panic!("{source}: {other:?}"),
            }
        }
    });
}
