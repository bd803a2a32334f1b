//! Who may name what: the arrows of the picture in ARCHITECTURE.md.

use crate::code::{has_word, module_of};
use crate::hold;
use crate::tree::{self, files, shipped, shipped_in};

/// Where the names of a shipped file stand outside of the folder that they belong to.
fn outside(folder: &str, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in shipped().filter(|file| !file.path.starts_with(folder)) {
        let code = file.code();
        for name in names {
            found.extend(code.places_of(name).map(|line| file.at(line, name)));
        }
    }
    found
}

#[test]
fn only_the_engine_names_rquickjs() {
    hold(
        outside("vmsys-core/src/engine/", &["rquickjs"]),
        "JavaScript stays behind one door, so that a realm can run in another process: give vmsys-core/src/engine a \
         function that takes and returns plain data (isolation/protocol.rs), and call that.",
    );
}

/// The databases of scripts, which are SQLite as well, and share nothing with ours.
const GUEST_DATABASES: &str = "vmsys-core/src/modules/database";

#[test]
fn only_the_store_names_sqlite() {
    hold(
        outside("vmsys-core/src/store/", &["rusqlite", "r2d2", "r2d2_sqlite"])
            .into_iter()
            .filter(|place| !place.starts_with(GUEST_DATABASES)),
        "The database stays behind one door: add a method to Store, in the file of the noun that it is about.",
    );
}

#[test]
fn only_the_store_speaks_sql() {
    let words = ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "PRAGMA ", "BEGIN IMMEDIATE"];
    let mut found = Vec::new();
    let speaks = |path: &str| path.starts_with("vmsys-core/src/store/") || path.starts_with(GUEST_DATABASES);
    for file in shipped().filter(|file| !speaks(&file.path)) {
        let code = file.code();
        let lines = code.lines_with_strings().filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        found.extend(lines.map(|(number, line)| file.at(number, line.trim())));
    }
    hold(found, "Policy and routes hold no SQL: add a method to Store, in the file of the noun that it is about.");
}

/// Which modules of the core a file may not use.
struct Arrow {
    from: &'static [&'static str],
    never: &'static [&'static str],
    advice: &'static str,
}

const ARROWS: &[Arrow] = &[
    Arrow {
        from: &["engine"],
        never: &["store", "system", "session", "template", "worktree", "isolation::thread", "isolation::process"],
        advice: "A realm knows jobs, outcomes and its host, and nothing of who runs it: let what it needs cross the seam \
                 as plain data (isolation/protocol.rs).",
    },
    Arrow {
        from: &["store"],
        never: &["engine", "isolation", "system"],
        advice: "The store keeps records, and knows neither JavaScript nor policy: take the record as an argument.",
    },
    Arrow {
        from: &["isolation/protocol.rs"],
        never: &["engine", "store", "system", "session", "template", "worktree", "isolation::thread"],
        advice: "What crosses the seam is plain data that can be written to a socket: define it here.",
    },
    Arrow {
        from: &["session", "execution", "event", "template", "library", "modules", "worktree.rs"],
        never: &["engine", "system"],
        advice: "Only isolation makes realms, and only VmSystem knows all parts: take what is needed as an argument.",
    },
    Arrow {
        from: &["event", "template", "library"],
        never: &["isolation", "store", "session"],
        advice: "These are records and their rules: whoever keeps or runs them uses them, not the other way round.",
    },
    Arrow { from: &["system"], never: &["engine"], advice: "Only isolation makes realms: ask it for one." },
    Arrow {
        from: &["typescript"],
        never: &[
            "engine",
            "event",
            "execution",
            "session",
            "store",
            "system",
            "template",
            "worktree",
            "isolation::thread",
        ],
        advice: "From text to text: all that it knows of the rest is whether a text is a script or a module.",
    },
    Arrow {
        from: &["error.rs", "ids.rs", "limits.rs", "time.rs", "value.rs", "worktree.rs"],
        never: &["engine", "event", "execution", "isolation", "session", "store", "system", "template"],
        advice: "The leaves of the core use each other only.",
    },
];

