//! What a console asks between jobs: the globals of a realm, and the names of a value's properties.
//!
//! As in all that is looked at for people, nothing here runs code of a guest: no getter is called and no trap, and the
//! built-ins that wait to be touched are not. The heap and the time that it takes are bounded as a job's are.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::rc::Rc;
use std::time::Duration;

use rquickjs::{Ctx, Value};

use super::describe::kind;
use super::ffi::object_address;
use super::inspect::{self, MAX_CHAIN, first_name, through_proxies};
use super::intrinsics::{Quiet, Tools};
use super::raw::{self, Content, Key, Keys, Listing};
use super::realm::World;
use super::scope::{self, Entry};
use super::{text, tree};
use crate::event::Payload;
use crate::isolation::protocol::{Call, EmitRefused, Host, JobLimits, Stop, Wake};
use crate::lookup::{
    Answer, FoundGlobal, FoundName, GlobalKind, LONGEST_NAME, LONGEST_PREVIEW, MOST_COMPLETIONS, MOST_GLOBALS,
    Question, Root, Wanted,
};
use crate::value::{self, CallError, ValueType};

/// How long a look may take; then what there is of the answer is the answer.
const TIME: Duration = Duration::from_millis(250);
/// How many names are looked through for those that are wanted.
const MOST_NAMES: usize = 100_000;
/// The longest array whose names are listed, for the reason that [`inspect`] has.
const MAX_LISTED: u32 = 1 << 16;

/// Takes down which globals are there before anything of a session's runs.
pub(super) fn note_built_ins(ctx: &Ctx<'_>, world: &World) {
    let tools = Tools::new(ctx, &world.intrinsics);
    let mut names: HashSet<String> =
        world.declarations.as_ref().and_then(|known| known.scope(ctx)).iter().flat_map(scope::names).collect();
    if let Ok(keys) = Keys::of(&ctx.globals().into_value(), Listing::All) {
        names.extend((0..keys.len()).filter_map(|at| name_of(&tools, &keys.get(at))));
    }
    *world.built_in_names.borrow_mut() = names;
}

/// Answers a question, within bounds.
pub(super) fn answer(ctx: &Ctx<'_>, world: &World, question: Question) -> Answer {
    let memory_bytes = world.budget.memory_bytes().min(usize::MAX / 2);
    world.budget.arm(&JobLimits { cpu: TIME, wall: TIME, memory_bytes, output_bytes: 0 }, Rc::new(RefCell::new(Deaf)));
    let tools = Tools::new(ctx, &world.intrinsics);
    let answer = match Quiet::new(&tools) {
        Err(_) => nothing(&question),
        Ok(_quiet) => match question {
            Question::Globals { builtins } => globals(&tools, world, builtins),
            Question::Names(wanted) => Answer::Names(names(&tools, world, wanted)),
        },
    };
    drop(ctx.catch());
    let has_filled_heap = world.budget.stopped() == Some(Stop::Memory);
    world.budget.disarm();
    if has_filled_heap {
        ctx.run_gc();
    }
    answer
}

fn nothing(question: &Question) -> Answer {
    match question {
        Question::Globals { .. } => Answer::Globals { found: Vec::new(), more: 0 },
        Question::Names(_) => Answer::Names(Vec::new()),
    }
}

/// The host while a question is answered: nothing reaches it.
struct Deaf;

impl Host for Deaf {
    fn emit(&mut self, _: Payload) -> Result<(), EmitRefused> {
        Err(EmitRefused::Events)
    }

    fn call(&mut self, _: Call) -> Result<value::Value, CallError> {
        Err(CallError::new("Error", "nothing runs"))
    }

    fn begin(&mut self, _: u64, _: Call) {}

    fn cancel(&mut self, _: u64) {}

    fn wait(&mut self, _: Duration) -> Wake {
        Wake::StopRequested
    }

    fn stop_reason(&self) -> Option<Stop> {
        None
    }
}

/// The text of a key that is a string, and not absurdly long.
fn name_of<'js>(tools: &Tools<'_, 'js>, key: &Key<'js>) -> Option<String> {
    let name = key.to_value().ok().filter(Value::is_string)?;
    if raw::string_len(&name) > LONGEST_NAME {
        return None;
    }
    Some(text::lossy(&raw::utf16(&name).ok()?)).filter(|_| !tools.is_exhausted())
}

// Globals

