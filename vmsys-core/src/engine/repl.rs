//! Makes scripts kind to a person at a console, and to a file that is run twice.
//!
//! * `let`, `const` and `class` may be declared again at top level by a later script. Every closure sees the newest
//!   declaration.
//! * A name whose initialiser failed is not dead for ever: when the job ends, it is again what it was before.
//! * A text that is an object literal is an expression, by Node's rule: it starts with `{`, does not end with `;`, and
//!   can stand in parentheses.
//!
//! The text itself is never changed, so lines, columns, the dead zone before a declaration and the errors for assigning
//! to a constant are the engine's own. What the text declares is asked of the engine, too: a copy of it that also
//! declares a canary, a name that is taken, is compiled and run. Before anything else a script checks all of its
//! declarations, so this one fails before any of it has run, and the error tells whether the canary was the only
//! obstacle. The rejected alternative is to rewrite declarations into assignments to global properties. It takes a
//! second parser that must agree with the engine's, loses the dead zone, makes each use of a constant call a getter,
//! and shows all names on `globalThis`.
//!
//! What stays an error, as in Node: declaring a name twice in one text, and `let x` after `var x` or `function x`,
//! because such a property of the global object can never be taken away again. `var x` and `function x` after `let x`
//! work.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use rquickjs::{Ctx, Object, Persistent, Value};

use super::budget::Budget;
use super::ffi::{self, Compiled, Evaluated};
use super::modules;
use super::realm::World;
use super::scope::{self, Entry, Flags};
use crate::isolation::protocol::Goal;

/// What the name begins with that is taken while it is found out what a text declares. It must stay short: the engine
/// cuts names in its messages.
const CANARY: &str = "__vmsys_canary_";
/// Without one of these words, which cannot be written with escapes, a text declares nothing.
const DECLARING: [&str; 5] = ["let", "const", "class", "var", "function"];

/// Each name costs a run that looks at all declarations before it: that adds up when a text declares thousands.
const NAMES_PER_CHECK: usize = 64;

/// The top-level declarations of a realm.
pub(super) struct Declarations {
    /// The engine's table of names.
    scope: Persistent<Object<'static>>,
    /// What the names were that the job which runs declares again.
    before: Persistent<Object<'static>>,
    /// Whether nothing is in the way of the declarations of the job that runs.
    can_start: Cell<bool>,
    /// Whether the job that runs came to a value.
    completed: Cell<bool>,
}

impl Declarations {
    /// Says that a job begins which declares nothing.
    pub(super) fn begin_without(&self) {
        self.can_start.set(true);
        self.completed.set(false);
    }

    /// Whether a name is one of those that scripts have declared with `let`, `const` or `class`.
    pub(super) fn has(&self, ctx: &Ctx<'_>, name: &str) -> bool {
        let scope = self.scope.clone().restore(ctx);
        scope.is_ok_and(|scope| !matches!(scope::entry(&scope, name), Entry::Absent))
    }

    /// Finds the declarations of a fresh realm. Without them all works but declaring again.
    pub(super) fn find(ctx: &Ctx<'_>) -> Option<Self> {
        let Some(scope) = scope::find(ctx) else {
            tracing::warn!("names cannot be declared again: this build of the engine is laid out in another way");
            return None;
        };
        let before = Object::new_proto(ctx.clone(), None).ok()?;
        let (scope, before) = (Persistent::save(ctx, scope), Persistent::save(ctx, before));
        Some(Self { scope, before, can_start: Cell::new(true), completed: Cell::new(false) })
    }

    /// Sets aside the names that the text declares again. Runs no code of a guest.
    fn make_way(&self, ctx: &Ctx<'_>, budget: &Budget, source: &str, strict: bool) {
        if !DECLARING.iter().any(|word| source.contains(word)) {
            return;
        }
        let Some((scope, before)) = self.tables(ctx) else { return };
        let names = mentioned(source, scope::names(&scope));
        if names.is_empty() {
            return;
        }
        // A text that cannot be compiled is left to fail by itself.
        let Some(copy) = Copy::with_canary(ctx, source, &scope, strict) else { return };
        if copy.only_canary_is_taken(ctx) {
            return;
        }
        for name in &names {
            scope::transfer(&scope, &before, name);
        }
        if !copy.only_canary_is_taken(ctx) {
            // Something else is in the way still, and the engine's own error about it is what the text shall end with.
            self.can_start.set(false);
            return;
        }
        // Most of the names may only be used: those come back.
        for (n, name) in names.iter().enumerate() {
            if n % NAMES_PER_CHECK == 0 && budget.check().is_some() {
                self.can_start.set(false);
                return;
            }
            scope::transfer(&before, &scope, name);
            if !copy.only_canary_is_taken(ctx) {
                scope::transfer(&scope, &before, name);
            }
        }
    }

    /// Forgets what was declared under these names. Runs no code of a guest.
    pub(super) fn forget(&self, ctx: &Ctx<'_>, names: &[&str]) {
        let Some((scope, _)) = self.tables(ctx) else { return };
        for name in names {
            scope::remove(&scope, name);
        }
    }

    /// Notes that the job came to a value: all that it declares has one too.
    pub(super) fn note_completed(&self) {
        self.completed.set(true);
    }

