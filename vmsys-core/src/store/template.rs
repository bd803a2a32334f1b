//! Templates.

use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{Connection, Row, params};

use super::fault::{Fault, failure};
use super::{Store, all, capability, column, first, startup_file};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::TemplateId;
use crate::template::{Settings, Template, TemplateDetail};
use crate::time::Timestamp;

impl Store {
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) when the name is taken. Detail: `name`.
    pub(crate) fn insert_template(&self, template: &Template, settings: &Settings) -> Result<()> {
        let template = template.clone();
        let settings = encode(settings)?;
        let modules = encode(&template.exposed_modules)?;
        let libraries = encode(&template.libraries)?;
        self.write(move |connection| {
            let mut insert = connection.prepare_cached(
                "INSERT INTO templates (id, name, engine, is_active, settings, exposed_modules, libraries, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            let inserted = insert.execute(params![
                template.id.as_bytes(),
                template.name,
                template.engine.to_string(),
                template.is_active,
                settings,
                modules,
                libraries,
                template.created_at.as_millis(),
                template.updated_at.as_millis(),
            ]);
            match inserted.map_err(Fault::from) {
                Err(fault) if fault.violates(SQLITE_CONSTRAINT_UNIQUE) => Err(taken(&template.name).into()),
                other => other.map(drop),
            }
        })
    }

    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound). Detail: `template_id`.
    pub(crate) fn template(&self, id: TemplateId) -> Result<(Template, Settings)> {
        self.read(|connection| find(connection, id))
    }

    /// Reads a template with everything that belongs to it, all as it was at one moment.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound). Detail: `template_id`.
    pub(crate) fn template_detail(&self, id: TemplateId) -> Result<TemplateDetail> {
        self.read(|connection| {
            // Without a transaction, a change between two of the queries would be seen in halves.
            let moment = connection.unchecked_transaction()?;
            let (template, settings) = find(&moment, id)?;
            let capabilities = capability::of_template(&moment, id)?;
            let startup_files = startup_file::of_template(&moment, id)?;
            moment.commit()?;
            Ok(TemplateDetail { template, settings, capabilities, startup_files })
        })
    }

    /// Changes a template in one step, so that of two changes at a time neither is lost. `updated_at` moves if anything
    /// is different afterwards.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound), detail: `template_id`; [`AlreadyExists`](ErrorKind::AlreadyExists)
    /// when another template has the new name; whatever `change` answers, and then nothing is changed.
    pub(crate) fn update_template(
        &self,
        id: TemplateId,
        change: impl FnOnce(&mut Template, &mut Settings) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.write(move |connection| {
            let before = find(connection, id)?;
            let (mut template, mut settings) = before.clone();
            change(&mut template, &mut settings)?;
            if (&template, &settings) == (&before.0, &before.1) {
                return Ok(());
            }
            let mut update = connection.prepare_cached(
                "UPDATE templates SET name = ?2, is_active = ?3, settings = ?4, exposed_modules = ?5, libraries = ?6
                 WHERE id = ?1",
            )?;
            let updated = update.execute(params![
                id.as_bytes(),
                template.name,
                template.is_active,
                encode(&settings)?,
                encode(&template.exposed_modules)?,
                encode(&template.libraries)?,
            ]);
            match updated.map_err(Fault::from) {
                Err(fault) if fault.violates(SQLITE_CONSTRAINT_UNIQUE) => Err(taken(&template.name).into()),
                other => other.and_then(|_| touch(connection, id)),
            }
        })
    }

    /// Lists templates, newest first, only those older than `before`.
    pub(crate) fn templates(&self, before: Option<TemplateId>, limit: u32) -> Result<Vec<Template>> {
        self.read(|connection| {
            let select =
                connection.prepare_cached("SELECT * FROM templates WHERE id < ?1 ORDER BY id DESC LIMIT ?2")?;
            let before = before.as_ref().map_or(&column::AFTER_ALL, TemplateId::as_bytes);
            all(select, params![before, limit], template)
        })
    }

    /// Finds the template of a name, if there is one.
    pub(crate) fn template_named(&self, name: &str) -> Result<Option<Template>> {
        self.read(|connection| {
            first(connection.prepare_cached("SELECT * FROM templates WHERE name = ?1")?, [name], template)
        })
    }

    /// Deletes a template with its capabilities and startup files; its sessions and their history stay.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound). Detail: `template_id`.
    pub(crate) fn delete_template(&self, id: TemplateId) -> Result<()> {
        self.write(move |connection| {
            let mut delete = connection.prepare_cached("DELETE FROM templates WHERE id = ?1")?;
            if delete.execute([id.as_bytes()])? == 0 { Err(not_found(id).into()) } else { Ok(()) }
        })
    }
}

fn find(connection: &Connection, id: TemplateId) -> Result<(Template, Settings), Fault> {
    let select = connection.prepare_cached("SELECT * FROM templates WHERE id = ?1")?;
    let found = first(select, [id.as_bytes()], |row| Ok((template(row)?, column::json(row, "settings")?)))?;
    found.ok_or_else(|| not_found(id).into())
}

/// Notes that a template, or something that belongs to it, is being changed now.
///
/// # Errors
/// [`TemplateNotFound`](ErrorKind::TemplateNotFound). Detail: `template_id`.
pub(super) fn touch(connection: &Connection, id: TemplateId) -> Result<(), Fault> {
    let mut touch = connection.prepare_cached("UPDATE templates SET updated_at = max(updated_at, ?2) WHERE id = ?1")?;
    let touched = touch.execute(params![id.as_bytes(), Timestamp::now().as_millis()])?;
    if touched == 0 { Err(not_found(id).into()) } else { Ok(()) }
}

