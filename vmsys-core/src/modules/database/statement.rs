//! One call of `query` or `exec`: statements are prepared, given their parameters, and run.

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, CachedStatement, Connection, Error, Statement};

use super::fault::{self, out_of_range, wrong_value};
use super::guard::Guard;
use crate::modules::CallContext;
use crate::value::{CallError, Value};

/// Longer ones are not used often enough to be kept.
const KEPT_BYTES: usize = 2048;
/// Whole numbers up to here are numbers in JavaScript.
const MAX_SAFE: i64 = (1 << 53) - 1;
/// What a value costs besides its bytes, on either side.
const CELL_BYTES: usize = 64;

/// What statements are run on.
pub(super) struct Runner<'a> {
    pub(super) connection: &'a Connection,
    pub(super) guard: &'a Guard,
    pub(super) context: &'a CallContext,
}

/// A prepared statement, from the cache or not.
enum Prepared<'a> {
    Kept(CachedStatement<'a>),
    Once(Statement<'a>),
}

impl Runner<'_> {
    /// Runs one statement: its rows as objects, and the names of columns that have bytes, `{rows, bytes}`.
    pub(super) fn query(&self, sql: &str, params: &Params<'_>) -> Result<Value, CallError> {
        let mut prepared = self.prepare_one(sql)?;
        let statement = prepared.statement();
        params.bind(statement).map_err(|refused| self.refused(refused))?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let per_row = names.iter().map(|name| name.len() + CELL_BYTES).sum::<usize>() + CELL_BYTES;
        self.guard.running(|| {
            let mut left = self.context.max_reply_bytes();
            let mut answer = Vec::new();
            let mut has_bytes = vec![false; names.len()];
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().map_err(|error| self.error(&error))? {
                let mut object = Vec::with_capacity(names.len());
                let mut bytes = per_row;
                for (at, name) in names.iter().enumerate() {
                    let value = row.get_ref(at).map_err(|error| self.error(&error))?;
                    bytes += length(value);
                    // Before it is copied.
                    if bytes > left {
                        return Err(out_of_range(
                            "the rows are larger than the session's heap may be: ask for fewer, with LIMIT",
                        ));
                    }
                    has_bytes[at] |= matches!(value, ValueRef::Blob(_));
                    object.push((name.clone(), from_sql(value)));
                }
                left -= bytes;
                answer.push(Value::Object(object));
            }
            let bytes = names.iter().zip(has_bytes).filter(|(_, has_bytes)| *has_bytes).map(|(name, _)| name.as_str());
            Ok(Value::object([
                ("rows", Value::Array(answer)),
                ("bytes", Value::Array(bytes.map(Value::from).collect())),
            ]))
        })
    }

    /// Runs statements for what they do: `{changes, lastInsertRowid}`. Only a single one has parameters.
    pub(super) fn exec(&self, sql: &str, params: &Params<'_>) -> Result<Value, CallError> {
        let before = self.connection.total_changes();
        let mut changes = 0;
        let step = |statement: &mut Statement<'_>| {
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            Ok(())
        };
        if params.is_empty() {
            let mut batch = Batch::new(self.connection, sql);
            let mut ran = 0;
            while let Some(mut statement) = batch.next().map_err(|error| self.error(&error))? {
                params.bind(&mut statement).map_err(|refused| self.refused(refused))?;
                self.guard.running(|| step(&mut statement)).map_err(|error| self.error(&error))?;
                ran += 1;
                if super::turn::must_stop() {
                    return Err(CallError::new("Error", "the execution is being ended").with_code("SQLITE_INTERRUPT"));
                }
            }
            if ran == 0 {
                return Err(empty());
            }
        } else {
            let mut prepared = self.prepare_one(sql)?;
            let statement = prepared.statement();
            params.bind(statement).map_err(|refused| self.refused(refused))?;
            self.guard.running(|| step(statement)).map_err(|error| self.error(&error))?;
        }
        // What SQLite counts last stays when nothing is changed.
        if self.connection.total_changes() != before {
            changes = self.connection.changes();
        }
        Ok(Value::object([
            ("changes", Value::Number(changes as f64)),
            ("lastInsertRowid", integer(self.connection.last_insert_rowid())),
        ]))
    }

    /// Prepares a text that must be one statement.
    ///
    /// rusqlite's own way looks for a second statement by calling itself for each that follows: a text of semicolons
    /// would use up the stack. Here it gets texts without a second one.
    fn prepare_one(&self, sql: &str) -> Result<Prepared<'_>, CallError> {
        let plain = sql.trim_end_matches([';', ' ', '\t', '\r', '\n']);
        if plain.len() <= KEPT_BYTES && !plain.contains(';') && !plain.is_empty() {
            let kept = self.connection.prepare_cached(plain).map_err(|error| self.error(&error))?;
            // A comment alone is no statement.
            if kept.column_count() > 0 || kept.expanded_sql().is_some() {
                return Ok(Prepared::Kept(kept));
            }
            return Err(empty());
        }
        let mut batch = Batch::new(self.connection, sql);
        let first = batch.next().map_err(|error| self.error(&error))?.ok_or_else(empty)?;
        if batch.next().map_err(|error| self.error(&error))?.is_some() {
            return Err(wrong_value(
                "there is more than one statement: query takes one, and exec several if there are no parameters",
            ));
        }
        Ok(Prepared::Once(first))
    }

    fn error(&self, error: &Error) -> CallError {
        fault::error(error, self.guard.take_refusal())
    }

    fn refused(&self, refused: Refused) -> CallError {
        match refused {
            Refused::Sql(error) => self.error(&error),
            Refused::Params(error) => error,
        }
    }
}

