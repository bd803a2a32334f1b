//! ES modules: how the engine finds and reads what a script imports.
//!
//! The engine asks twice: for the one name of a module, and then for the module of that name, if it has none yet. Both
//! go to the host's loader. What is no ES module (CommonJS, JSON, modules that are no files) becomes one whose exports
//! are known before it is linked.
#![expect(unsafe_code, reason = "rquickjs's loaders see neither attributes nor who asks")]

mod bound;
mod evaluated;
mod linked;
mod required;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::{Rc, Weak};

use rquickjs::object::Property;
use rquickjs::{Ctx, Exception, Function, Object, Result, Value, qjs};

use self::bound::Bound;
use self::evaluated::Records;
use self::linked::{attempt, loaded, run};
pub(super) use self::required::require;
use super::builtins;
use super::cross;
use super::ffi::{self, Evaluated};
use super::globals::native;
use super::raw::{self, Keys, Listing};
use super::realm::World;
use crate::isolation::protocol::{Call, Goal, LOADER};
use crate::typescript::{self, SyntaxProblem};
use crate::value::{CallError, Value as Data};

/// What separates a path from a number in the name of a module, where the path itself is taken. No path has it.
const NUMBERED: &str = "//";
/// The name of the module that stands for those that are not there.
const EMPTY: &str = "vm:empty";
/// The engine looks through all names for each name. What exports more is a table, and has a `default` only.
const MOST_EXPORTS: usize = 4_000;
/// A name of a module that is longer is not kept for messages.
const LONGEST_WRITTEN: usize = 1_000;
/// To see whether a longer text is a module, it would have to be compiled without limits.
const MAX_DETECTED_BYTES: usize = 1 << 20;

/// What a realm knows of its modules.
pub(super) struct Modules {
    /// The absolute path of the worktree.
    root: RefCell<String>,
    strict: bool,
    records: Option<Records>,
    /// What was found, by the name of the module.
    found: RefCell<HashMap<String, Found>>,
    /// How often each file was run as a module.
    runs: RefCell<HashMap<String, u32>>,
    /// The name under which the file that is being run was imported before, for later.
    earlier: RefCell<Option<(String, (String, u32))>>,
    /// The name under which each file is imported, with its number.
    names: RefCell<HashMap<String, (String, u32)>>,
    /// The files of the attempts that are being made, in the order in which they were loaded.
    fresh: RefCell<Vec<String>>,
    /// How each module was named by whoever imported it last in the attempts that are being made.
    written: RefCell<HashMap<String, String>>,
    /// What the declarations of snippets import by name.
    bound: Bound,
    /// How many attempts are being made, one within the other.
    depth: Cell<u32>,
}

#[derive(Clone)]
struct Found {
    path: String,
    file: String,
    format: String,
}

impl Modules {
    /// To be made before the realm has any module.
    pub(super) fn new(ctx: &Ctx<'_>, root: &str, strict: bool) -> Self {
        let records = Records::find(ctx);
        Self {
            root: RefCell::new(root.to_owned()),
            strict,
            records,
            found: RefCell::default(),
            runs: RefCell::default(),
            earlier: RefCell::default(),
            names: RefCell::default(),
            fresh: RefCell::default(),
            written: RefCell::default(),
            bound: Bound::default(),
            depth: Cell::new(0),
        }
    }

    /// The absolute path of the worktree.
    pub(super) fn root(&self) -> String {
        self.root.borrow().clone()
    }

    pub(super) fn set_root(&self, root: &str) {
        root.clone_into(&mut self.root.borrow_mut());
    }

    /// The file that a script or module of this name was read from.
    pub(super) fn file_of(&self, name: &str) -> String {
        if let Some(snippet) = self.bound.snippet_of(name) {
            return snippet;
        }
        self.found.borrow().get(name).map_or_else(|| name.to_owned(), |found| found.path.clone())
    }

