//! What only the script can say of a value: its custom inspection functions, and its getters.
//!
//! The inspector calls none of them. It writes down what it would have to ask, and its caller, which is a function of the
//! script's world and runs under its limits, asks and comes back with the answers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rquickjs::Value;

use super::paint::Paint;
use super::{CUT, Inspector, MAX_CHAIN};
use crate::engine::ffi;
use crate::engine::raw::{self, Content, Key, Known};
use crate::engine::text;

/// How many objects may stand for one another before that is taken for a loop.
const MAX_STAND_INS: u32 = 64;
/// How many questions are put at once; the rest is asked in the next round.
const MAX_QUESTIONS: usize = 1000;

/// What the script is to be asked.
pub(in crate::engine) struct Question<'js> {
    pub(in crate::engine) object: Value<'js>,
    /// The property whose getter is to be called; none for the object's custom inspection function.
    pub(in crate::engine) getter: Option<Key<'js>>,
    /// How many more levels may be shown.
    pub(in crate::engine) depth: i32,
}

/// The answers there are, and the questions that are left.
pub(in crate::engine) struct Guest<'js> {
    /// The symbol of custom inspection functions; none when they are not to be called.
    custom: Option<Key<'js>>,
    /// Whether getters are called: those without a setter, and those with one.
    getters: (bool, bool),
    answers: HashMap<usize, Vec<(Option<Key<'js>>, Value<'js>)>>,
    questions: Rc<RefCell<Vec<Question<'js>>>>,
    stand_ins: u32,
}

impl<'js> Guest<'js> {
    pub(in crate::engine) fn new(custom: Option<Key<'js>>, getters: (bool, bool)) -> Self {
        Self { custom, getters, answers: HashMap::new(), questions: Rc::default(), stand_ins: 0 }
    }

    /// Adds an answer.
    pub(in crate::engine) fn answer(&mut self, object: &Value<'js>, getter: Option<Key<'js>>, answer: Value<'js>) {
        if let Some(address) = ffi::object_address(object) {
            self.answers.entry(address).or_default().push((getter, answer));
        }
    }

    pub(super) fn questions(&self) -> Rc<RefCell<Vec<Question<'js>>>> {
        self.questions.clone()
    }

    /// Returns the answer, or notes the question.
    fn ask(&self, object: &Value<'js>, getter: Option<&Key<'js>>, depth: i32) -> Option<Value<'js>> {
        let known = ffi::object_address(object).and_then(|address| self.answers.get(&address));
        let known = known.and_then(|known| known.iter().find(|(of, _)| of.as_ref() == getter));
        if let Some((_, answer)) = known {
            return Some(answer.clone());
        }
        let mut questions = self.questions.borrow_mut();
        if questions.len() < MAX_QUESTIONS {
            questions.push(Question { object: object.clone(), getter: getter.cloned(), depth });
        }
        None
    }
}

impl<'js> Inspector<'_, 'js> {
    /// Returns what the object's own inspection function makes of it; none if it has none, or leaves it as it is.
    pub(super) fn custom(&mut self, value: &Value<'js>, level: i32) -> Option<String> {
        if !self.has_custom(value) {
            return None;
        }
        let depth = self.options.depth.saturating_sub(level);
        let guest = self.guest.as_mut()?;
        let Some(answer) = guest.ask(value, None, depth) else { return Some(CUT.to_owned()) };
        if answer == *value {
            return None;
        }
        if answer.is_string() {
            let Ok((units, _)) = self.tools.units(&answer, self.options.max_bytes) else { return Some(self.fail()) };
            let shown = text::lossy(&units).replace('\n', &format!("\n{}", " ".repeat(self.indentation)));
            self.spent += shown.len();
            return Some(shown);
        }
        if guest.stand_ins >= MAX_STAND_INS {
            return Some(self.fail());
        }
        guest.stand_ins += 1;
        let shown = self.value(&answer, level);
        if let Some(guest) = &mut self.guest {
            guest.stand_ins -= 1;
        }
        Some(shown)
    }

    fn has_custom(&mut self, value: &Value<'js>) -> bool {
        let Some(custom) = self.guest.as_ref().and_then(|guest| guest.custom.clone()) else { return false };
        let mut at = Some(value.clone());
        for _ in 0..MAX_CHAIN {
            let Some(object) = at else { return false };
            self.tools.charge(1);
            match raw::own_property(&object, &custom) {
                Ok(Some(property)) => {
                    let is_function = matches!(&property.content, Content::Data(data) if data.is_function());
                    return is_function && !self.is_prototype(value);
                }
                Ok(None) => at = raw::prototype(&object),
                Err(_) => return false,
            }
        }
        false
    }

    /// Says whether an object is the prototype of its own constructor: the function is meant for its instances then.
    fn is_prototype(&mut self, value: &Value<'js>) -> bool {
        let constructor = self.own_data(value, &Key::known(&self.tools.ctx, Known::Constructor));
        let constructor = constructor.filter(|constructor| constructor.is_function());
        let prototype = constructor.and_then(|of| self.own_data(&of, &Key::known(&self.tools.ctx, Known::Prototype)));
        prototype.is_some_and(|prototype| prototype == *value)
    }

    /// Shows a property that has a getter.
    pub(super) fn getter(&mut self, of: &Value<'js>, key: &Key<'js>, has_setter: bool, level: i32) -> String {
        let label = if has_setter { "Getter/Setter" } else { "Getter" };
        let whole = self.paint(Paint::Special, &format!("[{label}]"));
        let depth = self.options.depth.saturating_sub(level);
        let answer = match &self.guest {
            Some(guest) if (has_setter && guest.getters.1) || (!has_setter && guest.getters.0) => {
                guest.ask(of, Some(key), depth)
            }
            _ => return whole,
        };
        let Some(answer) = answer else { return CUT.to_owned() };
        // What was thrown comes as text, what was answered within an array.
        let answered = Key::index(&self.tools.ctx, 0).ok().and_then(|first| self.own_data(&answer, &first));
        let open = self.paint(Paint::Special, &format!("[{label}:"));
        let close = self.paint(Paint::Special, "]");
        match answered {
            Some(object) if object.is_object() && !object.is_function() => {
                format!("{whole} {}", self.indented(|this| this.value(&object, level)))
            }
            Some(primitive) => format!("{open} {}{close}", self.indented(|this| this.value(&primitive, level))),
            None => {
                let said = self.tools.units(&answer, self.options.max_string).unwrap_or_default();
                format!("{open} {}{close}", text::lossy(&said.0))
            }
        }
    }
}
