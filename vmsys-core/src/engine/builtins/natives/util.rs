//! What `util` asks of values that JavaScript cannot see: what is behind a proxy, and their text.

use std::rc::Rc;

use rquickjs::{Array, Ctx, Exception, IntoJs, Result, Value};

use super::Native;
use crate::engine::builtins::argument;
use crate::engine::inspect::{self, Compact, Guest, InspectOptions, Palette, STYLES};
use crate::engine::intrinsics::Tools;
use crate::engine::raw::{self, Key};
use crate::engine::realm::World;
use crate::engine::{cross, text};

pub(in crate::engine::builtins) const NATIVES: &[Native] = &[
    Native { name: "isNamespace", body: is_namespace },
    Native { name: "proxyTarget", body: proxy_target },
    Native { name: "inspect", body: inspect_value },
];

/// `isNamespace(value)`: whether it is the namespace of a module, whose class bears no name of its own.
fn is_namespace<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    inspect::is_namespace(&Tools::new(ctx, &world.intrinsics), &argument(args, 0, ctx)).into_js(ctx)
}

/// `proxyTarget(value)`: what is behind proxies; null behind a revoked one.
fn proxy_target<'js>(ctx: &Ctx<'js>, _: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let target = inspect::through_proxies(&argument(args, 0, ctx)).filter(|target| !target.is_proxy());
    Ok(target.unwrap_or_else(|| Value::new_null(ctx.clone())))
}

/// More than anybody reads, and little enough to be made.
const MAX_BYTES: usize = 16 << 20;

/// `inspect(value, settings, symbol, answers)`: its text, or an array of what the script is to be asked first, in threes:
/// an object, the name of a property with a getter or undefined, and a depth. Answers come in threes as well: the object,
/// the name, and what was said.
fn inspect_value<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let (settings, answers) = (List(argument(args, 1, ctx)), List(argument(args, 3, ctx)));
    let max_string = settings.count(2);
    let options = InspectOptions {
        depth: settings.number(0) as i32,
        max_items: settings.count(1),
        max_props: usize::MAX,
        max_string,
        max_top_level_string: max_string,
        max_bytes: MAX_BYTES,
        line_width: settings.count(3),
        quote_top_level_string: true,
        show_hidden: settings.flag(5),
        show_proxy: settings.flag(6),
        compact: match settings.number(4) {
            levels if levels < 0.0 => Compact::Always,
            levels if levels >= 1.0 => Compact::Levels(levels as i32),
            _ => Compact::Never,
        },
        sorted: settings.flag(7),
        numeric_separator: settings.flag(9),
    };
    let getters = settings.number(10) as u32;
    let symbol = Key::symbol(&argument(args, 2, ctx)).ok();
    let mut guest = Guest::new(symbol, (getters & 1 != 0, getters & 2 != 0));
    let mut at = 0;
    while let (Some(object), Some(answer)) = (answers.get(at), answers.get(at + 2)) {
        let getter = match answers.get(at + 1) {
            Some(name) if !name.is_undefined() => Some(key_of(ctx, &name)?),
            _ => None,
        };
        guest.answer(&object, getter, answer);
        at += 3;
    }
    let palette = settings.flag(8).then(|| palette(&settings, 11));
    let tools = Tools::new(ctx, &world.intrinsics);
    match inspect::show_to_guest(&tools, &argument(args, 0, ctx), &options, palette, guest) {
        Ok(text) => text.into_js(ctx),
        Err(questions) => {
            let list = Array::new(ctx.clone())?;
            for (at, question) in questions.into_iter().enumerate() {
                let name = question.getter.and_then(|key| key.to_value().ok());
                let name = name.unwrap_or_else(|| Value::new_undefined(ctx.clone()));
                let depth = Value::new_number(ctx.clone(), f64::from(question.depth));
                for (place, value) in [question.object, name, depth].into_iter().enumerate() {
                    let index = (3 * at + place) as u32;
                    raw::define_index(list.as_value(), index, value)?;
                }
            }
            Ok(list.into_value())
        }
    }
}

fn key_of<'js>(ctx: &Ctx<'js>, name: &Value<'js>) -> Result<Key<'js>> {
    let key = if name.is_symbol() {
        Key::symbol(name)
    } else {
        cross::string(name).and_then(|name| match text::array_index(&name.encode_utf16().collect::<Vec<_>>()) {
            Some(index) => Key::index(ctx, index),
            None => Key::name(ctx, &name),
        })
    };
    key.map_err(|_| Exception::throw_type(ctx, "not a name"))
}

/// What stands before and after each kind of part, in turn.
fn palette(settings: &List<'_>, from: usize) -> Palette {
    let text = |at| settings.get(at).and_then(|text| cross::string(&text).ok()).unwrap_or_default();
    std::array::from_fn::<_, STYLES, _>(|at| (text(from + 2 * at), text(from + 2 * at + 1)))
}

/// An array that a part made, read without looking at its prototypes.
struct List<'js>(Value<'js>);

impl<'js> List<'js> {
    fn get(&self, at: usize) -> Option<Value<'js>> {
        let key = Key::index(self.0.ctx(), u32::try_from(at).ok()?).ok()?;
        raw::own_property(&self.0, &key).ok()??.into_data()
    }

    fn number(&self, at: usize) -> f64 {
        self.get(at).and_then(|value| value.as_number()).unwrap_or(0.0)
    }

    /// A float is cut off at the ends of the range, and what is no number is 0.
    fn count(&self, at: usize) -> usize {
        self.number(at) as usize
    }

    fn flag(&self, at: usize) -> bool {
        self.get(at).and_then(|value| value.as_bool()).unwrap_or(false)
    }
}
