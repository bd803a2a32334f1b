//! Functions of a program's own, as scripts call them: on threads here, and in worker processes in `worker_processes.rs`.

#![allow(clippy::unwrap_used, reason = "tests")]

mod shop;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use vmsys_core::{
    Call, Config, ExecutionStatus, HostError, HostModule, NewSession, NewTemplate, Session, SessionContext, Submission,
    Value, VmSystem,
};

/// More than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn session_with(module: HostModule) -> Session {
    let mut config = Config::default();
    config.host_module(module);
    let vm = VmSystem::with_config(config).unwrap();
    let template = vm.create_template(NewTemplate::named("t")).unwrap();
    vm.add_module(template.id, "m").unwrap();
    let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap();
    session.repl("const m = require('m')").unwrap();
    session
}

#[test]
fn functions_are_called_with_types_and_answer_with_types() {
    let mut config = Config::default();
    config.host_module(shop::module());
    shop::check(&VmSystem::with_config(config).unwrap());
}

#[test]
fn arguments_that_do_not_fit_say_where_and_what_was_expected() {
    #[derive(serde::Deserialize)]
    struct Order {
        #[allow(dead_code, reason = "only read")]
        items: Vec<Item>,
    }
    #[derive(serde::Deserialize)]
    struct Item {
        #[allow(dead_code, reason = "only read")]
        n: u8,
    }
    let module = HostModule::new("m", "Is picky")
        .function("one", |_: &Call, (_,): (String,)| Ok(()))
        .function("two", |_: &Call, (_, n): (f64, Option<u32>)| Ok(n))
        .function("order", |_: &Call, (_, _): ((), Order)| Ok(()))
        .function("any", |_: &Call, args: Vec<Value>| Ok(args.len()))
        .async_function("later", |_: Call, (n,): (u32,)| async move { Ok(n) });
    let session = session_with(module);
    for (input, message) in [
        ("m.one(1)", "m.one: argument 1: invalid type: integer `1`, expected a string"),
        ("m.one()", "m.one: argument 1 is missing, expected a string"),
        ("m.one(null)", "m.one: argument 1: invalid type: null, expected a string"),
        ("m.two(1, -1)", "m.two: argument 2: invalid value: integer `-1`, expected u32"),
        ("m.two('1')", "m.two: argument 1: invalid type: string \"1\", expected f64"),
        (
            "m.order(null, {items: [{n: 1}, {n: 'x'}]})",
            "m.order: argument 2.items[1].n: invalid type: string \"x\", expected u8",
        ),
        ("m.order(null, {})", "m.order: argument 2: missing field `items`"),
        ("m.order(null, [{}])", "m.order: argument 2[0]: invalid type: map, expected a sequence"),
        ("m.later(-1)", "m.later: argument 1: invalid value: integer `-1`, expected u32"),
        ("m.one(() => 1)", "a function cannot be passed to the host"),
    ] {
        let error = session.eval::<Value>(input).unwrap_err();
        let thrown = error.thrown().unwrap_or_else(|| panic!("{input}: {error:?}"));
        assert_eq!((thrown.name(), thrown.message()), ("TypeError", message), "{input}");
        let ours = message.starts_with("m.");
        assert_eq!(thrown.code(), ours.then_some("ERR_INVALID_ARG_TYPE"), "{input}");
    }
    assert_eq!(session.eval::<Option<u32>>("m.two(1, undefined, 'more', 'than there are')").unwrap(), None);
    assert_eq!(session.eval::<u8>("m.any(1, 'x', null)").unwrap(), 3);
    assert_eq!(session.eval::<[u8; 2]>("[m.one.name.length, m.one.length]").unwrap(), [3, 0]);
}

#[test]
fn panics_and_results_without_a_form_are_errors_of_the_scripts() {
    let module = HostModule::new("m", "Fails")
        .function("panics", |_: &Call, (): ()| -> Result<(), HostError> { panic!("mine") })
        .function("odd", |_: &Call, (): ()| Ok(std::collections::BTreeMap::from([(vec![1], 1)])))
        .function("long", |_: &Call, (n,): (usize,)| Ok("x".repeat(n)))
        .async_function("panics_later", |_: Call, (): ()| async move {
            if true {
                panic!("mine");
            }
            Ok(())
        })
        .async_function("panics_at_once", |_: Call, (): ()| -> std::future::Ready<Result<(), HostError>> {
            panic!("mine")
        });
    let session = session_with(module);
    for (input, code) in [
        ("m.panics()", "ERR_INTERNAL"),
        ("m.panics_later()", "ERR_INTERNAL"),
        ("m.panics_at_once()", "ERR_INTERNAL"),
        ("m.odd()", "ERR_INVALID_RETURN_VALUE"),
        ("m.long(200_000_000)", "ERR_OUT_OF_RANGE"),
    ] {
        let error = session.eval::<Value>(input).unwrap_err();
        assert_eq!(error.thrown().and_then(|thrown| thrown.code()), Some(code), "{input}: {error}");
        let function = input.split('(').next().unwrap();
        assert!(error.to_string().contains(function), "{input}: {error}");
    }
    assert_eq!(session.eval::<String>("m.long(3)").unwrap(), "xxx");
}

