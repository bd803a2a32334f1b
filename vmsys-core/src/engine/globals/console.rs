//! The `console`: formats its arguments and hands the text to the host.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use rquickjs::function::Rest;
use rquickjs::{Ctx, Exception, Object, Result, Value};

use super::native;
use crate::engine::console::{format_log, format_table};
use crate::engine::describe::describe_error;
use crate::engine::ffi;
use crate::engine::inspect::{InspectOptions, inspect};
use crate::engine::realm::World;
use crate::event::{ConsoleLevel, Payload};
use crate::isolation::protocol::{EmitRefused, Stop};

/// Labels that `console.count` and `console.time` remember; they live outside the heap that the guest's limit counts.
const MOST_LABELS: usize = 1_000;
const LONGEST_LABEL: usize = 1_000;
/// As deep as groups indent.
const DEEPEST_GROUP: usize = 64;

/// What the console remembers from one call to the next.
#[derive(Default)]
pub(in crate::engine) struct ConsoleState {
    group: Cell<usize>,
    counts: RefCell<HashMap<String, u64>>,
    timers: RefCell<HashMap<String, i64>>,
}

impl ConsoleState {
    /// Groups end with the execution that opened them; counts and timers stay.
    pub(in crate::engine) fn end_of_job(&self) {
        self.group.set(0);
    }
}

