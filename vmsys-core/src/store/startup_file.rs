//! Startup files of templates.

use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{Connection, Row, params};

use super::fault::Fault;
use super::{Store, all, column, template};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{StartupFileId, TemplateId};
use crate::template::StartupFile;

impl Store {
    /// Adds a file to a template, whose `updated_at` moves.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound); [`AlreadyExists`](ErrorKind::AlreadyExists) when the template
    /// has the path already. Detail: `path`.
    pub(crate) fn insert_startup_file(&self, file: &StartupFile) -> Result<()> {
        let file = file.clone();
        self.write(move |connection| {
            template::touch(connection, file.template_id)?;
            let mut insert = connection.prepare_cached(
                "INSERT INTO startup_files (id, template_id, path, order_index, mode) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            let (id, template_id) = (file.id.as_bytes(), file.template_id.as_bytes());
            let inserted = insert.execute(params![id, template_id, file.path, file.order_index, file.mode.to_string()]);
            match inserted.map_err(Fault::from) {
                Err(fault) if fault.violates(SQLITE_CONSTRAINT_UNIQUE) => Err(taken(&file.path).into()),
                other => other.map(drop),
            }
        })
    }

    /// Lists the files of a template in the order in which they run.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound). Detail: `template_id`.
    pub(crate) fn startup_files(&self, id: TemplateId) -> Result<Vec<StartupFile>> {
        self.read(|connection| {
            let files = of_template(connection, id)?;
            if files.is_empty() && !template::exists(connection, id)? {
                return Err(template::not_found(id).into());
            }
            Ok(files)
        })
    }
}

pub(super) fn of_template(connection: &Connection, id: TemplateId) -> Result<Vec<StartupFile>, Fault> {
    let select =
        connection.prepare_cached("SELECT * FROM startup_files WHERE template_id = ?1 ORDER BY order_index, id")?;
    all(select, [id.as_bytes()], startup_file)
}

fn taken(path: &str) -> Error {
    Error::new(ErrorKind::AlreadyExists, format!("The template has a startup file {path:?} already")).with("path", path)
}

fn startup_file(row: &Row<'_>) -> Result<StartupFile, Fault> {
    Ok(StartupFile {
        id: column::id(row, "id", StartupFileId::from_bytes)?,
        template_id: column::id(row, "template_id", TemplateId::from_bytes)?,
        path: row.get("path")?,
        order_index: row.get("order_index")?,
        mode: column::word(row, "mode", |text| text.parse().ok())?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::store::tests::{in_memory, new_template};
    use crate::template::{Settings, StartupMode};
    use crate::time::Timestamp;

    fn file(template_id: TemplateId, path: &str, order_index: i64) -> StartupFile {
        StartupFile {
            id: StartupFileId::new(),
            template_id,
            path: path.to_owned(),
            order_index,
            mode: StartupMode::Eval,
        }
    }

    #[test]
    fn files_run_by_order_then_age() {
        let store = in_memory();
        let mut template = new_template("t");
        template.updated_at = Timestamp::from_millis(0);
        store.insert_template(&template, &Settings::default()).unwrap();
        assert_eq!(store.startup_files(template.id).unwrap(), []);
        for (path, order) in [("c", 1), ("a", 0), ("b", 0), ("z", -1)] {
            store.insert_startup_file(&file(template.id, path, order)).unwrap();
        }
        let files = store.startup_files(template.id).unwrap();
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["z", "a", "b", "c"]);
        assert!(store.template(template.id).unwrap().0.updated_at > template.updated_at);
    }

    #[test]
    fn a_path_is_there_once_in_each_template() {
        let store = in_memory();
        let (one, two) = (new_template("one"), new_template("two"));
        let mut one_then = one.clone();
        one_then.updated_at = Timestamp::from_millis(5);
        store.insert_template(&one_then, &Settings::default()).unwrap();
        store.insert_template(&two, &Settings::default()).unwrap();
        store.insert_startup_file(&file(two.id, "a.js", 0)).unwrap();
        store.insert_startup_file(&file(one.id, "a.js", 0)).unwrap();
        let touched = store.template(one.id).unwrap().0.updated_at;
        std::thread::sleep(std::time::Duration::from_millis(2));
        let error = store.insert_startup_file(&file(one.id, "a.js", 9)).unwrap_err();
        assert_eq!((error.kind(), error.detail("path")), (ErrorKind::AlreadyExists, Some("a.js")));
        assert_eq!(store.template(one.id).unwrap().0.updated_at, touched, "what failed left no trace");
        assert_eq!(store.startup_files(one.id).unwrap().len(), 1);
    }

    #[test]
    fn files_go_with_their_template() {
        let store = in_memory();
        let template = new_template("t");
        let orphan = file(template.id, "a.js", 0);
        assert_eq!(store.insert_startup_file(&orphan).unwrap_err().kind(), ErrorKind::TemplateNotFound);
        store.insert_template(&template, &Settings::default()).unwrap();
        store.insert_startup_file(&orphan).unwrap();
        store.delete_template(template.id).unwrap();
        assert_eq!(store.startup_files(template.id).unwrap_err().kind(), ErrorKind::TemplateNotFound);
        let left: i64 = store
            .read(|connection| Ok(connection.query_row("SELECT count(*) FROM startup_files", [], |row| row.get(0))?))
            .unwrap();
        assert_eq!(left, 0);
    }
}
