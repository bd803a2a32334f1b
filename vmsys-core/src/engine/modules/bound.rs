//! What snippets import by name: modules of ours that export the wanted names from the wanted modules.
//!
//! A realm keeps every module that it has loaded, so that a declaration which comes again gets the module that it had.

use std::cell::{Cell, RefCell};

use super::NUMBERED;

/// What the names of these modules begin with.
const SCHEME: &str = "vm:imports";
/// When there are more, all are forgotten before the next snippet. That costs memory of the realm's, and no more.
const MOST: usize = 256;

#[derive(Default)]
pub(super) struct Bound {
    modules: RefCell<Vec<Module>>,
    count: Cell<u64>,
}

struct Module {
    name: String,
    /// The name of the snippet that it was made for.
    snippet: String,
    text: String,
}

impl Bound {
    /// Says that a snippet begins.
    pub(super) fn begin(&self) {
        let mut modules = self.modules.borrow_mut();
        if modules.len() > MOST {
            modules.clear();
        }
    }

    /// The name under which a module of this text is imported.
    pub(super) fn name_of(&self, snippet: &str, text: String) -> String {
        let mut modules = self.modules.borrow_mut();
        if let Some(known) = modules.iter().find(|module| module.text == text && module.snippet == snippet) {
            return known.name.clone();
        }
        self.count.set(self.count.get() + 1);
        let name = format!("{SCHEME}{NUMBERED}{}", self.count.get());
        modules.push(Module { name: name.clone(), snippet: snippet.to_owned(), text });
        name
    }

    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.look(name, |module| &module.text)
    }

    pub(super) fn snippet_of(&self, name: &str) -> Option<String> {
        self.look(name, |module| &module.snippet)
    }

    /// Has the next snippet get another module.
    pub(super) fn forget(&self, name: &str) {
        if name.starts_with(SCHEME) {
            self.modules.borrow_mut().retain(|module| module.name != name);
        }
    }

    fn look(&self, name: &str, field: impl Fn(&Module) -> &String) -> Option<String> {
        // Most names are none of these, and are not looked for.
        let modules = name.starts_with(SCHEME).then(|| self.modules.borrow())?;
        modules.iter().find(|module| module.name == name).map(|module| field(module).clone())
    }
}