    /// The name under which a file is imported: the same each time, whatever is run meanwhile. Who imports a file while it
    /// is run for the first time gets that run's module.
    fn name_of(&self, path: &str) -> String {
        let mut names = self.names.borrow_mut();
        let runs = || self.runs.borrow().get(path).copied().unwrap_or_default();
        let first = || if runs() > 1 { numbered(path, 1) } else { (path.to_owned(), 0) };
        names.entry(path.to_owned()).or_insert_with(first).0.clone()
    }

    /// The name under which a file is run: the file's, so that stacks tell it, unless it was imported, which takes the name.
    fn begin_run(&self, path: &str, file: &str) -> String {
        *self.runs.borrow_mut().entry(path.to_owned()).or_default() += 1;
        let mut names = self.names.borrow_mut();
        let Some(name) = names.get_mut(path) else { return path.to_owned() };
        // While it runs, whoever imports it gets this run's module.
        let own = numbered(path, name.1 + 1);
        let found = Found { path: path.to_owned(), file: file.to_owned(), format: "module".to_owned() };
        self.found.borrow_mut().insert(own.0.clone(), found);
        let before = std::mem::replace(name, own.clone());
        *self.earlier.borrow_mut() = Some((path.to_owned(), (before.0, own.1)));
        own.0
    }

    /// Ends the run of a file: from now on an import of it gets what was imported before.
    pub(super) fn end_run(&self) {
        if let Some((path, name)) = self.earlier.borrow_mut().take() {
            self.names.borrow_mut().insert(path, name);
        }
    }

    /// The text of a snippet that declares imports as one that awaits them; `None` when it declares none.
    pub(super) fn awaiting_imports(&self, snippet: &str, source: &str) -> Option<String> {
        self.bound.begin();
        typescript::awaiting_imports(source, |module| self.bound.name_of(snippet, module))
    }

    /// Has a file imported under another name from now on.
    fn rename(&self, path: &str) {
        self.bound.forget(path);
        if let Some(name) = self.names.borrow_mut().get_mut(path) {
            *name = numbered(path, name.1 + 1);
        }
    }
}

fn numbered(path: &str, number: u32) -> (String, u32) {
    (format!("{path}{NUMBERED}{number}"), number)
}

/// A stack without the numbers that tell modules of one file apart.
pub(super) fn plain_stack(stack: &str) -> String {
    let mut plain = String::with_capacity(stack.len());
    let mut pieces = stack.split(NUMBERED);
    plain.extend(pieces.next());
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() < piece.len() && rest.starts_with(':') {
            plain.push_str(rest);
        } else {
            plain.push_str(NUMBERED);
            plain.push_str(piece);
        }
    }
    plain
}

/// What the engine is given to find the realm by.
pub(super) struct LoaderHook(RefCell<Weak<World>>);

impl LoaderHook {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self(RefCell::new(Weak::new())))
    }

    pub(super) fn attach(&self, world: &Rc<World>) {
        *self.0.borrow_mut() = Rc::downgrade(world);
    }
}

/// Has the engine ask us for modules. The hook must outlive the runtime.
#[expect(clippy::borrowed_box, reason = "a box does not move, which the engine relies on")]
pub(super) fn install(ctx: &Ctx<'_>, hook: &Box<LoaderHook>) {
    let opaque = std::ptr::from_ref::<LoaderHook>(hook.as_ref()).cast_mut().cast::<c_void>();
    // SAFETY: the runtime of a live context is alive; the functions live as long as the program, and the hook, of which
    // they only make shared references, as long as the runtime.
    unsafe {
        let runtime = qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
        qjs::JS_SetModuleLoaderFunc2(runtime, Some(normalize), Some(load), Some(check_attributes), opaque);
    }
}

/// Runs a file as a module, anew.
pub(super) fn evaluate<'js>(ctx: &Ctx<'js>, world: &Rc<World>, path: &str, source: &str) -> Evaluated<'js> {
    let file = format!("{}/{path}", world.modules.root());
    let name = world.modules.begin_run(path, &file);
    let promise = attempt(world, || {
        // One that imports itself is found by that name while it is being loaded, and never after it has failed.
        world.modules.fresh.borrow_mut().push(path.to_owned());
        let module = ffi::compile_module(ctx, source, &name).ok_or(rquickjs::Error::Exception)?;
        describe(ctx, world, &module, path, &file)?;
        run(ctx, world, &module)
    });
    promise.map_or(Evaluated::Threw, Evaluated::Promise)
}

