//! Capabilities of templates.

use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{Connection, Row, params};

use super::fault::{Fault, failure};
use super::{Store, all, column, template};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{CapabilityId, TemplateId};
use crate::template::Capability;

impl Store {
    /// Adds a capability to a template, whose `updated_at` moves.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound); [`AlreadyExists`](ErrorKind::AlreadyExists) when the template
    /// has one of this kind and name already. Details: `kind`, `name`.
    pub(crate) fn insert_capability(&self, capability: &Capability) -> Result<()> {
        let capability = capability.clone();
        let config = serde_json::to_string(&capability.config)
            .map_err(|error| failure("a capability cannot be written as JSON", error))?;
        self.write(move |connection| {
            template::touch(connection, capability.template_id)?;
            let mut insert = connection.prepare_cached(
                "INSERT INTO capabilities (id, template_id, kind, name, enabled, config) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let inserted = insert.execute(params![
                capability.id.as_bytes(),
                capability.template_id.as_bytes(),
                capability.kind.as_str(),
                capability.name,
                capability.enabled,
                config,
            ]);
            match inserted.map_err(Fault::from) {
                Err(fault) if fault.violates(SQLITE_CONSTRAINT_UNIQUE) => Err(taken(&capability).into()),
                other => other.map(drop),
            }
        })
    }

    /// Removes a capability of a template, if it has it.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound). Detail: `template_id`.
    pub(crate) fn delete_capability(&self, template_id: TemplateId, id: CapabilityId) -> Result<()> {
        self.write(move |connection| {
            let mut delete =
                connection.prepare_cached("DELETE FROM capabilities WHERE id = ?1 AND template_id = ?2")?;
            if delete.execute(params![id.as_bytes(), template_id.as_bytes()])? > 0 {
                return template::touch(connection, template_id);
            }
            if template::exists(connection, template_id)? {
                Ok(())
            } else {
                Err(template::not_found(template_id).into())
            }
        })
    }

    /// Lists the capabilities of a template, oldest first.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound). Detail: `template_id`.
    pub(crate) fn capabilities(&self, id: TemplateId) -> Result<Vec<Capability>> {
        self.read(|connection| {
            let found = of_template(connection, id)?;
            if found.is_empty() && !template::exists(connection, id)? {
                return Err(template::not_found(id).into());
            }
            Ok(found)
        })
    }
}

pub(super) fn of_template(connection: &Connection, id: TemplateId) -> Result<Vec<Capability>, Fault> {
    let select = connection.prepare_cached("SELECT * FROM capabilities WHERE template_id = ?1 ORDER BY id")?;
    all(select, [id.as_bytes()], capability)
}

fn taken(capability: &Capability) -> Error {
    let Capability { kind, name, .. } = capability;
    Error::new(ErrorKind::AlreadyExists, format!("The template has a capability {name:?} of kind {kind} already"))
        .with("kind", kind)
        .with("name", name)
}

fn capability(row: &Row<'_>) -> Result<Capability, Fault> {
    Ok(Capability {
        id: column::id(row, "id", CapabilityId::from_bytes)?,
        template_id: column::id(row, "template_id", TemplateId::from_bytes)?,
        kind: column::word(row, "kind", |text| text.parse().ok())?,
        name: row.get("name")?,
        enabled: row.get("enabled")?,
        config: column::json(row, "config")?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::store::tests::{in_memory, new_template};
    use crate::template::{CapabilityKind, Settings, Template};
    use crate::time::Timestamp;

    fn with_template(name: &str) -> (Store, Template) {
        let store = in_memory();
        let mut template = new_template(name);
        template.updated_at = Timestamp::from_millis(0);
        store.insert_template(&template, &Settings::default()).unwrap();
        (store, template)
    }

    fn capability(template_id: TemplateId, kind: CapabilityKind, name: &str) -> Capability {
        let config = json!({"value": {"b": [1, null], "a": "ü"}}).as_object().unwrap().clone();
        Capability { id: CapabilityId::new(), template_id, kind, name: name.to_owned(), enabled: true, config }
    }

    #[test]
    fn what_was_inserted_is_read_back_oldest_first() {
        let (store, template) = with_template("t");
        assert_eq!(store.capabilities(template.id).unwrap(), []);
        let made = [
            capability(template.id, CapabilityKind::Global, "z'); DROP TABLE capabilities; --"),
            capability(template.id, CapabilityKind::Env, "A"),
            Capability { enabled: false, ..capability(template.id, CapabilityKind::Module, "A") },
        ];
        for capability in &made {
            store.insert_capability(capability).unwrap();
        }
        assert_eq!(store.capabilities(template.id).unwrap(), made);
        let detail = store.template_detail(template.id).unwrap();
        assert_eq!(detail.capabilities, made);
        assert!(detail.template.updated_at > template.updated_at);
        let keys: Vec<_> = detail.capabilities[0].config["value"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["b", "a"], "the order of keys stays");
    }

    #[test]
    fn a_kind_and_name_are_there_once_in_each_template() {
        let (store, one) = with_template("one");
        let two = new_template("two");
        store.insert_template(&two, &Settings::default()).unwrap();
        store.insert_capability(&capability(one.id, CapabilityKind::Fs, "a")).unwrap();
        store.insert_capability(&capability(two.id, CapabilityKind::Fs, "a")).unwrap();
        store.insert_capability(&capability(one.id, CapabilityKind::Net, "a")).unwrap();
        let error = store.insert_capability(&capability(one.id, CapabilityKind::Fs, "a")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!((error.detail("kind"), error.detail("name")), (Some("fs"), Some("a")));
        assert_eq!(store.capabilities(one.id).unwrap().len(), 2);
    }

    #[test]
    fn one_is_removed_by_its_own_template_only() {
        let (store, one) = with_template("one");
        let two = new_template("two");
        store.insert_template(&two, &Settings::default()).unwrap();
        let kept = capability(one.id, CapabilityKind::Fs, "a");
        store.insert_capability(&kept).unwrap();
        store.delete_capability(two.id, kept.id).unwrap();
        assert_eq!(store.capabilities(one.id).unwrap(), std::slice::from_ref(&kept));
        for _ in 0..2 {
            store.delete_capability(one.id, kept.id).unwrap();
            assert_eq!(store.capabilities(one.id).unwrap(), []);
        }
        let error = store.delete_capability(TemplateId::new(), kept.id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TemplateNotFound);
    }

    #[test]
    fn capabilities_go_with_their_template() {
        let (store, template) = with_template("t");
        let orphan = capability(TemplateId::new(), CapabilityKind::Fs, "a");
        assert_eq!(store.insert_capability(&orphan).unwrap_err().kind(), ErrorKind::TemplateNotFound);
        store.insert_capability(&capability(template.id, CapabilityKind::Fs, "a")).unwrap();
        store.delete_template(template.id).unwrap();
        assert_eq!(store.capabilities(template.id).unwrap_err().kind(), ErrorKind::TemplateNotFound);
        assert_eq!(store.template_detail(template.id).unwrap_err().kind(), ErrorKind::TemplateNotFound);
        let left: i64 = store
            .read(|connection| Ok(connection.query_row("SELECT count(*) FROM capabilities", [], |row| row.get(0))?))
            .unwrap();
        assert_eq!(left, 0);
    }
}
