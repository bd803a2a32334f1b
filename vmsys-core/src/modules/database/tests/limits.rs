//! Statements that take long, or much memory.

use super::*;

const ENDLESS: &[&str] = &[
    "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
    "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x FROM c) SELECT x FROM c WHERE x > 1",
    "WITH a(x) AS (VALUES(1),(2),(3),(4),(5),(6),(7),(8)) SELECT count(*) FROM a,a b,a c,a d,a e,a f,a g,a h,a i,a j,a k,a l",
    "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT 1 FROM c WHERE printf('%d', x) LIKE '%a%b%c%'",
];

#[test]
fn long_statements_are_interrupted() {
    for sql in ENDLESS {
        let mut bench = Bench::memory().limits(Limits { wall_ms: 100, ..Limits::default() });
        let started = Instant::now();
        assert_eq!(bench.query(sql, vec![]).unwrap_err().code(), Some("SQLITE_INTERRUPT"), "{sql}");
        assert!(started.elapsed() < Duration::from_millis(600), "{sql}: {:?}", started.elapsed());

        let mut bench = Bench::memory().limits(Limits { cpu_ms: 50, ..Limits::default() });
        let started = Instant::now();
        assert_eq!(bench.exec(sql, vec![]).unwrap_err().code(), Some("SQLITE_INTERRUPT"), "{sql}");
        assert!(started.elapsed() < Duration::from_secs(2), "{sql}: {:?}", started.elapsed());
    }
    // Many statements, none of which is long.
    let mut bench = Bench::memory().limits(Limits { wall_ms: 100, ..Limits::default() });
    let started = Instant::now();
    let script = "SELECT 1;".repeat(400_000);
    assert_eq!(bench.exec(&script, vec![]).unwrap_err().code(), Some("SQLITE_INTERRUPT"));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    // Somebody asks.
    let mut bench = Bench::memory();
    let asking = {
        let live = bench.live.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            live.request_stop("enough");
        })
    };
    assert_eq!(bench.query(ENDLESS[0], vec![]).unwrap_err().code(), Some("SQLITE_INTERRUPT"));
    asking.join().unwrap();
    // And it can be used on.
    bench.live = execution(Limits::default());
    assert_eq!(bench.one("SELECT 1"), number(1));
}

/// The process's own memory, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

/// Runs alone in a process of its own, whose memory is measured.
#[test]
fn memory_is_bounded() {
    const ALONE: &str = "VMSYS_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let test = "modules::database::tests::limits::memory_is_bounded";
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(ALONE, "1")
            .status()
            .unwrap();
        assert!(run.success());
        return;
    }
    let numbers = "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c LIMIT 100000000)";
    let wide = (0..2000).map(|_| "randomblob(10000000)").collect::<Vec<_>>().join(",");
    let constants = (0..2000).map(|n| format!("hex(zeroblob({}))", 8_000_000 + n)).collect::<Vec<_>>().join(" || ");
    let bombs = [
        format!("{numbers} SELECT group_concat(x || 'some text') FROM c"),
        format!("{numbers} SELECT json_group_array(randomblob(1000)) FROM c"),
        format!("{numbers} SELECT x FROM c ORDER BY random()"),
        format!("{numbers} SELECT randomblob(100000) AS b FROM c ORDER BY b"),
        format!("{numbers} SELECT DISTINCT hex(randomblob(100)) FROM c"),
        format!("{numbers} SELECT count(*) FROM (SELECT x, randomblob(1000) FROM c UNION SELECT 1, 2)"),
        format!("{numbers} SELECT sum(x) OVER (ORDER BY x ROWS UNBOUNDED PRECEDING) FROM (SELECT x, randomblob(1000) b FROM c)"),
        format!("{numbers} SELECT hex(randomblob(1000)) FROM c"),
        format!("SELECT {wide}"),
        format!("SELECT length({constants})"),
        "SELECT replace(hex(zeroblob(20000000)), '0', hex(zeroblob(1000)))".to_owned(),
        "SELECT printf('%.2000000000d', 1)".to_owned(),
        "SELECT zeroblob(2000000000)".to_owned(),
        "SELECT randomblob(1000000000)".to_owned(),
        "WITH RECURSIVE c(x) AS (VALUES('aaaaaaaaaa') UNION ALL SELECT x || x FROM c) SELECT max(length(x)) FROM c".to_owned(),
        "CREATE TABLE IF NOT EXISTS t (b); INSERT INTO t WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT randomblob(100000) FROM c".to_owned(),
        "CREATE TEMP TABLE IF NOT EXISTS u (b); INSERT INTO u WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT randomblob(100000) FROM c".to_owned(),
        format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("SELECT {}1", "1+".repeat(100_000)),
        format!("SELECT {}", "-".repeat(2_000_000)),
        ";".repeat(3_000_000),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(100_000)),
    ];
    let mut bench = Bench::memory();
    for bomb in &bombs {
        for function in ["query", "exec"] {
            bench.live = execution(Limits { mem_mb: 32, cpu_ms: 400, wall_ms: 800, ..Limits::default() });
            let error = bench.call(function, &[bomb.as_str().into()]);
            let shown: String = bomb.chars().take(120).collect();
            let error = match error {
                Err(error) => error,
                // exec looks at no rows.
                Ok(_) if function == "exec" => continue,
                Ok(_) => panic!("{shown}"),
            };
            let code = error.code().unwrap();
            let ended = [
                "SQLITE_NOMEM",
                "SQLITE_TOOBIG",
                "SQLITE_INTERRUPT",
                "SQLITE_ERROR",
                "SQLITE_FULL",
                "ERR_OUT_OF_RANGE",
                "ERR_INVALID_ARG_VALUE",
            ];
            assert!(ended.contains(&code), "{shown}: {error}");
        }
    }
    let used = resident() >> 20;
    assert!(used < 32 * 2 + 64, "{used} MiB");
    // What is held is given back.
    bench.live = execution(Limits { mem_mb: 32, ..Limits::default() });
    bench.exec("DROP TABLE t; DROP TABLE u; VACUUM", vec![]).unwrap();
    assert_eq!(bench.one("SELECT length(hex(zeroblob(4000000)))"), number(8_000_000));
}

#[test]
fn what_a_database_holds_counts_in_the_next_call_too() {
    let mut bench = Bench::memory();
    for table in ["TABLE a", "TEMP TABLE b"] {
        bench.live = execution(Limits { mem_mb: 8, ..Limits::default() });
        bench.exec(&format!("CREATE {table} (b)"), vec![]).unwrap();
        let name = &table[table.len() - 1..];
        let mut kept = 0;
        let refused = loop {
            match bench.exec(&format!("INSERT INTO {name} VALUES (zeroblob(500000))"), vec![]) {
                Ok(_) => kept += 1,
                Err(error) => break error,
            }
            assert!(kept < 32, "{table}");
        };
        assert_eq!(refused.code(), Some("SQLITE_NOMEM"), "{refused}");
        assert!(kept > 4, "{table}: {kept}");
        bench.exec(&format!("DROP TABLE {name}; VACUUM"), vec![]).unwrap();
    }
}
