//! Functions of the program's own for scripts: typed, sync and async, with data for each session.
#![expect(clippy::print_stdout, reason = "examples show what they do")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vmsys_core::{Call, Config, HostError, HostModule, NewSession, NewTemplate, VmSystem};

/// What scripts are given: any type that serde writes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    sku: String,
    left: u32,
}

/// What the program knows of whoever a session is for.
struct Customer {
    name: String,
}

fn inventory() -> HostModule {
    let stock = BTreeMap::from([("apple", 7), ("pear", 0)]);
    HostModule::new("inventory", "What is in stock")
        // A tuple of arguments and a result, each of any type; an error is thrown in the script.
        .function("lookup", move |_: &Call, (sku,): (String,)| match stock.get(sku.as_str()) {
            Some(&left) => Ok(Item { sku, left }),
            None => Err(HostError::new("NotFoundError", "no such thing").code("ENOENT").with("sku", &sku)),
        })
        .describe("Tells how many of a thing are left; throws ENOENT for what there never was")
        .signature("(sku: string): Item")
        .declare("interface Item { sku: string; left: number }")
        // A future: the script awaits a promise, and other code runs meanwhile.
        .async_function("order", |call: Call, (item, count): (Item, u32)| async move {
            if count > item.left {
                return Err(HostError::new("RangeError", format!("only {} left", item.left)).code("E_STOCK"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            let customer = call.data::<Customer>().map_or("somebody", |customer| &customer.name);
            Ok(format!("{count} x {} for {customer}", item.sku))
        })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The futures above use tokio's timer, so they are polled by tokio. Without `spawn_with` the module has a thread of its
    // own for what needs no runtime.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
    let handle = runtime.handle().clone();

    let mut config = Config::default();
    config.host_module(inventory().spawn_with(move |task| drop(handle.spawn(task))));
    let vm = VmSystem::with_config(config)?;
    let template = vm.create_template(NewTemplate::named("shop"))?;
    vm.add_module(template.id, "inventory")?;
    let ada = Customer { name: "Ada".to_owned() };
    let session = vm.create_session(NewSession::new(template.id, std::env::current_dir()?).with_data(ada))?;

    session.repl("import {lookup, order} from 'inventory'")?;
    let item: Item = session.eval("lookup('apple')")?;
    assert_eq!(item, Item { sku: "apple".to_owned(), left: 7 });

    let orders: Vec<String> = session.eval("Promise.all([1, 2].map(count => order(lookup('apple'), count)))")?;
    println!("{orders:?}");
    assert_eq!(orders, ["1 x apple for Ada", "2 x apple for Ada"]);

    // Scripts catch the error with its code and properties; what they do not catch comes back typed.
    let caught: (String, String) = session.eval("try { lookup('plum') } catch (error) { [error.code, error.sku] }")?;
    assert_eq!(caught, ("ENOENT".to_owned(), "plum".to_owned()));
    let error = session.eval::<String>("order(lookup('pear'), 1)").err().ok_or("there are no pears")?;
    println!("{error}");
    assert_eq!(error.thrown().and_then(|thrown| thrown.code()), Some("E_STOCK"));

    // What does not fit names the function, the place and what was expected.
    let error = session.eval::<Item>("lookup(7)").err().ok_or("7 is no text")?;
    println!("{error}");
    assert!(error.to_string().contains("inventory.lookup: argument 1"));

    // For editors, compilers and language models.
    let types = vm.types(template.id)?;
    assert!(types.contains("export function lookup(sku: string): Item;"));
    Ok(())
}