pub(super) fn exists(connection: &Connection, id: TemplateId) -> Result<bool, Fault> {
    Ok(connection.prepare_cached("SELECT 1 FROM templates WHERE id = ?1")?.exists([id.as_bytes()])?)
}

pub(super) fn not_found(id: TemplateId) -> Error {
    Error::new(ErrorKind::TemplateNotFound, "Template not found").with("template_id", id)
}

fn taken(name: &str) -> Error {
    Error::new(ErrorKind::AlreadyExists, format!("There is a template named {name:?} already")).with("name", name)
}

fn encode(part: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(part).map_err(|error| failure("a template cannot be written as JSON", error))
}

fn template(row: &Row<'_>) -> Result<Template, Fault> {
    Ok(Template {
        id: column::id(row, "id", TemplateId::from_bytes)?,
        name: row.get("name")?,
        engine: column::word(row, "engine", |text| text.parse().ok())?,
        is_active: row.get("is_active")?,
        exposed_modules: column::json(row, "exposed_modules")?,
        libraries: column::json(row, "libraries")?,
        created_at: column::time(row, "created_at")?,
        updated_at: column::time(row, "updated_at")?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::store::tests::{in_memory, new_session, new_template};

    #[test]
    fn what_was_inserted_is_read_back() {
        let store = in_memory();
        let mut first = new_template("first'); DROP TABLE templates; --");
        first.exposed_modules = vec!["fs".to_owned(), "exec".to_owned()];
        let mut settings = Settings::default();
        settings.limits.cpu_ms = 7;
        store.insert_template(&first, &settings).unwrap();
        assert_eq!(store.template(first.id).unwrap(), (first.clone(), settings));

        let second = new_template("second");
        store.insert_template(&second, &Settings::default()).unwrap();
        assert_eq!(store.templates(None, 50).unwrap(), [second.clone(), first.clone()]);
        assert_eq!(store.templates(None, 1).unwrap(), std::slice::from_ref(&second));
        assert_eq!(store.templates(Some(second.id), 50).unwrap(), [first]);
    }

    #[test]
    fn a_name_is_taken_once() {
        let store = in_memory();
        store.insert_template(&new_template("one"), &Settings::default()).unwrap();
        let error = store.insert_template(&new_template("one"), &Settings::default()).unwrap_err();
        assert_eq!((error.kind(), error.detail("name")), (ErrorKind::AlreadyExists, Some("one")));
        store.insert_template(&new_template("One"), &Settings::default()).unwrap();
    }

    #[test]
    fn a_change_is_whole_or_not_at_all() {
        let store = in_memory();
        let mut one = new_template("one");
        one.updated_at = Timestamp::from_millis(5);
        store.insert_template(&one, &Settings::default()).unwrap();
        store.insert_template(&new_template("two"), &Settings::default()).unwrap();
        let rename = |name: &'static str| {
            store.update_template(one.id, move |template, settings| {
                settings.limits.cpu_ms += 1;
                name.clone_into(&mut template.name);
                Ok(())
            })
        };
        let error = rename("two").unwrap_err();
        assert_eq!((error.kind(), error.detail("name")), (ErrorKind::AlreadyExists, Some("two")));
        let refused = store.update_template(one.id, |template, _| {
            template.is_active = false;
            Err(Error::validation("x", "no"))
        });
        assert_eq!(refused.unwrap_err().detail("field"), Some("x"));
        // A change that changes nothing is not seen either.
        store.update_template(one.id, |_, _| Ok(())).unwrap();
        assert_eq!(store.template(one.id).unwrap(), (one.clone(), Settings::default()));

        rename("three").unwrap();
        let (template, settings) = store.template(one.id).unwrap();
        assert_eq!((template.name.as_str(), settings.limits.cpu_ms), ("three", Settings::default().limits.cpu_ms + 1));
        assert!(template.updated_at > one.updated_at);
        let unknown = store.update_template(TemplateId::new(), |_, _| Ok(())).unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::TemplateNotFound);
    }

    #[test]
    fn of_changes_at_a_time_none_is_lost() {
        let store = in_memory();
        let template = new_template("t");
        store.insert_template(&template, &Settings::default()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (store, template) = (&store, template.id);
                scope.spawn(move || {
                    for number in 0..20 {
                        let add = move |template: &mut Template, _: &mut Settings| {
                            template.libraries.push(format!("{thread}-{number}"));
                            Ok(())
                        };
                        store.update_template(template, add).unwrap();
                    }
                });
            }
        });
        assert_eq!(store.template(template.id).unwrap().0.libraries.len(), 160);
    }

    #[test]
    fn sessions_outlive_their_template() {
        let store = in_memory();
        let template = new_template("t");
        store.insert_template(&template, &Settings::default()).unwrap();
        let session = new_session(template.id);
        store.insert_session(&session).unwrap();
        store.delete_template(template.id).unwrap();
        assert_eq!(store.session(session.id).unwrap(), session);
        for error in [store.template(template.id).unwrap_err(), store.delete_template(template.id).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::TemplateNotFound);
            assert_eq!(error.detail("template_id"), Some(template.id.to_string().as_str()));
        }
        store.insert_template(&new_template("t"), &Settings::default()).unwrap();
    }
}
