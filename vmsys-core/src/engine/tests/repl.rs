//! What one script of a session declares, and the next one declares again.

use super::*;
use crate::value::ValueType;

const FILES: [(&str, &str); 4] = [
    ("cases.txt", include_str!("../../../../tests/repl/cases.txt")),
    ("declarations.txt", include_str!("../../../../tests/repl/declarations.txt")),
    ("values.txt", include_str!("../../../../tests/repl/values.txt")),
    ("typescript.txt", include_str!("../../../../tests/repl/typescript.txt")),
];
/// Runs cases in Node.js; see there.
const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/repl/node.mjs");

#[derive(Default)]
struct Case {
    name: String,
    strict: bool,
    typescript: bool,
    inputs: Vec<Input>,
}

struct Input {
    text: String,
    /// Of the file that it is, if it is one.
    file: Option<&'static str>,
    expected: Expected,
    console: Option<Vec<String>>,
    /// Why Node does something else.
    node_differs: Option<String>,
}

enum Expected {
    AnyValue,
    Value(String),
    Undefined,
    Error(String),
}

fn cases() -> Vec<Case> {
    FILES.iter().flat_map(|(_, text)| cases_of(text)).collect()
}

fn cases_of(text: &'static str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut file = None;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let line = line.strip_suffix('⏹').unwrap_or(line);
        if let Some(name) = line.strip_prefix("name: ") {
            file = None;
            cases.push(Case { name: name.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("a case begins with its name");
        if line == "strict" {
            case.strict = true;
            continue;
        }
        if line == "typescript" {
            case.typescript = true;
            continue;
        }
        if let Some(name) = line.strip_prefix("file: ") {
            file = Some(name);
            continue;
        }
        if let Some(text) = line.strip_prefix("in:") {
            let text = text.strip_prefix(' ').unwrap_or(text);
            let text = text.replace('↵', "\n").replace('␍', "\r").replace('␤', "\u{2028}").replace('␀', "\0");
            let text = text.replace('␉', "\u{feff}");
            let expected = Expected::AnyValue;
            case.inputs.push(Input { text, file, expected, console: None, node_differs: None });
            continue;
        }
        let input = case.inputs.last_mut().expect("an input goes before");
        match line.split_once(": ") {
            Some(("is", text)) => input.expected = Expected::Value(text.to_owned()),
            Some(("error", text)) => input.expected = Expected::Error(text.to_owned()),
            Some(("console", text)) => input.console.get_or_insert_default().push(text.to_owned()),
            Some(("node", reason)) => input.node_differs = Some(reason.to_owned()),
            None if line == "undefined" => input.expected = Expected::Undefined,
            _ => panic!("what is {line:?}?"),
        }
    }
    cases
}

impl Case {
    fn problem(&self, bench: &mut Bench) -> Option<String> {
        self.inputs.iter().find_map(|input| {
            let ends = |endings: &[&str]| input.file.is_some_and(|file| endings.iter().any(|end| file.ends_with(end)));
            bench.name = input.file.unwrap_or("repl");
            bench.goal = if ends(&[".mjs", ".mts"]) { Goal::Module } else { Goal::Script };
            bench.typescript = if input.file.is_some() { ends(&[".ts", ".mts", ".cts"]) } else { self.typescript };
            let end = bench.run(&input.text);
            let met = match (&end, &input.expected) {
                (End::Value(_), Expected::AnyValue) => true,
                (End::Value(value), Expected::Value(text)) => value.preview == *text,
                (End::Value(value), Expected::Undefined) => value.kind == ValueType::Undefined,
                (End::Exception(error), Expected::Error(text)) => {
                    error.message.contains(text) || error.stack.as_ref().is_some_and(|stack| stack.contains(text))
                }
                _ => false,
            };
            let printed = bench.events.iter().filter_map(|event| match event {
                Payload::Console { text, .. } => Some(text.replace('\n', "↵")),
                _ => None,
            });
            let printed: Vec<String> = printed.collect();
            let met = met && input.console.as_ref().is_none_or(|console| *console == printed);
            (!met).then(|| format!("{}: {:?} ended with {end:?}, printed {printed:?}", self.name, input.text))
        })
    }

    /// Whether Node has all that it takes: no types, and no files.
    fn suits_node(&self) -> bool {
        !self.typescript && self.inputs.iter().all(|input| input.file.is_none())
    }
}

#[test]
fn every_case_holds() {
    let run = || {
        let mut problems = Vec::new();
        let cases = cases();
        assert!(cases.len() >= 170, "only {} cases", cases.len());
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

/// What came of an input in Node.
#[derive(serde::Deserialize)]
struct InNode {
    value: Option<String>,
    #[serde(default)]
    undefined: bool,
    error: Option<String>,
    console: String,
}

impl Input {
    /// Whether Node did what is expected here. Engines word errors in their own ways: of those only the name counts.
    fn agrees(&self, node: &InNode) -> bool {
        let ended = match &self.expected {
            Expected::AnyValue => node.error.is_none(),
            Expected::Value(text) => node.value.as_ref() == Some(text),
            Expected::Undefined => node.undefined,
            Expected::Error(text) => {
                let name = text.split_once(": ").map(|(name, _)| name).filter(|name| name.ends_with("Error"));
                let thrown = node.error.as_deref();
                thrown.is_some_and(|thrown| name.is_none_or(|name| thrown.starts_with(name)))
            }
        };
        let console = |lines: &Vec<String>| lines.iter().map(|line| line.replace('↵', "\n") + "\n").collect::<String>();
        ended && self.console.as_ref().is_none_or(|lines| node.console == console(lines))
    }
}

#[test]
fn differences_from_node_are_listed() {
    use std::io::Write as _;
    let cases: Vec<Case> = cases().into_iter().filter(Case::suits_node).collect();
    assert!(cases.len() >= 130, "only {} cases", cases.len());
    let text = |case: &Case| {
        let inputs: Vec<&str> = case.inputs.iter().map(|input| input.text.as_str()).collect();
        serde_json::json!({ "strict": case.strict, "inputs": inputs })
    };
    let document = serde_json::Value::from(cases.iter().map(text).collect::<Vec<_>>()).to_string();
    let mut node = std::process::Command::new("node")
        .arg(NODE)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("this test compares with Node.js: it must be installed");
    node.stdin.take().expect("a pipe").write_all(document.as_bytes()).expect("node reads");
    let output = node.wait_with_output().expect("node ends");
    let results: Vec<Vec<InNode>> = serde_json::from_slice(&output.stdout).expect("node answers for each input");
    assert_eq!(results.len(), cases.len());
    let mut problems = Vec::new();
    for (case, results) in cases.iter().zip(&results) {
        assert_eq!(results.len(), case.inputs.len());
        for (input, result) in case.inputs.iter().zip(results) {
            let shown = result.error.as_ref().or(result.value.as_ref());
            match (input.agrees(result), &input.node_differs) {
                (true, Some(_)) => problems.push(format!("{}: {:?} is no different by now", case.name, input.text)),
                (false, None) => problems.push(format!(
                    "{}: {:?} comes to {shown:?} in Node, printing {:?}",
                    case.name, input.text, result.console
                )),
                _ => {}
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
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