/// Imports a file of the worktree.
pub(super) fn import<'js>(ctx: &Ctx<'js>, path: &str) -> Evaluated<'js> {
    let name = CString::new(format!("./{path}")).unwrap_or_default();
    // SAFETY: the context is alive, both names outlive the call, and what comes back is ours.
    let promise = unsafe { ffi::owned(ctx, qjs::JS_LoadModule(ctx.as_raw().as_ptr(), c"".as_ptr(), name.as_ptr())) };
    promise.map_or(Evaluated::Threw, Evaluated::Promise)
}

/// Makes the function around a CommonJS module; `None` when the text is that of an ES module.
///
/// # Errors
/// Its syntax error is pending.
pub(super) fn compile_common<'js>(
    ctx: &Ctx<'js>,
    world: &World,
    path: &str,
    source: &str,
) -> Result<Option<Value<'js>>> {
    let stripped = match typed(path, source, Goal::Script) {
        Ok(stripped) => stripped,
        // What is none of a script's syntax can be a module's.
        Err(_) if typed(path, source, Goal::Module).is_ok() => return Ok(None),
        Err(problem) => return Err(syntax_error(ctx, world, path, &problem)),
    };
    let source = stripped.as_ref();
    let hashbang = if source.starts_with("#!") { "//" } else { "" };
    // The head stands on lines of its own before the first one, so that lines and columns stay the user's.
    let text = format!("(function (exports, require, module, __filename, __dirname) {{\n\n{hashbang}{source}\n}})");
    if let Some(function) = ffi::expression(ctx, &text, path, -1, world.modules.strict) {
        return Ok(Some(function));
    }
    let thrown = ctx.catch();
    if is_module(source) {
        return Ok(None);
    }
    Err(ctx.throw(thrown))
}

/// Whether a text that is no script is a module.
pub(super) fn is_module(source: &str) -> bool {
    source.len() <= MAX_DETECTED_BYTES && ffi::is_module(source)
}