/// Tells when it is dropped.
struct Told(Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// A module with a function that never answers; what it holds is told of when it is dropped.
fn waiting() -> (HostModule, Receiver<()>, Receiver<()>) {
    let ((begun, has_begun), (dropped, is_dropped)) = (channel(), channel());
    let module = HostModule::new("m", "Waits").async_function("wait", move |_: Call, (): ()| {
        let (told, begun) = (Told(dropped.clone()), begun.clone());
        async move {
            let _told = told;
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
            Ok(())
        }
    });
    (module, has_begun, is_dropped)
}

#[test]
fn a_future_is_dropped_when_its_execution_ends() {
    let (module, begun, dropped) = waiting();
    let session = session_with(module);
    // Cancelled.
    let running = session.start(Submission::repl("await m.wait()")).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    assert!(dropped.try_recv().is_err());
    assert_eq!(running.cancel().unwrap().status, ExecutionStatus::Cancelled);
    dropped.recv_timeout(PATIENCE).unwrap();
    // Out of time.
    let mut limits = vmsys_core::LimitsPatch::default();
    limits.wall_ms = Some(50);
    let limited = session.limited(limits).unwrap();
    // On a busy machine it may end before the function is called, which then never is.
    let until_begun = |run: &dyn Fn()| {
        while begun.try_recv().is_err() {
            run();
        }
        dropped.recv_timeout(PATIENCE).unwrap();
    };
    until_begun(&|| assert_eq!(limited.repl("await m.wait()").unwrap().status, ExecutionStatus::Timeout));
    // It threw while it was waiting.
    until_begun(&|| assert_eq!(session.repl("m.wait(); throw 1").unwrap().error.unwrap().message, "1"));
    // Closed.
    while begun.try_recv().is_ok() {}
    session.start(Submission::repl("await m.wait()")).unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    session.close().unwrap();
    dropped.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn futures_run_side_by_side_and_where_the_program_wants_them() {
    let both = |module: HostModule| {
        let module = module.async_function("meet", {
            let here = Arc::new(AtomicUsize::new(0));
            move |_: Call, (all,): (usize,)| {
                let here = here.clone();
                async move {
                    here.fetch_add(1, Ordering::SeqCst);
                    // Only when all have come does any go on.
                    std::future::poll_fn(|context| {
                        context.waker().wake_by_ref();
                        if here.load(Ordering::SeqCst) >= all {
                            std::task::Poll::Ready(())
                        } else {
                            std::task::Poll::Pending
                        }
                    })
                    .await;
                    Ok(std::thread::current().name().map(str::to_owned))
                }
            }
        });
        let session = session_with(module);
        session.eval::<Vec<Option<String>>>("Promise.all(Array.from({length: 100}, () => m.meet(100)))").unwrap()
    };
    let names = both(HostModule::new("m", "Meets"));
    assert!(names.iter().all(|name| name.as_deref() == Some("vm-host-tasks")), "{names:?}");

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("mine").build().unwrap();
    let handle = runtime.handle().clone();
    let names = both(HostModule::new("m", "Meets").spawn_with(move |task| drop(handle.spawn(task))));
    assert!(names.iter().all(|name| name.as_deref() == Some("mine")), "{names:?}");

    // What is never polled is an error, and nobody waits for it.
    let session = session_with(
        HostModule::new("m", "Gives up").spawn_with(drop).async_function("f", |_: Call, (): ()| async { Ok(()) }),
    );
    let error = session.eval::<()>("m.f()").unwrap_err();
    assert!(error.to_string().contains("given up by its module"), "{error}");
}

#[test]
fn sessions_have_their_own_data_and_state() {
    #[derive(Debug, serde::Deserialize, Default)]
    #[serde(deny_unknown_fields, default)]
    struct Settings {
        first: u32,
    }
    struct User(&'static str);
    struct Count(AtomicUsize, Sender<()>);
    impl Drop for Count {
        fn drop(&mut self) {
            let _ = self.1.send(());
        }
    }
    let (dropped, is_dropped) = channel();
    let dropped = std::sync::Mutex::new(dropped);
    let module = HostModule::new("m", "Counts")
        .per_session(move |session: &SessionContext, settings: Settings| {
            if session.data::<User>().is_some_and(|user| user.0 == "nobody") {
                return Err(HostError::message("nobody may count"));
            }
            Ok(Count(AtomicUsize::new(settings.first as usize), dropped.lock().unwrap().clone()))
        })
        .function("count", |call: &Call, (): ()| {
            call.print("counting\n")?;
            assert!(call.state::<String>().is_none() && call.data::<String>().is_none() && !call.should_stop());
            let user = call.data::<User>().map(|user| user.0);
            let count = call.state::<Count>().map(|count| count.0.fetch_add(1, Ordering::SeqCst));
            Ok((user, count, call.session_id().to_string(), call.worktree_path().to_owned()))
        });
    let mut config = Config::default();
    config.host_module(module);
    let vm = VmSystem::with_config(config).unwrap();
    let template = vm.create_template(NewTemplate::named("t")).unwrap();
    let capability = |config: serde_json::Value| {
        vm.add_capability(
            template.id,
            vmsys_core::NewCapability::new(vmsys_core::CapabilityKind::Module, "m")
                .enabled()
                .with_config(config.as_object().unwrap().clone()),
        )
    };
    for (config, field) in
        [(serde_json::json!({"frist": 1}), "config.frist"), (serde_json::json!({"first": "x"}), "config.first")]
    {
        assert_eq!(capability(config).unwrap_err().detail("field"), Some(field));
    }
    capability(serde_json::json!({"first": 5})).unwrap();
    let new = || NewSession::new(template.id, std::env::temp_dir());
    let [ada, none] = [new().with_data(User("ada")), new()].map(|new| vm.create_session(new).unwrap());
    type Counted = (Option<String>, Option<usize>, String, std::path::PathBuf);
    for (session, user, expected) in [(&ada, Some("ada"), 5), (&ada, Some("ada"), 6), (&none, None, 5)] {
        let (who, count, id, path) = session.eval::<Counted>("require('m').count()").unwrap();
        assert_eq!((who.as_deref(), count), (user, Some(expected)));
        assert_eq!((id, path), (session.id().to_string(), std::env::temp_dir()));
    }
    let error = vm.create_session(new().with_data(User("nobody"))).unwrap_err();
    assert!(error.message().contains("nobody may count"), "{error}");
    assert!(is_dropped.try_recv().is_err());
    ada.close().unwrap();
    is_dropped.recv_timeout(PATIENCE).unwrap();
    drop((vm, ada, none));
    is_dropped.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn modules_that_scripts_could_not_use_are_refused() {
    let refused = |module: HostModule, words: &str| {
        let mut config = Config::default();
        config.host_module(module);
        let error = VmSystem::with_config(config).unwrap_err();
        assert!(error.message().contains(words), "{error}");
        assert_eq!(error.detail("field"), Some("modules"));
    };
    let module = |name: &str| HostModule::new("m", "Is refused").function(name, |_: &Call, (): ()| Ok(()));
    refused(module("a b"), "no name that scripts can import");
    refused(module("1"), "no name that scripts can import");
    refused(module("f").function("f", |_: &Call, (): ()| Ok(())), "two functions of the name");
    refused(
        module("f").signature("(a: string"),
        "the module \"m\" has a function \"f\", whose signature is no TypeScript",
    );
    refused(
        module("f").signature("(x: number, y: number): string"),
        "\"f\", whose signature has 2 parameters, where it takes 0",
    );
    refused(module("f").params(["a"]), "has 1 parameter, where it takes 0");
    refused(module("f").params(["a b"]), "no TypeScript");
    let two = || HostModule::new("m", "Takes two").function("f", |_: &Call, (_, _): (u8, Option<u8>)| Ok(()));
    refused(two().signature("(a: number): void"), "has 1 parameter, where it takes 2");
    refused(two().signature("(a: 1, b: 1, c: 1, ...rest: any[]): void"), "has 3 parameters, where it takes 2");
    let any = HostModule::new("m", "Takes any").function("f", |_: &Call, _: Vec<Value>| Ok(()));
    let taken = [
        two().signature("(a: number, b?: number): void"),
        two().signature("(...both: number[]): void"),
        two().params(["a"]),
        any.signature("(a: number): void"),
    ];
    for module in taken {
        let mut config = Config::default();
        config.host_module(module);
        VmSystem::with_config(config).unwrap();
    }
    refused(module("f").declare("interface {"), "no TypeScript");
    refused(HostModule::new("path", "Is taken"), "without a grant");
}
