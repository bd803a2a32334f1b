//! A module of a program's own, and what must be true of it wherever its sessions run.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde::{Deserialize, Serialize};
use vmsys_core::{
    Bytes, Call, EvalError, ExecutionStatus, HostError, HostModule, NewSession, NewTemplate, Submission, Value,
    VmSystem,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) sku: String,
    pub(crate) left: u64,
    pub(crate) picture: Bytes,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Plain,
    Sized { width: f64 },
}

pub(crate) fn module() -> HostModule {
    HostModule::new("shop", "What a shop has")
        .function("lookup", |_: &Call, (sku, left): (String, Option<u64>)| {
            if sku == "none" {
                let error = HostError::new("NotFoundError", "no such thing").code("ENOENT").with("sku", &sku);
                return Err(error.with("tried", &[1, 2]));
            }
            let kind = if left.is_some() { Kind::Sized { width: 1.5 } } else { Kind::Plain };
            Ok(Item { sku, left: left.unwrap_or(1 << 60), picture: Bytes(vec![0, 255, 128]), kind })
        })
        .signature("(sku: string, left?: number | bigint): Item")
        .declare("interface Item { sku: string; left: number | bigint; picture: Uint8Array; kind: 'plain' | { sized: { width: number } } }")
        .function("same", |_: &Call, (item,): (Item,)| Ok(item))
        .function("value", |_: &Call, (value,): (Value,)| Ok(value))
        .function("nothing", |_: &Call, (): ()| Ok(()))
        .async_function("later", |_: Call, (text, fails): (String, Option<bool>)| async move {
            if fails == Some(true) {
                return Err(HostError::new("RangeError", text).code("E_LATER"));
            }
            Ok(text)
        })
        .async_function("never", |_: Call, (): ()| async move {
            std::future::pending::<()>().await;
            Ok(())
        })
}

/// What holds wherever sessions run.
pub(crate) fn check(vm: &VmSystem) {
    let template = vm.create_template(NewTemplate::named("shop")).unwrap();
    vm.add_module(template.id, "shop").unwrap();
    let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap();
    session.repl("import {lookup, same, value, nothing, later} from 'shop'; const shop = require('shop')").unwrap();

    let item: Item = session.eval("lookup('apple', 2)").unwrap();
    let expected =
        Item { sku: "apple".to_owned(), left: 2, picture: Bytes(vec![0, 255, 128]), kind: Kind::Sized { width: 1.5 } };
    assert_eq!(item, expected);
    assert_eq!(session.call::<Item>("shop.same", (&item,)).unwrap(), item);
    let kinds: [String; 4] = session
        .eval("const it = lookup('a'); [typeof it.left, it.kind, it.picture.constructor.name, typeof nothing()]")
        .unwrap();
    assert_eq!(kinds, ["bigint", "plain", "Uint8Array", "object"]);
    assert_eq!(session.eval::<u64>("same(it).left").unwrap(), 1 << 60);
    let value: Value = session.eval("value({n: [1, 2n, 'x', null, undefined, true], b: new ArrayBuffer(2)})").unwrap();
    let list = [1.0.into(), Value::BigInt(2), "x".into(), Value::Null, Value::Null, true.into()];
    assert_eq!(value, Value::object([("n", Value::Array(list.into())), ("b", Value::Bytes(vec![0, 0]))]));
    let big: Bytes = session.call("value", (Bytes(vec![7; 5_000_000]),)).unwrap();
    assert_eq!(big.0, vec![7; 5_000_000]);

    // Scripts catch what the function says, and what they do not catch comes back with all of it.
    let caught: (String, String, String, bool, bool) = session
        .eval("try { lookup('none') } catch (e) { [e.name, e.code, e.sku, e instanceof Error, e.stack.includes('repl')] }")
        .unwrap();
    assert_eq!(caught, ("NotFoundError".to_owned(), "ENOENT".to_owned(), "none".to_owned(), true, true));
    let error = session.eval::<Item>("lookup('none')").unwrap_err();
    let thrown = error.thrown().unwrap();
    assert_eq!((thrown.name(), thrown.message(), thrown.code()), ("NotFoundError", "no such thing", Some("ENOENT")));
    assert_eq!(thrown.property::<[u8; 2]>("tried").unwrap().unwrap(), [1, 2]);

    assert_eq!(session.eval::<String>("later('x')").unwrap(), "x");
    let error = session.eval::<String>("await later('too far', true)").unwrap_err();
    let thrown = error.thrown().unwrap();
    assert_eq!((thrown.name(), thrown.message(), thrown.code()), ("RangeError", "too far", Some("E_LATER")));
    let is_range: bool = session.eval("later('x', true).catch(e => e instanceof RangeError)").unwrap();
    assert!(is_range);
    let all: Vec<String> = session.eval("Promise.all(Array.from({length: 50}, (_, n) => later(`${n}`)))").unwrap();
    assert_eq!((all.len(), all[49].as_str()), (50, "49"));

    let running = session.start(Submission::repl("console.log('begun'); await shop.never()")).unwrap();
    let begun = running.events().unwrap().nth(1).unwrap().unwrap();
    assert_eq!(begun.seq, 2);
    assert_eq!(running.cancel().unwrap().status, ExecutionStatus::Cancelled);
    assert_eq!(session.eval::<u8>("7").unwrap(), 7);
    let evaluation = session.eval_async::<u8>("await new Promise(done => setTimeout(done, 5)); 8");
    assert_eq!(pollster::block_on(evaluation).unwrap(), 8);

    let error = session.eval::<Value>("lookup('apple';").unwrap_err();
    assert!(matches!(&error, EvalError::Syntax { line: Some(1), column: Some(15), .. }), "{error:?}");
    let error = session.eval::<Value>("import {lookup, sell} from 'shop'").unwrap_err();
    let thrown = error.thrown().unwrap();
    let expected = ("SyntaxError", "Could not find export 'sell' in module 'shop'");
    assert_eq!((thrown.name(), thrown.message()), expected);

    let types = vm.types(template.id).unwrap();
    assert!(types.contains("  export function lookup(sku: string, left?: number | bigint): Item;"), "{types}");
    assert!(
        types.contains("  export function later(arg1: string, arg2?: boolean | null): Promise<string>;"),
        "{types}"
    );
    session.close().unwrap();
}