unsafe extern "C" fn normalize(
    ctx: *mut qjs::JSContext,
    base: *const c_char,
    name: *const c_char,
    opaque: *mut c_void,
) -> *mut c_char {
    // SAFETY: the engine calls this with its own context, two C strings and what it was given to keep.
    let called = unsafe { Called::new(ctx, opaque) };
    // SAFETY: as above; the texts are copied.
    let (base, name) = unsafe { (text_of(base), text_of(name)) };
    let canonical = called.run(|ctx, world| {
        let canonical = canonical_name(ctx, world, &world.modules.file_of(&base), &name)?;
        if name.len() <= LONGEST_WRITTEN {
            world.modules.written.borrow_mut().insert(canonical.clone(), name.clone());
        }
        Ok(canonical)
    });
    match canonical.and_then(|name| CString::new(name).ok()) {
        // SAFETY: the context is alive; the engine frees the copy.
        Some(name) => unsafe { qjs::js_strdup(ctx, name.as_ptr()) },
        None => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn load(
    ctx: *mut qjs::JSContext,
    name: *const c_char,
    opaque: *mut c_void,
    attributes: qjs::JSValue,
) -> *mut qjs::JSModuleDef {
    // SAFETY: the engine calls this with its own context, a C string, what it was given to keep, and a value that stays
    // alive for the call.
    let called = unsafe { Called::new(ctx, opaque) };
    // SAFETY: as above; the text is copied.
    let name = unsafe { text_of(name) };
    let loaded = called.run(|ctx, world| {
        // SAFETY: as above; the value gets a count of its own.
        let attributes = unsafe { Value::from_raw(ctx.clone(), qjs::JS_DupValue(ctx.as_raw().as_ptr(), attributes)) };
        attempt(world, || load_module(ctx, world, &name, &attributes))
    });
    loaded.unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn check_attributes(
    ctx: *mut qjs::JSContext,
    opaque: *mut c_void,
    attributes: qjs::JSValue,
) -> c_int {
    // SAFETY: as in `load`.
    let called = unsafe { Called::new(ctx, opaque) };
    let checked = called.run(|ctx, world| {
        // SAFETY: as in `load`.
        let attributes = unsafe { Value::from_raw(ctx.clone(), qjs::JS_DupValue(ctx.as_raw().as_ptr(), attributes)) };
        match attribute_type(ctx, &attributes) {
            Ok(None) => Ok(()),
            Ok(Some(kind)) if kind == "json" => Ok(()),
            Ok(Some(kind)) => Err(refuse(
                ctx,
                world,
                "ERR_IMPORT_ATTRIBUTE_UNSUPPORTED",
                &format!("type \"{kind}\" is not supported: only \"json\" is"),
            )),
            Err(key) => Err(refuse(
                ctx,
                world,
                "ERR_IMPORT_ATTRIBUTE_UNSUPPORTED",
                &format!("the import attribute \"{key}\" is not supported: only \"type\" is"),
            )),
        }
    });
    if checked.is_some() { 0 } else { -1 }
}

/// One question of the engine's.
struct Called<'js> {
    ctx: Ctx<'js>,
    world: Option<Rc<World>>,
}

impl Called<'_> {
    /// # Safety
    /// The context is alive, and `opaque` is the hook that was installed, or null.
    unsafe fn new(ctx: *mut qjs::JSContext, opaque: *mut c_void) -> Self {
        // SAFETY: as the caller promises.
        unsafe {
            let hook = opaque.cast::<LoaderHook>().as_ref();
            let world = hook.and_then(|hook| hook.0.borrow().upgrade());
            Self { ctx: Ctx::from_raw(std::ptr::NonNull::new_unchecked(ctx)), world }
        }
    }

    /// Answers it; `None` says that an exception is pending. No panic gets into the engine.
    fn run<T>(&self, body: impl FnOnce(&Ctx<'_>, &Rc<World>) -> Result<T>) -> Option<T> {
        let Some(world) = &self.world else {
            drop(Exception::throw_message(&self.ctx, "nothing can be imported here"));
            return None;
        };
        let answer = catch_unwind(AssertUnwindSafe(|| body(&self.ctx, world))).unwrap_or_else(|_| {
            tracing::error!("the loader of modules panicked");
            Err(Exception::throw_message(&self.ctx, "internal error in the loader of modules"))
        });
        match answer {
            Ok(answer) => Some(answer),
            Err(rquickjs::Error::Exception) => None,
            Err(error) => {
                drop(Exception::throw_message(&self.ctx, &error.to_string()));
                None
            }
        }
    }
}

/// # Safety
/// The pointer is null or a C string.
unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

fn refuse(ctx: &Ctx<'_>, world: &World, code: &str, message: &str) -> rquickjs::Error {
    cross::throw(ctx, &world.intrinsics, &CallError::new("TypeError", message).with_code(code))
}

/// The one name of a module, however it is written.
fn canonical_name(ctx: &Ctx<'_>, world: &Rc<World>, referrer: &str, specifier: &str) -> Result<String> {
    if let Some(records) = &world.modules.records {
        records.mend();
    }
    if world.modules.bound.text_of(specifier).is_some() {
        return Ok(specifier.to_owned());
    }
    let ours = builtins::module_name(world, specifier);
    if let Some(name) = &ours
        && builtins::is_loadable(world, specifier)
    {
        return Ok(name.clone());
    }
    let answer = builtins::bridge::ask(
        ctx,
        world,
        Call {
            module: LOADER.to_owned(),
            function: "resolve".to_owned(),
            args: vec![specifier.into(), referrer.into(), "import".into()],
        },
    );
    let answer = match (answer, ours) {
        (Err(rquickjs::Error::Exception), Some(name)) => {
            // What is not granted says so when it is loaded.
            drop(ctx.catch());
            return Ok(name);
        }
        (answer, _) => answer?,
    };
    let field = |name: &str| answer.get(name).and_then(Data::as_str).unwrap_or_default().to_owned();
    let found = Found { path: field("path"), file: field("file"), format: field("format") };
    if found.format == "empty" {
        return Ok(EMPTY.to_owned());
    }
    if found.format == "builtin" {
        return builtins::module_name(world, &found.path).ok_or_else(|| not_found(ctx, world, specifier, &found.path));
    }
    let name = world.modules.name_of(&found.path);
    world.modules.found.borrow_mut().insert(name.clone(), found);
    Ok(name)
}

fn not_found(ctx: &Ctx<'_>, world: &World, specifier: &str, name: &str) -> rquickjs::Error {
    let message = format!("Cannot find package '{name}', which '{specifier}' stands for");
    cross::throw(ctx, &world.intrinsics, &CallError::new("Error", message).with_code("ERR_MODULE_NOT_FOUND"))
}

fn load_module<'js>(
    ctx: &Ctx<'js>,
    world: &Rc<World>,
    name: &str,
    attributes: &Value<'js>,
) -> Result<*mut qjs::JSModuleDef> {
    if let Some(exports) = builtins::module(ctx, world, name) {
        return synthetic(ctx, name, &exports?.into_value());
    }
    if name == EMPTY {
        return synthetic(ctx, name, &Object::new(ctx.clone())?.into_value());
    }
    if let Some(text) = world.modules.bound.text_of(name) {
        let module = ffi::compile_module(ctx, &text, name).ok_or(rquickjs::Error::Exception)?;
        return loaded(ctx, world, &module, name);
    }
    let found = world.modules.found.borrow().get(name).cloned();
    let Some(found) = found else { return Err(Exception::throw_message(ctx, "the module was never resolved")) };
    let is_json = attribute_type(ctx, attributes).is_ok_and(|kind| kind.as_deref() == Some("json"));
    match (found.format.as_str(), is_json) {
        ("json", true) | ("commonjs", false) => common(ctx, world, name, &found),
        ("json", false) => {
            let message = format!("'{}' needs an import attribute: with {{ type: \"json\" }}", found.path);
            Err(refuse(ctx, world, "ERR_IMPORT_ATTRIBUTE_MISSING", &message))
        }
        (_, true) => {
            let message = format!("'{}' is no JSON, as its import attribute says", found.path);
            Err(refuse(ctx, world, "ERR_IMPORT_ATTRIBUTE_TYPE_INCOMPATIBLE", &message))
        }
        ("module", false) => source_module(ctx, world, name, &found, &read(ctx, world, &found.path)?),
        _ => {
            let source = read(ctx, world, &found.path)?;
            match compile_common(ctx, world, &found.path, &source) {
                Ok(Some(_)) => common(ctx, world, name, &found),
                Ok(None) => source_module(ctx, world, name, &found, &source),
                Err(error) => Err(error),
            }
        }
    }
}

/// A file's text without types.
fn typed<'a>(path: &str, source: &'a str, goal: Goal) -> std::result::Result<Cow<'a, str>, SyntaxProblem> {
    if typescript::is_typescript(path) { typescript::strip(source, goal) } else { Ok(Cow::Borrowed(source)) }
}