fn globals<'js>(tools: &Tools<'_, 'js>, world: &World, builtins: bool) -> Answer {
    let ctx = &tools.ctx;
    let built_in = world.built_in_names.borrow();
    let is_wanted = |name: &str| builtins || !built_in.contains(name);
    let (mut found, mut more) = (Vec::new(), 0);
    if let Some(scope) = world.declarations.as_ref().and_then(|known| known.scope(ctx)) {
        for name in scope::names(&scope) {
            tools.charge(1);
            let Entry::Value(value, flags) = scope::entry(&scope, &name) else { continue };
            if !is_wanted(&name) {
                continue;
            }
            if found.len() >= MOST_GLOBALS || name.encode_utf16().count() > LONGEST_NAME {
                more += 1;
                continue;
            }
            let declared = if flags.is_writable() { GlobalKind::Let } else { GlobalKind::Const };
            found.push(global(tools, name, declared, Some(&value)));
        }
    }
    let object = ctx.globals().into_value();
    let Ok(keys) = Keys::of(&object, Listing::NamesOnly) else { return Answer::Globals { found, more } };
    for at in 0..keys.len() {
        if found.len() >= MOST_GLOBALS || tools.is_exhausted() || at >= MOST_NAMES {
            // Built-in names come first: what is left is not looked at to be counted.
            more += (keys.len() - at) as u64;
            break;
        }
        tools.charge(1);
        let key = keys.get(at);
        let Some(name) = name_of(tools, &key) else {
            more += u64::from(key.to_value().is_ok_and(|name| name.is_string()));
            continue;
        };
        if !is_wanted(&name) {
            continue;
        }
        let Ok(Some(property)) = raw::own_property(&object, &key) else { continue };
        // Only a declaration makes one that can never be deleted, unless somebody defines it so.
        let is_declared = !property.configurable;
        let value = property.into_data();
        let declared = match &value {
            Some(value) if is_declared && value.is_function() => GlobalKind::Function,
            _ if is_declared => GlobalKind::Var,
            _ => GlobalKind::Global,
        };
        found.push(global(tools, name, declared, value.as_ref()));
    }
    Answer::Globals { found, more }
}

fn global<'js>(tools: &Tools<'_, 'js>, name: String, declared: GlobalKind, value: Option<&Value<'js>>) -> FoundGlobal {
    let Some(value) = value else {
        return FoundGlobal { name, kind: declared, value_type: None, preview: "[Getter]".to_owned(), mark: 0 };
    };
    let value_type = kind(tools, value);
    let preview = tree::line(tools, value, LONGEST_PREVIEW);
    let is_class = declared == GlobalKind::Let && value_type == ValueType::Function && preview.starts_with("[class ");
    let mut mark = DefaultHasher::new();
    (object_address(value), value_type, &preview).hash(&mut mark);
    let kind = if is_class { GlobalKind::Class } else { declared };
    FoundGlobal { name, kind, value_type: Some(value_type), preview, mark: mark.finish() }
}

// Names

fn names<'js>(tools: &Tools<'_, 'js>, world: &World, wanted: Wanted) -> Vec<FoundName> {
    let mut found = Found { names: Vec::new(), known: HashSet::new(), looked_at: 0 };
    match wanted {
        Wanted::Globals { prefix } => {
            // Of the session's own, those that were declared last are likely to be wanted first; then the built-in ones.
            if let Some(scope) = world.declarations.as_ref().and_then(|known| known.scope(&tools.ctx)) {
                let names = scope::names(&scope).into_iter().filter(|name| name.starts_with(&prefix));
                let mut level = Vec::new();
                for name in names {
                    let Entry::Value(value, _) = scope::entry(&scope, &name) else { continue };
                    level.push(FoundName { name, value_type: Some(kind(tools, &value)) });
                }
                found.take(level);
            }
            let built_in = world.built_in_names.borrow();
            let level = found.level(tools, &tools.ctx.globals().into_value(), &prefix);
            let (theirs, ours) = level.into_iter().partition(|found| !built_in.contains(&found.name));
            found.take(theirs);
            found.take(ours);
        }
        Wanted::Members { root, path, prefix } => {
            let Some(start) = begin(tools, world, &root) else { return Vec::new() };
            let mut at = start;
            for name in &path {
                let Some(next) = member(tools, &at, name) else { return Vec::new() };
                at = next;
            }
            let mut link = object_of(tools, &at);
            for _ in 0..MAX_CHAIN {
                let Some(object) = link.and_then(|object| through_proxies(&object)).filter(|object| !object.is_proxy())
                else {
                    break;
                };
                let level = found.level(tools, &object, &prefix);
                found.take(level);
                link = raw::prototype(&object);
            }
        }
    }
    found.names.truncate(MOST_COMPLETIONS);
    found.names
}