    /// Ends the job's declarations: those that got no value are undone. Runs no code of a guest.
    pub(super) fn settle(&self, ctx: &Ctx<'_>) {
        let Some((scope, before)) = self.tables(ctx) else { return };
        for name in scope::names(&before) {
            let undone = match scope::entry(&scope, &name) {
                Entry::Value(..) => false,
                Entry::Uninitialised => true,
                // It was declared as a `var` or a function; or the script was ended before its first step.
                Entry::Absent => !self.can_start.get() || matches!(scope::entry(&ctx.globals(), &name), Entry::Absent),
            };
            if undone {
                scope::transfer(&before, &scope, &name);
            } else {
                scope::remove(&before, &name);
            }
        }
        if self.completed.get() {
            return;
        }
        for name in scope::names(&scope) {
            if matches!(scope::entry(&scope, &name), Entry::Uninitialised) {
                scope::remove(&scope, &name);
            }
        }
    }

    /// The table of the names that are declared.
    pub(super) fn scope<'js>(&self, ctx: &Ctx<'js>) -> Option<Object<'js>> {
        self.scope.clone().restore(ctx).ok()
    }

    fn tables<'js>(&self, ctx: &Ctx<'js>) -> Option<(Object<'js>, Object<'js>)> {
        Some((self.scope.clone().restore(ctx).ok()?, self.before.clone().restore(ctx).ok()?))
    }
}

/// Evaluates the text of a job, in which no types are left.
pub(super) fn evaluate<'js>(
    ctx: &Ctx<'js>,
    world: &Rc<World>,
    name: &str,
    goal: Goal,
    source: &str,
    strict: bool,
) -> Evaluated<'js> {
    if let Some(declarations) = &world.declarations {
        declarations.can_start.set(true);
        declarations.completed.set(false);
    }
    match goal {
        Goal::Module => return modules::evaluate(ctx, world, name, source),
        Goal::Import => return modules::import(ctx, name),
        Goal::Script => {}
    }
    if let Some(expression) = object_literal(ctx, source, name, strict) {
        return expression.run(ctx);
    }
    if let Some(declarations) = &world.declarations {
        declarations.make_way(ctx, &world.budget, source, strict);
    }
    ffi::evaluate(ctx, source, name, strict)
}

/// A text that declares a canary besides, and so cannot start.
struct Copy<'a, 'js> {
    script: Compiled<'js>,
    scope: &'a Object<'js>,
    canary: String,
}

impl<'a, 'js> Copy<'a, 'js> {
    fn with_canary(ctx: &Ctx<'js>, source: &str, scope: &'a Object<'js>, strict: bool) -> Option<Self> {
        let is_free = |name: &String| !source.contains(name) && matches!(scope::entry(scope, name), Entry::Absent);
        let canary = (0..100).map(|n| format!("{CANARY}{n}__")).find(is_free)?;
        let script = ffi::compile(ctx, &format!("{source}\n;let {canary}"), "", 1, strict)?;
        scope::define(scope, &canary, &Value::new_null(ctx.clone()), Flags::CONST).then_some(())?;
        Some(Self { script, scope, canary })
    }

    /// Whether it cannot start because of the canary and of nothing else.
    fn only_canary_is_taken(&self, ctx: &Ctx<'js>) -> bool {
        let error = match self.script.run(ctx) {
            Evaluated::Threw | Evaluated::Malformed => ctx.catch(),
            Evaluated::Promise(promise) => {
                ffi::mark_handled(&promise);
                match promise.into_promise().and_then(|promise| promise.result::<Value<'js>>()) {
                    Some(Err(_)) => ctx.catch(),
                    Some(Ok(_)) | None => return self.has_started(),
                }
            }
            Evaluated::Value(_) => return self.has_started(),
        };
        let message = ffi::own_data_property(ctx, &error, "message");
        let message = message.and_then(|message| message.as_string()?.to_string().ok());
        message.is_some_and(|message| message.contains(&self.canary))
    }

    #[cold]
    fn has_started(&self) -> bool {
        tracing::error!(canary = self.canary, "a script that declares a taken name has started");
        false
    }
}

impl Drop for Copy<'_, '_> {
    fn drop(&mut self) {
        scope::remove(self.scope, &self.canary);
    }
}

/// Those of the names that occur in the text, as far as can be told without parsing it.
fn mentioned(source: &str, mut names: Vec<String>) -> Vec<String> {
    if names.is_empty() || source.contains("\\u") {
        return names;
    }
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let words = source.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'));
    let found: BTreeSet<String> = words.filter_map(|word| wanted.get(word)).map(|&name| name.to_owned()).collect();
    names.retain(|name| if name.is_ascii() { found.contains(name) } else { source.contains(name.as_str()) });
    names
}

/// Compiles a text that is an object literal, or begins with one, as the expression that it is meant to be.
fn object_literal<'js>(ctx: &Ctx<'js>, source: &str, name: &str, strict: bool) -> Option<Compiled<'js>> {
    if !source.trim_start_matches(is_space).starts_with('{') || source.trim_end_matches(is_space).ends_with(';') {
        return None;
    }
    // What is put around it stands on lines of its own, so that the text begins on line 1, in column 1.
    let compile = |open, close| ffi::compile(ctx, &format!("{open}\n\n{source}\n{close}"), name, -1, strict);
    let expression = compile('(', ')')?;
    // `{}) + ({}` fits as well, and is no expression: but it does not fit into brackets.
    if source.contains(')') {
        compile('[', ']')?;
    }
    Some(expression)
}

/// What JavaScript's `\s` matches.
fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}