fn syntax_error(ctx: &Ctx<'_>, world: &World, path: &str, problem: &SyntaxProblem) -> rquickjs::Error {
    let SyntaxProblem { message, line, column, unsupported } = problem;
    let stack = format!("SyntaxError: {message}\n    at {path}:{line}:{column}");
    let error = CallError::new("SyntaxError", message).with("stack", stack);
    let error = if *unsupported { error.with_code(typescript::UNSUPPORTED) } else { error };
    cross::throw(ctx, &world.intrinsics, &error)
}

fn read(ctx: &Ctx<'_>, world: &Rc<World>, path: &str) -> Result<String> {
    let call = Call { module: LOADER.to_owned(), function: "read".to_owned(), args: vec![path.into()] };
    match builtins::bridge::ask(ctx, world, call)? {
        Data::String(source) => Ok(source),
        _ => Err(Exception::throw_message(ctx, "the loader gave no text")),
    }
}

fn source_module<'js>(
    ctx: &Ctx<'js>,
    world: &Rc<World>,
    name: &str,
    found: &Found,
    source: &str,
) -> Result<*mut qjs::JSModuleDef> {
    let stripped =
        typed(&found.path, source, Goal::Module).map_err(|problem| syntax_error(ctx, world, &found.path, &problem))?;
    let module = ffi::compile_module(ctx, &stripped, name).ok_or(rquickjs::Error::Exception)?;
    describe(ctx, world, &module, &found.path, &found.file)?;
    loaded(ctx, world, &module, &found.path)
}

