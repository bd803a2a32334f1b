//! The arguments of a call, checked again: a script may reach the host past `fs.js`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::modules::OpenHow;
use crate::value::{CallError, Value};

/// What a call was given.
pub(super) struct Args<'a>(pub(super) &'a [Value]);

impl<'a> Args<'a> {
    fn get(&self, at: usize) -> &'a Value {
        self.0.get(at).unwrap_or(&Value::Null)
    }

    /// A path: text, or its bytes.
    ///
    /// # Errors
    /// Node's own for what is no path, or has a NUL.
    pub(super) fn path(&self, at: usize, name: &str) -> Result<&'a Path, CallError> {
        let bytes = match self.get(at) {
            Value::String(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
            _ => {
                return Err(CallError::argument(format!(
                    "The \"{name}\" argument must be of type string or an instance of Buffer or URL."
                )));
            }
        };
        if bytes.contains(&0) {
            let shown = String::from_utf8_lossy(bytes).replace('\0', "\\x00");
            let message = format!(
                "The argument '{name}' must be a string, Uint8Array, or URL without null bytes. Received '{shown}'"
            );
            return Err(CallError::new("TypeError", message).with_code("ERR_INVALID_ARG_VALUE"));
        }
        Ok(Path::new(OsStr::from_bytes(bytes)))
    }

    /// Text or bytes to be written.
    pub(super) fn data(&self, at: usize) -> Result<&'a [u8], CallError> {
        match self.get(at) {
            Value::String(text) => Ok(text.as_bytes()),
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(CallError::argument(
                "The \"data\" argument must be of type string or an instance of Buffer, TypedArray, or DataView.",
            )),
        }
    }

    /// A switch, which is off when it is missing.
    pub(super) fn flag(&self, at: usize) -> bool {
        self.get(at).as_bool().unwrap_or(false)
    }

    /// A number, when there is one.
    pub(super) fn number(&self, at: usize) -> Option<f64> {
        self.get(at).as_number()
    }

    /// A number of at most 32 bits without a sign.
    pub(super) fn bits(&self, at: usize, name: &str, default: u32) -> Result<u32, CallError> {
        let Some(number) = self.number(at) else { return Ok(default) };
        if number.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&number) {
            let message =
                format!("The value of \"{name}\" is out of range. It must be >= 0 && <= 4294967295. Received {number}");
            return Err(CallError::new("RangeError", message).with_code("ERR_OUT_OF_RANGE"));
        }
        Ok(number as u32)
    }

    /// A flag as in `open`: `r`, `w+`, `ax` and so on, or the system's own number.
    pub(super) fn open_how(&self, at: usize, mode: u32) -> Result<OpenHow, CallError> {
        let how = match self.get(at) {
            Value::String(text) => how_of_text(text),
            Value::Number(number) => how_of_bits(*number),
            _ => None,
        };
        how.map(|how| OpenHow { mode, ..how }).ok_or_else(|| {
            let shown = match self.get(at) {
                Value::String(text) => format!("'{text}'"),
                Value::Number(number) => number.to_string(),
                other => format!("{other:?}"),
            };
            CallError::new("TypeError", format!("The argument 'flags' is invalid. Received {shown}"))
                .with_code("ERR_INVALID_ARG_VALUE")
        })
    }
}

/// The forms that Node knows. `s` asks for writes that wait for the disk, which `flush` does here.
fn how_of_text(text: &str) -> Option<OpenHow> {
    let none = OpenHow::default();
    let read = OpenHow { read: true, ..none };
    let write = OpenHow { write: true, create: true, truncate: true, ..none };
    let append = OpenHow { append: true, create: true, ..none };
    Some(match text {
        "r" | "rs" | "sr" => read,
        "r+" | "rs+" | "sr+" => OpenHow { write: true, ..read },
        "w" => write,
        "wx" | "xw" => OpenHow { exclusive: true, ..write },
        "w+" => OpenHow { read: true, ..write },
        "wx+" | "xw+" => OpenHow { read: true, exclusive: true, ..write },
        "a" | "as" | "sa" => append,
        "ax" | "xa" => OpenHow { exclusive: true, ..append },
        "a+" | "as+" | "sa+" => OpenHow { read: true, ..append },
        "ax+" | "xa+" => OpenHow { read: true, exclusive: true, ..append },
        _ => return None,
    })
}

/// The numbers of `fs.constants`, which are those of Linux; none but these.
fn how_of_bits(number: f64) -> Option<OpenHow> {
    const CREATE: u32 = 0o100;
    const EXCLUSIVE: u32 = 0o200;
    const TRUNCATE: u32 = 0o1000;
    const APPEND: u32 = 0o2000;
    if number.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&number) {
        return None;
    }
    let bits = number as u32;
    if bits & !(3 | CREATE | EXCLUSIVE | TRUNCATE | APPEND) != 0 || bits & 3 == 3 {
        return None;
    }
    let writes = bits & 3 != 0;
    let create = bits & CREATE != 0;
    // What writes nothing may neither make a file nor empty one.
    if !writes && bits != 0 {
        return None;
    }
    Some(OpenHow {
        read: bits & 3 != 1,
        write: writes,
        append: bits & APPEND != 0,
        create,
        exclusive: create && bits & EXCLUSIVE != 0,
        truncate: bits & TRUNCATE != 0,
        mode: 0,
    })
}