/// Imports against an arrow, with why they stay: none.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

#[test]
fn imports_of_the_core_point_down_only() {
    let mut found = Vec::new();
    let mut excused = Vec::new();
    for arrow in ARROWS {
        for file in shipped_in("vmsys-core/src/") {
            let inside = file.path.trim_start_matches("vmsys-core/src/");
            let starts = |from: &&str| {
                from.ends_with(".rs") && inside == *from
                    || inside.strip_prefix(*from).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            if !arrow.from.iter().any(starts) {
                continue;
            }
            for path in file.code().crate_paths(&module_of(&file.path)) {
                let is_in = |module: &str| {
                    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
                };
                if !arrow.never.iter().any(|module| is_in(module)) {
                    continue;
                }
                match EXCEPTIONS.iter().find(|(from, to, _)| starts(from) && path == *to) {
                    Some(exception) => excused.push(exception.1),
                    None => found.push(format!("{} uses {path}. {}", file.path, arrow.advice)),
                }
            }
        }
    }
    hold(found, "Arrows point down only; ARCHITECTURE.md has the picture.");
    let stale = EXCEPTIONS.iter().filter(|exception| !excused.contains(&exception.1));
    hold(
        stale.map(|exception| exception.1.to_owned()),
        "Nothing needs these exceptions any more: take them out of EXCEPTIONS.",
    );
}

#[test]
fn the_core_opens_no_network_connection() {
    let mut found = Vec::new();
    // Descriptors are handed to a process that was started here, by the interface that sockets have.
    let hands_over = |path: &str| path == "vmsys-core/src/isolation/handover.rs";
    for file in shipped_in("vmsys-core/src/").filter(|file| !hands_over(&file.path)) {
        for (number, line) in file.code().lines() {
            let names =
                ["std::net", "cap_std::net", "rustix::net", "TcpStream", "TcpListener", "UdpSocket", "tokio", "hyper"];
            found.extend(names.iter().filter(|name| has_word(line, name)).map(|name| file.at(number, name)));
        }
    }
    hold(found, "vmsys-core has no network: transports are crates above it, and `fetch` is provided by vmsys-server.");
}

#[test]
fn the_command_line_reaches_the_core_in_one_shot_runs_only() {
    let allowed = |path: &str| {
        // The cache of libraries is a directory of this machine, and is filled before any daemon runs.
        path.starts_with("vmsys-cli/src/commands/libs") ||
        // Errors of the core become errors of the program in one place.
        path.starts_with("vmsys-cli/src/commands/run") || path == "vmsys-cli/src/error.rs" ||
        // A prompt without a daemon.
        path == "vmsys-cli/src/commands/repl/here.rs"
    };
    let found = shipped_in("vmsys-cli/src/").filter(|file| !allowed(&file.path) && file.code().names("vmsys_core"));
    hold(
        found.map(|file| file.path.clone()),
        "Every command but `run`, `eval`, `libs` and a `repl` in memory is REST calls to a daemon: add the call to \
         vmsys-cli/src/client.rs.",
    );
}

#[test]
fn the_command_line_reaches_the_server_in_serve_only() {
    let found = shipped_in("vmsys-cli/src/")
        .filter(|file| file.path != "vmsys-cli/src/commands/serve.rs" && file.code().names("vmsys_server"));
    hold(
        found.map(|file| file.path.clone()),
        "`vm-system serve` is vmsys-server's own code, called from commands/serve.rs; the other commands speak REST.",
    );
}

#[test]
fn transports_stay_out_of_handlers() {
    let names = ["hyper", "tokio", "hyper_util"];
    let mut found = Vec::new();
    for file in shipped_in("vmsys-server/src/routes/") {
        let code = file.code();
        found.extend(names.iter().flat_map(|name| code.places_of(name).map(|line| file.at(line, name))));
    }
    hold(
        found,
        "A handler is a function from a Request to an Answer, on a thread that may block: what moves bytes is service.rs.",
    );
}

/// The files that may say `unsafe`, and what for.
const UNSAFE: &[(&str, &str)] = &[
    ("vmsys-core/src/engine/bytecode.rs", "the bytecode of scripts"),
    ("vmsys-core/src/engine/ffi.rs", "calls of QuickJS that rquickjs does not offer"),
    ("vmsys-core/src/engine/guard_alloc.rs", "the engine's allocator"),
    ("vmsys-core/src/engine/modules.rs", "the engine's questions for modules"),
    ("vmsys-core/src/engine/modules/evaluated.rs", "marks in the engine's records of modules"),
    ("vmsys-core/src/engine/modules/required.rs", "the namespace of a module that is required"),
    ("vmsys-core/src/engine/raw.rs", "looking at values without running code of a guest's"),
    ("vmsys-core/src/engine/scope.rs", "the engine's table of top-level names"),
    ("vmsys-core/src/modules/database/beneath.rs", "a file system of SQLite's whose names are handles"),
    ("vmsys-core/src/modules/exec/fork.rs", "what a child process does before its program"),
    ("vmsys-core/src/store/memory.rs", "SQLite's allocator"),
    ("vmsys-core/src/store/tests/file_system.rs", "a file system of SQLite's, in which the power can be cut"),
    ("vmsys-core/src/isolation/control.rs", "memory that two processes share"),
    ("vmsys-core/src/isolation/fork.rs", "becoming two processes"),
    ("vmsys-core/src/isolation/memory.rs", "the heap of a guest"),
    ("vmsys-server/src/heap.rs", "giving the C library's memory back"),
    ("vmsys-core/src/isolation/os_thread.rs", "processor time and scheduling class of another thread"),
];

#[test]
fn unsafe_code_is_in_named_files_only() {
    let allowed = |path: &str| UNSAFE.iter().any(|(file, _)| *file == path);
    let rust = files().iter().filter(|file| file.is_rust());
    // Lints by name, too: `unsafe_code` can be allowed for a whole file without an unsafe block in it.
    let found = rust
        .filter(|file| !allowed(&file.path))
        .flat_map(|file| {
            let code = file.code();
            let places: Vec<_> = ["unsafe", "unsafe_code"].iter().flat_map(|word| code.places_of(word)).collect();
            places.into_iter().map(|line| file.at(line, "unsafe"))
        })
        .collect::<Vec<_>>();
    hold(
        found,
        "Look for a safe call first (rustix, cap-std). If there is none, put the unsafe part in a file of its own with \
         SAFETY comments that a stranger can check, and name the file in UNSAFE, here.",
    );
    let stale = UNSAFE.iter().filter(|(path, _)| !tree::text_of(path).contains("unsafe"));
    hold(stale.map(|(path, _)| (*path).to_owned()), "These files are safe by now: take them out of UNSAFE.");
}

#[test]
fn libraries_neither_print_nor_read_the_environment() {
    let words = ["println!", "print!", "eprintln!", "eprint!", "dbg!", "std::env", "env::", "home_dir"];
    let mut found = Vec::new();
    let libraries = shipped_in("vmsys-core/src/").chain(shipped_in("vmsys-server/src/"));
    for file in libraries.filter(|file| !file.path.ends_with("/main.rs")) {
        for (number, line) in file.code().lines() {
            let said = words.iter().filter(|word| {
                line.match_indices(**word)
                    .any(|(at, _)| !line[..at].ends_with(|char: char| char.is_alphanumeric() || char == '_'))
            });
            found.extend(said.map(|word| file.at(number, word)));
        }
    }
    hold(
        found,
        "A library is a guest in somebody's program: return it, log it with tracing, or take it as an argument. The \
         binaries print, and read flags and variables.",
    );
}