/// The module that a value of the engine's stands for. The realm keeps all of its modules, so that it outlives the value.
fn definition(module: &Value<'_>) -> *mut qjs::JSModuleDef {
    // SAFETY: only takes the value apart.
    unsafe { qjs::JS_VALUE_GET_PTR(module.as_raw()).cast() }
}

/// Fills a module's `import.meta`.
fn describe<'js>(ctx: &Ctx<'js>, world: &Rc<World>, module: &Value<'js>, path: &str, file: &str) -> Result<()> {
    // SAFETY: the module is one of this context; the object that comes back is ours.
    let meta = unsafe { ffi::owned(ctx, qjs::JS_GetImportMeta(ctx.as_raw().as_ptr(), definition(module))) };
    let Some(meta) = meta.ok_or(rquickjs::Error::Exception)?.into_object() else { return Ok(()) };
    let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
    let set = |name: &str, value: &str| meta.prop(name, Property::from(value).writable().enumerable().configurable());
    set("url", &file_url(file))?;
    set("filename", file)?;
    set("dirname", directory)?;
    let path = path.to_owned();
    let resolve = native(ctx, world, "resolve", move |ctx, world, args| {
        let specifier = args.0.first().and_then(|name| name.as_string()?.to_string().ok());
        let Some(specifier) = specifier else { return Err(Exception::throw_type(ctx, "a specifier is a string")) };
        let name = canonical_name(ctx, world, &path, &specifier)?;
        let found = world.modules.found.borrow().get(&name).map(|found| file_url(&found.file));
        Ok(found.unwrap_or(name))
    })?;
    meta.prop("resolve", Property::from(resolve).writable().enumerable().configurable())
}

/// The `file:` URL of an absolute path.
fn file_url(path: &str) -> String {
    let mut url = String::from("file://");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'/'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
            | b':'
            | b'@' => url.push(char::from(byte)),
            _ => {
                use std::fmt::Write as _;
                _ = write!(url, "%{byte:02X}");
            }
        }
    }
    url
}

/// A CommonJS or JSON module as one to import: it has run when it is linked, so that its exports have names.
fn common<'js>(ctx: &Ctx<'js>, world: &Rc<World>, name: &str, found: &Found) -> Result<*mut qjs::JSModuleDef> {
    let commonjs = builtins::part(ctx, world, "commonjs")?;
    let load: Function<'js> = commonjs.get("load")?;
    let loaded: Value<'js> = load.call((found.path.as_str(), found.file.as_str(), found.format.as_str()))?;
    let Some(loaded) = loaded.into_object() else {
        // It is an ES module, though its package says otherwise.
        return source_module(ctx, world, name, found, &read(ctx, world, &found.path)?);
    };
    let exports: Value<'js> = loaded.get("exports")?;
    if found.format == "json" { exporting(ctx, name, &exports, false) } else { synthetic(ctx, name, &exports) }
}

fn synthetic<'js>(ctx: &Ctx<'js>, name: &str, exports: &Value<'js>) -> Result<*mut qjs::JSModuleDef> {
    exporting(ctx, name, exports, true)
}

