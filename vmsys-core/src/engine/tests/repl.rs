//! What one script of a session declares, and the next one declares again.

use super::*;
use crate::value::ValueType;

const CASES: &str = include_str!("../../../../tests/repl/cases.txt");

#[derive(Default)]
struct Case {
    name: String,
    strict: bool,
    inputs: Vec<(String, Expected)>,
}

enum Expected {
    AnyValue,
    Value(String),
    Undefined,
    Error(String),
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let lines = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        if let Some(name) = line.strip_prefix("name: ") {
            cases.push(Case { name: name.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("a case begins with its name");
        if line == "strict" {
            case.strict = true;
        } else if let Some(input) = line.strip_prefix("in: ") {
            let input = input.replace('↵', "\n").replace('␍', "\r").replace('␤', "\u{2028}").replace('␀', "\0");
            case.inputs.push((input, Expected::AnyValue));
        } else {
            let expected = match line.split_once(": ") {
                Some(("is", text)) => Expected::Value(text.to_owned()),
                Some(("error", text)) => Expected::Error(text.to_owned()),
                None if line == "undefined" => Expected::Undefined,
                _ => panic!("what is {line:?}?"),
            };
            case.inputs.last_mut().expect("an input goes before").1 = expected;
        }
    }
    cases
}

impl Case {
    fn problem(&self, bench: &mut Bench) -> Option<String> {
        self.inputs.iter().find_map(|(input, expected)| {
            let end = bench.run(input);
            let met = match (&end, expected) {
                (End::Value(_), Expected::AnyValue) => true,
                (End::Value(value), Expected::Value(text)) => value.preview == *text,
                (End::Value(value), Expected::Undefined) => value.kind == ValueType::Undefined,
                (End::Exception(error), Expected::Error(text)) => {
                    error.message.contains(text) || error.stack.as_ref().is_some_and(|stack| stack.contains(text))
                }
                _ => false,
            };
            (!met).then(|| format!("{}: {input:?} ended with {end:?}", self.name))
        })
    }
}

#[test]
fn every_case_holds() {
    let run = || {
        let mut problems = Vec::new();
        let cases = cases();
        assert!(cases.len() >= 70, "only {} cases", cases.len());
        for case in cases {
            let config =
                RealmConfig { console: true, strict: case.strict, seed: 1, origin_ms: 0, ..RealmConfig::default() };
            let realm = || QuickRealm::new(&config).expect("a realm");
            problems.extend(case.problem(&mut Bench::new(Box::new(realm()))));
            problems.extend(case.problem(&mut Bench::new(Box::new(Wire(realm())))));
        }
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    };
    on_big_stack(run);
}

#[test]
fn what_a_stopped_job_declared_is_undone() {
    on_both(|bench| {
        bench.value("let x = 1; const big = 2; let Map = 3");
        bench.limits.wall = Duration::from_millis(40);
        assert_eq!(bench.run("let x = 5, y = (() => { for (;;); })(), Map = 6"), End::Stopped(Stop::Wall));
        assert_eq!(bench.run("let x = await new Promise(r => setTimeout(r, 1e6))"), End::Stopped(Stop::Wall));
        bench.limits.wall = Duration::from_secs(10);
        bench.limits.memory_bytes = 8 << 20;
        assert_eq!(bench.run("const big = 'x'.repeat(2e6).split('')"), End::Stopped(Stop::Memory));
        assert_eq!(bench.value("[x, typeof y, Map, big].join()"), "5,undefined,3,2");
        bench.value("let x = 7, y = 8; const Map = 9, big = 10");
        assert_eq!(bench.value("[x, y, Map, big].join()"), "7,8,9,10");
    });
}

#[test]
fn values_that_were_declared_over_are_let_go_of() {
    on_both(|bench| {
        bench.limits.memory_bytes = 24 << 20;
        for _ in 0..20 {
            assert_eq!(bench.value("const data = new Array(4e5).fill(1); data.length"), "400000");
        }
    });
}

#[test]
fn absurd_texts_end_like_others() {
    on_both(|bench| {
        bench.value("let x = 1");
        let deep = [
            "[".repeat(100_000),
            format!("let x = {}", "(".repeat(100_000)),
            format!("{{{}", "[".repeat(100_000)),
            "{".repeat(100_000),
            format!("let x = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
            format!("let x = {}", "`${".repeat(1_000_000)),
            format!("let x = {}1", "x => ".repeat(100_000)),
        ];
        for source in &deep {
            let end = bench.run(source);
            assert!(matches!(end, End::Exception(_) | End::Stopped(Stop::Memory)), "{end:?}");
            assert_eq!(bench.value("x"), "1");
        }
    });
}

#[test]
fn large_texts_take_no_longer_than_twice() {
    on_both(|bench| {
        bench.limits.memory_bytes = 512 << 20;
        bench.value("let x = 1");
        let large = format!("let x = 2; {}", "x = x + 1;\n".repeat(100_000));
        assert_eq!(bench.value(&large), "100002");
        let commented = format!("let x = 3; // {}", "let x ".repeat(2_000_000));
        assert_eq!(bench.run(&commented), bench.run("let y"));
        assert_eq!(bench.value("x"), "3");
    });
}

#[test]
fn many_names_are_declared_again_together() {
    on_both(|bench| {
        let all: String = (0..2_000).map(|n| format!("const name{n} = {n};\n")).collect();
        bench.value(&all);
        bench.value(&all);
        assert_eq!(bench.value("name0 + name1999"), "1999");
        // Finding out takes the square of their number: the limits hold for it, too.
        let too_many: String = (0..20_000).map(|n| format!("let many{n} = {n};\n")).collect();
        bench.value(&too_many);
        bench.limits.wall = Duration::from_millis(100);
        let started = Instant::now();
        assert_eq!(bench.run(&too_many), End::Stopped(Stop::Wall));
        // It would take a minute; on a busy machine the 64 names between two looks at the clock take a while.
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(bench.value("many0 + many19999"), "19999");
    });
}

/// What a session knows of a name.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Known {
    value: u32,
    constant: bool,
}

/// One declaration or use of one of four names.
#[derive(Debug, Clone, Copy)]
enum Step {
    Declare { name: usize, constant: bool, value: u32, awaits: bool },
    Fail { name: usize, constant: bool },
    Assign { name: usize, value: u32 },
}

const NAMES: [&str; 4] = ["a", "b", "ä", "Map"];

impl Step {
    fn text(self) -> String {
        let keyword = |constant| if constant { "const" } else { "let" };
        match self {
            Self::Declare { name, constant, value, awaits } => {
                let wait = if awaits { "await " } else { "" };
                format!("{} {} = {wait}{value};", keyword(constant), NAMES[name])
            }
            Self::Fail { name, constant } => format!("{} {} = null.x;", keyword(constant), NAMES[name]),
            Self::Assign { name, value } => format!("typeof {0} === 'number' ? {0} = {value} : 0;", NAMES[name]),
        }
    }

    fn declares(self) -> Option<usize> {
        match self {
            Self::Declare { name, .. } | Self::Fail { name, .. } => Some(name),
            Self::Assign { .. } => None,
        }
    }
}

/// What an input makes of what is known.
fn expect(input: &[Step], known: &mut [Option<Known>; 4]) {
    let before = *known;
    let declared: Vec<usize> = input.iter().filter_map(|step| step.declares()).collect();
    if (1..declared.len()).any(|n| declared[..n].contains(&declared[n])) {
        return;
    }
    let mut dead: Vec<usize> = declared.clone();
    for step in input {
        match *step {
            Step::Declare { name, constant, value, .. } => {
                known[name] = Some(Known { value, constant });
                dead.retain(|&other| other != name);
            }
            Step::Assign { name, .. } if dead.contains(&name) => break,
            Step::Assign { name, value } => match &mut known[name] {
                Some(Known { constant: true, .. }) => break,
                Some(known) => known.value = value,
                None => {}
            },
            Step::Fail { .. } => break,
        }
    }
    for name in dead {
        known[name] = before[name];
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(200))]

    #[test]
    fn a_session_knows_what_was_declared_last(
        inputs in proptest::collection::vec(proptest::collection::vec(step(), 1..5), 1..8)
    ) {
        on_big_stack(move || {
            let config = RealmConfig { console: true, strict: false, seed: 1, origin_ms: 0, ..RealmConfig::default() };
            let mut bench = Bench::new(Box::new(QuickRealm::new(&config).expect("a realm")));
            let mut known = [None; 4];
            for input in &inputs {
                expect(input, &mut known);
                bench.run(&input.iter().map(|step| step.text()).collect::<String>());
                let seen = bench.value("[a => a, typeof a, typeof b, typeof ä, typeof Map].slice(1).join()");
                let kinds: Vec<_> = known.iter().zip(NAMES).map(|(known, name)| match known {
                    Some(_) => "number",
                    None if name == "Map" => "function",
                    None => "undefined",
                }).collect();
                assert_eq!(seen, kinds.join(","), "after {input:?} of {inputs:?}");
                for (name, known) in NAMES.iter().zip(known) {
                    let Some(Known { value, constant }) = known else { continue };
                    assert_eq!(bench.value(name), value.to_string(), "{name} after {input:?} of {inputs:?}");
                    let end = bench.run(&format!("{name} = {value}"));
                    assert_eq!(matches!(end, End::Exception(_)), constant, "{name} after {input:?} of {inputs:?}");
                }
            }
        });
    }
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    use proptest::prelude::*;
    prop_oneof![
        (0..4usize, any::<bool>(), 0..100u32, any::<bool>())
            .prop_map(|(name, constant, value, awaits)| Step::Declare { name, constant, value, awaits }),
        (0..4usize, any::<bool>()).prop_map(|(name, constant)| Step::Fail { name, constant }),
        (0..4usize, 100..200u32).prop_map(|(name, value)| Step::Assign { name, value }),
    ]
}