type Method = for<'js> fn(&Ctx<'js>, &World, &[Value<'js>]) -> Result<()>;

pub(super) fn install(ctx: &Ctx<'_>, world: &Rc<World>) -> Result<()> {
    let methods: [(&str, Method); 22] = [
        ("log", |ctx, world, args| log(ctx, world, ConsoleLevel::Log, args)),
        ("info", |ctx, world, args| log(ctx, world, ConsoleLevel::Info, args)),
        ("warn", |ctx, world, args| log(ctx, world, ConsoleLevel::Warn, args)),
        ("error", |ctx, world, args| log(ctx, world, ConsoleLevel::Error, args)),
        ("debug", |ctx, world, args| log(ctx, world, ConsoleLevel::Debug, args)),
        ("trace", trace),
        ("dir", dir),
        ("dirxml", |ctx, world, args| log(ctx, world, ConsoleLevel::Log, args)),
        ("table", table),
        ("assert", assert),
        ("count", count),
        ("countReset", count_reset),
        ("group", group),
        ("groupCollapsed", group),
        ("groupEnd", |_, world, _| {
            world.console.group.set(world.console.group.get().saturating_sub(1));
            Ok(())
        }),
        ("time", time),
        ("timeLog", |ctx, world, args| time_report(ctx, world, args, false)),
        ("timeEnd", |ctx, world, args| time_report(ctx, world, args, true)),
        // There is no inspector to profile for; these exist so that code that calls them runs.
        ("timeStamp", |_, _, _| Ok(())),
        ("profile", |_, _, _| Ok(())),
        ("profileEnd", |_, _, _| Ok(())),
        ("clear", |_, _, _| Ok(())),
    ];
    let console = Object::new(ctx.clone())?;
    for (name, method) in methods {
        let function = native(ctx, world, name, move |ctx, world, args: Rest<Value<'_>>| method(ctx, world, &args.0))?;
        console.prop(name, rquickjs::object::Property::from(function).writable().configurable().enumerable())?;
    }
    super::define(&ctx.globals(), "console", console)
}

fn log<'js>(ctx: &Ctx<'js>, world: &World, level: ConsoleLevel, args: &[Value<'js>]) -> Result<()> {
    let text = format(ctx, world, args);
    write_of(ctx, world, level, text, args)
}

fn format<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> String {
    format_log(ctx, args, &world.intrinsics, &options(world))
}

/// Longer than the job's whole output no text is worth making: the host refuses it anyway.
fn options(world: &World) -> InspectOptions {
    InspectOptions { max_bytes: world.output_bytes.get().saturating_add(1), ..InspectOptions::console() }
}

/// Writes a line, with the margin of the groups that are open.
fn write(ctx: &Ctx<'_>, world: &World, level: ConsoleLevel, text: String) -> Result<()> {
    write_of(ctx, world, level, text, &[])
}

/// The same of a line that shows these values.
fn write_of<'js>(
    ctx: &Ctx<'js>,
    world: &World,
    level: ConsoleLevel,
    text: String,
    values: &[Value<'js>],
) -> Result<()> {
    let text = indent(text, world.console.group.get(), world.output_bytes.get());
    let args = world.trees(ctx, values, text.len());
    emit(ctx, world, Payload::Console { level, text, args })
}

/// Hands an event to the host; when the host refuses it, the script ends here.
pub(in crate::engine) fn emit(ctx: &Ctx<'_>, world: &World, event: Payload) -> Result<()> {
    let Some(host) = world.budget.host() else { return Ok(()) };
    let refused = host.borrow_mut().emit(event);
    match refused {
        Ok(()) => Ok(()),
        Err(refused) => {
            world.budget.stop(match refused {
                EmitRefused::Events => Stop::Events,
                EmitRefused::Output => Stop::Output,
            });
            Err(Exception::throw_message(ctx, "output limit exceeded"))
        }
    }
}

/// Puts a margin before every line, up to where the text is longer than `enough`: the host refuses it then, and a
/// text of line feeds alone would become a hundred times longer.
fn indent(text: String, groups: usize, enough: usize) -> String {
    if groups == 0 {
        return text;
    }
    let margin = "  ".repeat(groups.min(DEEPEST_GROUP));
    let mut indented = String::with_capacity(text.len() + margin.len());
    for (place, line) in text.split('\n').enumerate() {
        if indented.len() > enough {
            break;
        }
        if place > 0 {
            indented.push('\n');
        }
        indented.push_str(&margin);
        indented.push_str(line);
    }
    indented
}

fn trace<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> Result<()> {
    let text = format(ctx, world, args);
    let error = world.intrinsics.error_here(ctx).map(|error| describe_error(ctx, &error, &world.intrinsics));
    // Without the error's own line.
    let stack = error.and_then(|error| error.stack).unwrap_or_default().lines().skip(1).collect::<Vec<_>>().join("\n");
    let head = if text.is_empty() { "Trace".to_owned() } else { format!("Trace: {text}") };
    let text = if stack.is_empty() { head } else { format!("{head}\n{stack}") };
    write_of(ctx, world, ConsoleLevel::Error, text, args)
}

fn dir<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> Result<()> {
    let Some(value) = args.first() else { return write(ctx, world, ConsoleLevel::Log, "undefined".to_owned()) };
    let depth = args.get(1).and_then(|options| ffi::own_data_property(ctx, options, "depth"));
    let depth = match depth {
        None => options(world).depth,
        // `null` and `Infinity` mean all of it.
        Some(depth) => depth.as_number().map_or(i32::MAX, |depth| depth as i32),
    };
    let text = inspect(
        ctx,
        value,
        &world.intrinsics,
        &InspectOptions { depth, quote_top_level_string: true, ..options(world) },
    );
    write_of(ctx, world, ConsoleLevel::Log, text, &args[..1])
}

fn table<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> Result<()> {
    let Some(data) = args.first() else { return log(ctx, world, ConsoleLevel::Log, args) };
    let drawn = format_table(ctx, data, args.get(1), &world.intrinsics);
    match drawn {
        Some(text) => write(ctx, world, ConsoleLevel::Log, text),
        None => log(ctx, world, ConsoleLevel::Log, &args[..1]),
    }
}

fn assert<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> Result<()> {
    if args.first().is_some_and(|condition| ffi::truthy(ctx, condition)) {
        return Ok(());
    }
    let rest = args.get(1..).unwrap_or_default();
    if rest.is_empty() {
        return write(ctx, world, ConsoleLevel::Error, "Assertion failed".to_owned());
    }
    let text = format(ctx, world, rest);
    write_of(ctx, world, ConsoleLevel::Error, format!("Assertion failed: {text}"), rest)
}

fn count<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> Result<()> {
    let label = label(ctx, world, args);
    let text = {
        let mut counts = world.console.counts.borrow_mut();
        if counts.len() >= MOST_LABELS && !counts.contains_key(&label) {
            return Err(Exception::throw_range(ctx, "too many labels"));
        }
        let count = counts.entry(label.clone()).or_default();
        *count += 1;
        format!("{label}: {count}")
    };
    write(ctx, world, ConsoleLevel::Log, text)
}

fn count_reset<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> Result<()> {
    let label = label(ctx, world, args);
    let known = world.console.counts.borrow_mut().remove(&label).is_some();
    if known {
        return Ok(());
    }
    write(ctx, world, ConsoleLevel::Warn, format!("Count for '{label}' does not exist"))
}

fn group<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> Result<()> {
    if !args.is_empty() {
        log(ctx, world, ConsoleLevel::Log, args)?;
    }
    world.console.group.set(world.console.group.get().saturating_add(1));
    Ok(())
}

fn time<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> Result<()> {
    let label = label(ctx, world, args);
    let warning = {
        let mut timers = world.console.timers.borrow_mut();
        if timers.contains_key(&label) {
            Some(format!("Label '{label}' already exists for console.time()"))
        } else if timers.len() >= MOST_LABELS {
            return Err(Exception::throw_range(ctx, "too many labels"));
        } else {
            timers.insert(label, world.clock.now_ms());
            None
        }
    };
    warning.map_or(Ok(()), |text| write(ctx, world, ConsoleLevel::Warn, text))
}

fn time_report<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>], end: bool) -> Result<()> {
    let label = label(ctx, world, args);
    let started = {
        let mut timers = world.console.timers.borrow_mut();
        if end { timers.remove(&label) } else { timers.get(&label).copied() }
    };
    let Some(started) = started else {
        let method = if end { "timeEnd" } else { "timeLog" };
        return write(ctx, world, ConsoleLevel::Warn, format!("No such label '{label}' for console.{method}()"));
    };
    let mut text = format!("{label}: {}ms", world.clock.now_ms() - started);
    if !end && args.len() > 1 {
        text.push(' ');
        text.push_str(&format(ctx, world, &args[1..]));
    }
    write(ctx, world, ConsoleLevel::Log, text)
}

/// The label of a counter or timer: `default` unless given. A script's own `toString` is not asked.
fn label<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>]) -> String {
    match args.first() {
        None => "default".to_owned(),
        Some(value) if value.is_undefined() => "default".to_owned(),
        Some(value) => {
            let options = InspectOptions { max_bytes: LONGEST_LABEL, ..InspectOptions::console() };
            let mut text = format_log(ctx, std::slice::from_ref(value), &world.intrinsics, &options);
            if text.len() > LONGEST_LABEL {
                text.truncate(text.floor_char_boundary(LONGEST_LABEL));
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::indent;

    #[test]
    fn a_margin_stands_before_every_line_until_the_text_is_long_enough() {
        assert_eq!(indent("a\nb".to_owned(), 0, 0), "a\nb");
        assert_eq!(indent("a\n\nb".to_owned(), 1, 100), "  a\n  \n  b");
        assert_eq!(indent("a\n".to_owned(), 2, 100), "    a\n    ");
        assert_eq!(indent(String::new(), 1, 100), "  ");
        assert!((101..300).contains(&indent("\n".repeat(10_000), 64, 100).len()));
    }
}
