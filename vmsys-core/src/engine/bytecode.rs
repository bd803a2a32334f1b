//! Scripts of ours and of libraries as bytecode: compiled once in the program, read into each realm.
//!
//! Reading bytecode trusts it blindly. So none is ever taken from a file or a socket: what is read here was compiled by
//! this program, in this process, from source that is at hand.
#![expect(unsafe_code, reason = "rquickjs has no call for the bytecode of scripts")]

use std::ffi::CString;
use std::sync::{Arc, OnceLock};

use rquickjs::{Context, Ctx, Exception, Result, Runtime, Value, qjs};

use super::ffi::owned;
use crate::isolation::memory;

/// A script of ours, compiled at its first use.
pub(super) struct Script {
    pub(super) name: &'static str,
    pub(super) source: &'static str,
    code: OnceLock<std::result::Result<Bytecode, String>>,
}

/// A compiled script.
#[derive(Clone)]
pub(super) struct Bytecode(Arc<[u8]>);

impl Script {
    pub(super) const fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, source, code: OnceLock::new() }
    }

    /// Runs it, and gives its completion value.
    pub(super) fn run<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let compile = || Bytecode::compile(self.source, self.name);
        match memory::program(|| self.code.get_or_init(compile)) {
            Ok(code) => code.run(ctx),
            Err(why) => Err(Exception::throw_message(ctx, &format!("{} cannot be compiled: {why}", self.name))),
        }
    }
}

impl Bytecode {
    /// Compiles a script, in a runtime of its own: what the compiler needs is not charged to anybody's heap.
    ///
    /// # Errors
    /// The text of its syntax error.
    pub(super) fn compile(source: &str, name: &str) -> std::result::Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let context = Context::full(&runtime).map_err(|error| error.to_string())?;
        context.with(|ctx| match compile(&ctx, source, name) {
            Ok(code) => Ok(Self(code.into())),
            Err(_) => {
                let thrown = ctx.catch();
                let message = thrown.as_exception().and_then(rquickjs::Exception::message);
                Err(message.unwrap_or_else(|| "the engine gave no reason".to_owned()))
            }
        })
    }

    /// Reads it into a realm and runs it, as a script of the global scope; gives its completion value.
    pub(super) fn run<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let flags = qjs::JS_READ_OBJ_BYTECODE as _;
        // SAFETY: the bytes were written by `JS_WriteObject` of the same engine in this process and are not changed.
        // `JS_EvalFunction` takes over the function that was read; each result is ours and checked.
        unsafe {
            let raw = ctx.as_raw().as_ptr();
            let function = qjs::JS_ReadObject(raw, self.0.as_ptr(), self.0.len() as _, flags);
            let function = owned(ctx, function).ok_or(rquickjs::Error::Exception)?;
            owned(ctx, qjs::JS_EvalFunction(raw, qjs::JS_DupValue(raw, function.as_raw())))
                .ok_or(rquickjs::Error::Exception)
        }
    }
}

fn compile(ctx: &Ctx<'_>, source: &str, name: &str) -> Result<Vec<u8>> {
    let name = CString::new(name).unwrap_or_default();
    let text = CString::new(source).map_err(|_| Exception::throw_syntax(ctx, "a NUL character"))?;
    let mut options = qjs::JSEvalOptions {
        version: qjs::JS_EVAL_OPTIONS_VERSION as _,
        eval_flags: (qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY) as _,
        filename: name.as_ptr(),
        line_num: 1,
    };
    let flags = (qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE) as _;
    // SAFETY: text, name and options outlive the calls. What `JS_WriteObject` answers is memory of the engine with
    // `size` bytes, copied and then given back.
    unsafe {
        let raw = ctx.as_raw().as_ptr();
        let length = text.as_bytes().len() as _;
        let function = owned(ctx, qjs::JS_Eval2(raw, text.as_ptr(), length, &raw mut options))
            .ok_or(rquickjs::Error::Exception)?;
        let mut size = 0;
        let bytes = qjs::JS_WriteObject(raw, &raw mut size, function.as_raw(), flags);
        if bytes.is_null() {
            return Err(rquickjs::Error::Exception);
        }
        let code = std::slice::from_raw_parts(bytes, size as usize).to_vec();
        qjs::js_free(raw, bytes.cast());
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SUM: Script = Script::new("sum", "(function (a, b) { return a + b })");
    static BROKEN: Script = Script::new("broken", "(function (");

    #[test]
    fn a_script_runs_in_every_realm() {
        for _ in 0..2 {
            let runtime = Runtime::new().unwrap();
            Context::full(&runtime).unwrap().with(|ctx| {
                let sum = SUM.run(&ctx).unwrap().into_function().unwrap();
                assert_eq!(sum.call::<_, i32>((1, 2)).unwrap(), 3);
                assert!(BROKEN.run(&ctx).is_err());
                assert!(
                    ctx.catch().as_exception().unwrap().message().unwrap().starts_with("broken cannot be compiled")
                );
            });
        }
    }
}