/// Makes a module of a value: `default` is the value itself, and its own properties have their names.
fn exporting<'js>(ctx: &Ctx<'js>, name: &str, exports: &Value<'js>, named: bool) -> Result<*mut qjs::JSModuleDef> {
    let list = Object::new_proto(ctx.clone(), None)?;
    if named
        && let Ok(keys) = Keys::of(exports, Listing::All)
        && keys.len() <= MOST_EXPORTS
    {
        for at in 0..keys.len() {
            let Ok(key) = keys.get(at).to_value() else { continue };
            let Some(key) = key.as_string().and_then(|key| key.to_string().ok()) else { continue };
            if !keys.is_enumerable(at) || key == "default" || key.contains('\0') {
                continue;
            }
            // A getter of the guest's is called as a reader of the property would call it: within its limits.
            let value = exports.as_object().ok_or(rquickjs::Error::Unknown)?.get::<_, Value<'js>>(key.as_str())?;
            list.prop(key.as_str(), Property::from(value).enumerable())?;
        }
    }
    list.prop("default", Property::from(exports.clone()).enumerable())?;
    let name = CString::new(name).unwrap_or_default();
    // SAFETY: context, names and values are alive for the calls. The list's count goes to the module, which is freed
    // with the context.
    unsafe {
        let raw = ctx.as_raw().as_ptr();
        let module = qjs::JS_NewCModule(raw, name.as_ptr(), Some(fill));
        if module.is_null() {
            return Err(rquickjs::Error::Exception);
        }
        for export in names(list.as_value()) {
            if qjs::JS_AddModuleExport(raw, module, export.as_ptr()) < 0 {
                return Err(rquickjs::Error::Exception);
            }
        }
        qjs::JS_SetModulePrivateValue(raw, module, qjs::JS_DupValue(raw, list.as_raw()));
        Ok(module)
    }
}

fn names(list: &Value<'_>) -> Vec<CString> {
    let Ok(keys) = Keys::of(list, Listing::NamesOnly) else { return Vec::new() };
    let name = |at| CString::new(cross::string(&keys.get(at).to_value().ok()?).ok()?).ok();
    (0..keys.len()).filter_map(name).collect()
}

/// Gives a module that [`exporting`] made the values of its exports.
unsafe extern "C" fn fill(ctx: *mut qjs::JSContext, module: *mut qjs::JSModuleDef) -> c_int {
    // SAFETY: the engine calls this with its own context and a module of ours, whose private value is the list; each
    // value gets a count of its own, which the call takes over.
    let filled = catch_unwind(AssertUnwindSafe(|| unsafe {
        let context = Ctx::from_raw(std::ptr::NonNull::new_unchecked(ctx));
        let list = Value::from_raw(context.clone(), qjs::JS_GetModulePrivateValue(ctx, module));
        for name in names(&list) {
            let value = name.to_str().ok().and_then(|name| ffi::own_data_property(&context, &list, name));
            let value = value.unwrap_or_else(|| Value::new_undefined(context.clone()));
            let value = qjs::JS_DupValue(ctx, value.as_raw());
            if qjs::JS_SetModuleExport(ctx, module, name.as_ptr(), value) < 0 {
                return -1;
            }
        }
        0
    }));
    filled.unwrap_or(-1)
}

/// The `type` among import attributes; an error names one that is not known.
fn attribute_type<'js>(ctx: &Ctx<'js>, attributes: &Value<'js>) -> std::result::Result<Option<String>, String> {
    if !attributes.is_object() {
        return Ok(None);
    }
    let Ok(keys) = Keys::of(attributes, Listing::NamesOnly) else { return Ok(None) };
    for at in 0..keys.len() {
        let key = keys.get(at).to_value().and_then(|key| cross::string(&key)).unwrap_or_default();
        if key != "type" {
            return Err(key);
        }
    }
    let kind = ffi::own_data_property(ctx, attributes, "type");
    Ok(kind.and_then(|kind| raw::utf16(&kind).ok()).map(|units| String::from_utf16_lossy(&units)))
}
