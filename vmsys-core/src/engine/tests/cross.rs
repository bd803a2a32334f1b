//! How much may cross from a script to its host.

use super::*;

#[test]
fn what_is_copied_for_the_host_is_bounded_together() {
    on_both_with(with_test_module(), |bench| {
        bench.value("const test = require('test'); const many = (value) => Array(300).fill(value); 0");
        for source in [
            "test.echo(many('x'.repeat(1e6)))",
            "test.echo(...many('\\u20ac'.repeat(1e6)))",
            "test.echo(many(new Uint8Array(1e6)))",
            "test.echo(many(new ArrayBuffer(1e6)))",
            "test.echo(many(new DataView(new ArrayBuffer(1e6))))",
            "test.echo(many({['k'.repeat(1e6)]: 1}))",
            "await test.later(many('x'.repeat(1e6)))",
        ] {
            let thrown = bench.exception(source);
            assert_eq!(thrown.message, "RangeError: too much data to be passed to the host at once", "{source}");
        }
        assert_eq!(bench.value("test.echo('x'.repeat(2e7))[0].length"), "20000000");
        assert_eq!(bench.value("test.echo(new ArrayBuffer(2e7))[0].length"), "20000000");
        assert_eq!(bench.value("test.echo(many('x'.repeat(1e4)))[0].length"), "300");
    });
}

/// The engine itself asks every ten thousand calls only.
#[test]
fn calls_with_large_arguments_are_polled() {
    on_both_with(with_test_module(), |bench| {
        bench.limits.cpu = Duration::from_millis(200);
        for source in [
            "const test = require('test'), s = 'x'.repeat(4e6); for (;;) { try { test.later(s) } catch {} }",
            "const all = Array(300).fill(s); for (;;) { try { test.echo(all) } catch {} }",
            "const bytes = new Uint8Array(4e6); for (;;) { try { test.echo(bytes, () => 1) } catch {} }",
            "const big = 2n ** 300000n; for (;;) { try { test.echo(big) } catch {} }",
        ] {
            let started = Instant::now();
            assert_eq!(bench.run(source), End::Stopped(Stop::Cpu), "{source}");
            assert!(started.elapsed() < Duration::from_secs(8), "{source}: {:?}", started.elapsed());
        }
    });
}