struct Found {
    names: Vec<FoundName>,
    known: HashSet<String>,
    looked_at: usize,
}

impl Found {
    /// The own names of an object that begin so; those hidden by others are not told again.
    fn level<'js>(&mut self, tools: &Tools<'_, 'js>, object: &Value<'js>, prefix: &str) -> Vec<FoundName> {
        let length = || raw::own_property(object, &tools.text_key("length").ok()?).ok()??.into_data()?.as_number();
        let is_long = (object.is_array() && length().is_some_and(|length| length > f64::from(MAX_LISTED)))
            || raw::typed_array_kind(object).is_some();
        let listing = if is_long {
            Listing::Symbols
        } else if inspect::is_namespace(tools, object) {
            Listing::NamesOnly
        } else {
            Listing::All
        };
        let Ok(keys) = Keys::of(object, listing) else { return Vec::new() };
        tools.charge(keys.len() + 1);
        let mut level = Vec::new();
        for at in first_name(&keys)..keys.len() {
            if self.looked_at >= MOST_NAMES || tools.is_exhausted() {
                break;
            }
            self.looked_at += 1;
            let key = keys.get(at);
            let Some(name) = name_of(tools, &key).filter(|name| name.starts_with(prefix)) else { continue };
            let content = raw::own_property(object, &key).ok().flatten().map(|property| property.content);
            let value_type = match content {
                Some(Content::Data(value)) => Some(kind(tools, &value)),
                Some(Content::Accessor { .. }) | None => None,
            };
            level.push(FoundName { name, value_type });
        }
        level
    }

    fn take(&mut self, mut level: Vec<FoundName>) {
        level.sort_by(|a, b| a.name.cmp(&b.name));
        for found in level {
            if self.names.len() < MOST_COMPLETIONS && self.known.insert(found.name.clone()) {
                self.names.push(found);
            }
        }
    }
}

/// The value that a chain begins with.
fn begin<'js>(tools: &Tools<'_, 'js>, world: &World, root: &Root) -> Option<Value<'js>> {
    let ctx = &tools.ctx;
    let object = ctx.globals().into_value();
    let prototype_of = |constructor: &str| member(tools, &member(tools, &object, constructor)?, "prototype");
    match root {
        Root::Global => Some(object),
        Root::Name(name) => {
            let scope = world.declarations.as_ref().and_then(|known| known.scope(ctx));
            match scope.map(|scope| scope::entry(&scope, name)) {
                Some(Entry::Value(value, _)) => Some(value),
                Some(Entry::Uninitialised) => None,
                Some(Entry::Absent) | None => member(tools, &object, name),
            }
        }
        Root::Text => prototype_of("String"),
        Root::Number => prototype_of("Number"),
        Root::RegExp => prototype_of("RegExp"),
    }
}

/// The object in which the properties of a value are looked up: of a primitive, what it inherits from.
fn object_of<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>) -> Option<Value<'js>> {
    if value.is_object() {
        return Some(value.clone());
    }
    let constructor = match kind(tools, value) {
        ValueType::String => "String",
        ValueType::Number => "Number",
        ValueType::Boolean => "Boolean",
        ValueType::Bigint => "BigInt",
        ValueType::Symbol => "Symbol",
        _ => return None,
    };
    member(tools, &member(tools, &tools.ctx.globals().into_value(), constructor)?, "prototype")
}

/// The value of a property that is plain data, own or inherited. Of a proxy, its target is looked at.
fn member<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>, name: &str) -> Option<Value<'js>> {
    let key = tools.text_key(name).ok()?;
    let mut link = object_of(tools, value);
    for _ in 0..MAX_CHAIN {
        let object = link.and_then(|object| through_proxies(&object)).filter(|object| !object.is_proxy())?;
        tools.charge(1);
        if let Some(property) = raw::own_property(&object, &key).ok()? {
            return property.into_data();
        }
        link = raw::prototype(&object);
    }
    None
}