impl<'a> Prepared<'a> {
    fn statement(&mut self) -> &mut Statement<'a> {
        match self {
            Self::Kept(statement) => statement,
            Self::Once(statement) => statement,
        }
    }
}

fn empty() -> CallError {
    wrong_value("there is no statement in the text")
}

/// The parameters of a statement.
pub(super) enum Params<'a> {
    /// For `?`, in order.
    Listed(&'a [Value]),
    /// For `:name`, `@name` and `$name`; the sign may be left out.
    Named(&'a [(String, Value)]),
}

/// Why parameters cannot be bound.
enum Refused {
    Sql(Error),
    Params(CallError),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        Self::Params(error)
    }
}

impl<'a> Params<'a> {
    /// Reads what follows the text: values, or one array of them, or one object with their names.
    pub(super) fn of(given: &'a Value) -> Self {
        match given.as_array().unwrap_or_default() {
            [Value::Array(list)] => Self::Listed(list),
            [Value::Object(named)] => Self::Named(named),
            list => Self::Listed(list),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Listed(list) => list.is_empty(),
            Self::Named(named) => named.is_empty(),
        }
    }

    fn bind(&self, statement: &mut Statement<'_>) -> Result<(), Refused> {
        // From the cache it may come with those of another call.
        statement.clear_bindings();
        let wanted = statement.parameter_count();
        match self {
            Self::Listed(list) => {
                if list.len() != wanted {
                    let message = format!("the statement has {wanted} parameters, and {} were given", list.len());
                    return Err(out_of_range(message).into());
                }
                for (at, value) in list.iter().enumerate() {
                    statement.raw_bind_parameter(at + 1, to_sql(value)?)?;
                }
            }
            Self::Named(named) => {
                let mut used = 0;
                for at in 1..=wanted {
                    let Some(full) = statement.parameter_name(at).map(str::to_owned) else {
                        return Err(wrong_value("the statement has a parameter without a name").into());
                    };
                    let is_it = |name: &str| name == full || full.get(1..) == Some(name);
                    let mut values = named.iter().filter(|(name, _)| is_it(name));
                    let Some((_, value)) = values.next() else {
                        return Err(out_of_range(format!("the parameter {full} was not given")).into());
                    };
                    if values.next().is_some() {
                        return Err(out_of_range(format!("the parameter {full} was given twice")).into());
                    }
                    used += 1;
                    statement.raw_bind_parameter(at, to_sql(value)?)?;
                }
                if used != named.len() {
                    let is_known = |name: &str| {
                        let known = |full: &str| name == full || full.get(1..) == Some(name);
                        (1..=wanted).any(|at| statement.parameter_name(at).is_some_and(known))
                    };
                    let unknown = named.iter().map(|(name, _)| name.as_str()).find(|name| !is_known(name));
                    let message = format!("the statement has no parameter '{}'", unknown.unwrap_or_default());
                    return Err(out_of_range(message).into());
                }
            }
        }
        Ok(())
    }
}

/// Makes a value of SQLite's, borrowed.
fn to_sql(value: &Value) -> Result<ToSqlOutput<'_>, CallError> {
    let bound = match value {
        Value::Null => ValueRef::Null,
        Value::Bool(value) => ValueRef::Integer((*value).into()),
        Value::Number(number) if number.fract() == 0.0 && number.abs() <= MAX_SAFE as f64 => {
            ValueRef::Integer(*number as i64)
        }
        Value::Number(number) => ValueRef::Real(*number),
        Value::BigInt(number) => match i64::try_from(*number) {
            Ok(number) => ValueRef::Integer(number),
            Err(_) => return Err(out_of_range(format!("{number}n is larger than SQLite's integers of 64 bits"))),
        },
        Value::String(text) => ValueRef::Text(text.as_bytes()),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        Value::Array(_) | Value::Object(_) => {
            return Err(CallError::argument(
                "a parameter must be null, a boolean, a number, a bigint, a string or bytes",
            ));
        }
    };
    Ok(ToSqlOutput::Borrowed(bound))
}

fn from_sql(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => integer(number),
        ValueRef::Real(number) => Value::Number(number),
        ValueRef::Text(text) => Value::String(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

fn integer(number: i64) -> Value {
    if number.unsigned_abs() <= MAX_SAFE.unsigned_abs() { Value::Number(number as f64) } else { number.into() }
}

fn length(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
    }
}
