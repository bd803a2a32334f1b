//! What a script's SQL may do: everything in its one database, and nothing outside of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

use super::turn;

/// Steps of SQLite's machine between two looks: some ten microseconds.
const STEPS: i32 = 1000;
/// The longest text, blob or row.
const LONGEST: i32 = 64 << 20;
/// Pages of a file: 16 GiB of the usual ones.
const MOST_PAGES: u32 = 1 << 22;
/// Bounds of one statement, beyond which no honest one goes, and hostile ones begin to take long between two looks.
const LIMITS: &[(Limit, i32)] = &[
    (Limit::SQLITE_LIMIT_LENGTH, LONGEST),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 4 << 20),
    (Limit::SQLITE_LIMIT_COLUMN, 2000),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 500),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 500),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 32_766),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];
/// What may be asked, but not set.
const ASKED: &[&str] = &[
    "busy_timeout",
    "cache_size",
    "collation_list",
    "compile_options",
    "data_version",
    "encoding",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "max_page_count",
    "module_list",
    "page_count",
    "page_size",
    "pragma_list",
    "schema_version",
    "table_info",
    "table_list",
    "table_xinfo",
];
/// Those of them whose value is a question's, not a setting's.
const WITH_SUBJECT: &[&str] =
    &["foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_list", "table_xinfo"];
/// What may be set, too.
const SET: &[&str] = &[
    "analysis_limit",
    "application_id",
    "auto_vacuum",
    "automatic_index",
    "case_sensitive_like",
    "count_changes",
    "defer_foreign_keys",
    "foreign_key_check",
    "foreign_keys",
    "ignore_check_constraints",
    "incremental_vacuum",
    "integrity_check",
    "journal_mode",
    "legacy_alter_table",
    "optimize",
    "query_only",
    "quick_check",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "synchronous",
    "user_version",
    "wal_checkpoint",
];
/// Virtual tables that keep to the database.
const VIRTUAL_TABLES: &[&str] = &["fts3", "fts4", "fts5", "fts5vocab", "rtree", "rtree_i32"];
/// Tables that show pages, not rows.
const INNARDS: &[&str] = &["dbstat", "sqlite_dbpage"];

/// What the guard of a connection says and is told.
#[derive(Clone, Default)]
pub(super) struct Guard(Arc<State>);

#[derive(Default)]
struct State {
    /// Whether a statement is being run: what is prepared then, SQLite prepares itself.
    running: AtomicBool,
    /// Why something was refused.
    refusal: Mutex<Option<String>>,
}

impl Guard {
    /// Bounds what a connection takes, before it has read anything: a schema is as hostile as SQL is.
    pub(super) fn bound(connection: &Connection) -> rusqlite::Result<()> {
        for (limit, value) in LIMITS {
            connection.set_limit(*limit, *value)?;
        }
        connection.progress_handler(STEPS, Some(turn::must_stop))?;
        connection.busy_handler(Some(turn::wait_for_lock))
    }

    /// Binds a connection that is bounded.
    pub(super) fn bind(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "max_page_count", MOST_PAGES)?;
        let guard = self.clone();
        connection.authorizer(Some(move |asked: AuthContext<'_>| match guard.objection(&asked) {
            None => Authorization::Allow,
            Some(why) => {
                *guard.0.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                Authorization::Deny
            }
        }))
    }

    /// Takes the reason of the last refusal.
    pub(super) fn take_refusal(&self) -> Option<String> {
        self.0.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Runs a statement that was prepared.
    pub(super) fn running<T>(&self, body: impl FnOnce() -> T) -> T {
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(false, Ordering::Relaxed);
            }
        }
        self.0.running.store(true, Ordering::Relaxed);
        let _end = End(&self.0.running);
        body()
    }

    /// Why something is refused, if it is.
    fn objection(&self, asked: &AuthContext<'_>) -> Option<String> {
        match asked.action {
            // VACUUM works with a nameless database, in memory, that it attaches itself.
            AuthAction::Attach { filename: "" } if self.0.running.load(Ordering::Relaxed) => None,
            AuthAction::Attach { .. } if self.0.running.load(Ordering::Relaxed) => {
                Some("VACUUM INTO writes to another file".to_owned())
            }
            AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
                Some("ATTACH and DETACH reach other files: there is one database, the configured one".to_owned())
            }
            AuthAction::Pragma { pragma_name, pragma_value } => pragma_objection(pragma_name, pragma_value),
            AuthAction::Function { function_name } if function_name.eq_ignore_ascii_case("load_extension") => {
                Some("load_extension runs code that is not SQLite's".to_owned())
            }
            AuthAction::Function { function_name } if function_name.eq_ignore_ascii_case("fts3_tokenizer") => {
                Some("fts3_tokenizer runs code that is not SQLite's".to_owned())
            }
            AuthAction::CreateVtable { module_name, .. } if !is_in(VIRTUAL_TABLES, module_name) => {
                Some(format!("there are no virtual tables of the kind {module_name}"))
            }
            AuthAction::Read { table_name, .. }
            | AuthAction::Insert { table_name }
            | AuthAction::Delete { table_name }
            | AuthAction::Update { table_name, .. }
                if is_in(INNARDS, table_name) =>
            {
                Some(format!("{table_name} shows pages, not rows"))
            }
            // What a form of ATTACH with an expression for a name is to rusqlite, and what SQLite may add one day.
            AuthAction::Unknown { .. } => Some("the statement reaches outside of the database".to_owned()),
            _ => None,
        }
    }
}

fn pragma_objection(name: &str, value: Option<&str>) -> Option<String> {
    let refuse = || Some(format!("PRAGMA {name} is not among those that scripts may use"));
    if is_in(SET, name) {
        // Defensive mode leaves the journal on without a word: who asked is told.
        let is_off = value.is_some_and(|value| value.eq_ignore_ascii_case("off"));
        return if name.eq_ignore_ascii_case("journal_mode") && is_off { refuse() } else { None };
    }
    if !is_in(ASKED, name) {
        return refuse();
    }
    if value.is_some() && !is_in(WITH_SUBJECT, name) {
        return Some(format!("PRAGMA {name} may be asked, but not set, by scripts"));
    }
    None
}

fn is_in(list: &[&str], name: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(name))
}
