//! Changes of a template: what is given replaces, what is left out stays.

use serde::{Deserialize, Deserializer};

#[cfg(feature = "schema")]
use super::settings::EXTENSION;
use super::{Isolation, Settings, Template};
use crate::error::{Error, Result};
use crate::limits::Limits;
#[cfg(feature = "schema")]
use crate::limits::bounds;
use crate::limits::with_limits;

/// A change of a template. Sessions that exist keep what they were created with.
///
/// ```
/// use vmsys_core::{NewTemplate, TemplatePatch, VmSystem};
/// let vm = VmSystem::in_memory()?;
/// let template = vm.create_template(NewTemplate::named("demo"))?;
/// let mut patch = TemplatePatch::default();
/// patch.limits.cpu_ms = Some(100);
/// let detail = vm.update_template(template.id, patch)?;
/// assert_eq!((detail.settings.limits.cpu_ms, detail.settings.limits.wall_ms), (100, 30_000));
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplatePatch {
    /// Another name.
    pub name: Option<String>,
    /// Whether new sessions can be made from it.
    pub is_active: Option<bool>,
    /// Other limits.
    pub limits: LimitsPatch,
    /// Other settings of how files are found.
    pub resolver: ResolverPatch,
    /// Other settings of how code is run.
    pub runtime: RuntimePatch,
}

impl TemplatePatch {
    /// Makes the change, and checks the template as a whole.
    ///
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) with the field, [`InvalidPath`](crate::ErrorKind::InvalidPath).
    pub(crate) fn apply(&self, template: &mut Template, settings: &mut Settings) -> Result<()> {
        set(&mut template.name, &self.name);
        set(&mut template.is_active, &self.is_active);
        self.limits.apply(settings);
        self.resolver.apply(settings);
        self.runtime.apply(settings);
        super::check_name(&template.name)?;
        settings.validate()
    }
}

/// Makes a type whose fields are the options of a part of the settings.
macro_rules! patch {
    ($(#[$doc:meta])* $name:ident of $part:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(default, deny_unknown_fields)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* #[serde(deserialize_with = "given")] pub $field: Option<$type>,)*
        }

        impl $name {
            fn apply(&self, settings: &mut Settings) {
                $(set(&mut settings.$part.$field, &self.$field);)*
            }
        }
    };
}

patch! {
    /// Limits to be changed; see [`Limits`](crate::Limits).
    LimitsPatch of limits {
        /// Processor time in milliseconds.
        #[cfg_attr(feature = "schema", schemars(range(min = bounds::CPU_MS.0, max = bounds::CPU_MS.1)))]
        cpu_ms: u64,
        /// Elapsed time in milliseconds.
        #[cfg_attr(feature = "schema", schemars(range(min = bounds::WALL_MS.0, max = bounds::WALL_MS.1)))]
        wall_ms: u64,
        /// Heap of the whole session in MiB.
        #[cfg_attr(feature = "schema", schemars(range(min = bounds::MEM_MB.0, max = bounds::MEM_MB.1)))]
        mem_mb: u64,
        /// Events before the one that ends the execution.
        #[cfg_attr(feature = "schema", schemars(range(min = bounds::MAX_EVENTS.0, max = bounds::MAX_EVENTS.1)))]
        max_events: u64,
        /// Text of the events in KiB.
        #[cfg_attr(feature = "schema", schemars(range(min = bounds::MAX_OUTPUT_KB.0, max = bounds::MAX_OUTPUT_KB.1)))]
        max_output_kb: u64,
    }
}

with_limits!(LimitsPatch);

impl LimitsPatch {
    /// These, and where they say nothing, others.
    pub(crate) fn over(self, other: &Self) -> Self {
        Self {
            cpu_ms: self.cpu_ms.or(other.cpu_ms),
            wall_ms: self.wall_ms.or(other.wall_ms),
            mem_mb: self.mem_mb.or(other.mem_mb),
            max_events: self.max_events.or(other.max_events),
            max_output_kb: self.max_output_kb.or(other.max_output_kb),
        }
    }

    /// These limits, tightened.
    ///
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) with the field that would be looser, or is out of range.
    pub(crate) fn tighten(&self, mut limits: Limits) -> Result<Limits> {
        let changes = [
            ("limits.cpu_ms", &mut limits.cpu_ms, self.cpu_ms),
            ("limits.wall_ms", &mut limits.wall_ms, self.wall_ms),
            ("limits.mem_mb", &mut limits.mem_mb, self.mem_mb),
            ("limits.max_events", &mut limits.max_events, self.max_events),
            ("limits.max_output_kb", &mut limits.max_output_kb, self.max_output_kb),
        ];
        for (field, limit, wanted) in changes {
            let Some(wanted) = wanted else { continue };
            if wanted > *limit {
                let message = format!(
                    "{field} can be tightened and not loosened: {wanted} is more than the {limit} of the session's template"
                );
                return Err(Error::validation(field, message));
            }
            *limit = wanted;
        }
        limits.validate()?;
        Ok(limits)
    }
}

patch! {
    /// Settings of the resolver to be changed; see [`ResolverSettings`](crate::ResolverSettings).
    ResolverPatch of resolver {
        /// Directories of the worktree that bare names are looked up in: all of them, not more of them.
        roots: Vec<String>,
        /// Endings that are tried for a name without one: all of them, not more of them.
        #[cfg_attr(feature = "schema", schemars(inner(regex(pattern = EXTENSION))))]
        extensions: Vec<String>,
        /// Whether `/x` names `x` of the worktree.
        allow_absolute_repo_imports: bool,
    }
}
patch! {
    /// Settings of the runtime to be changed; see [`RuntimeSettings`](crate::RuntimeSettings).
    RuntimePatch of runtime {
        /// Whether files are ES modules whatever their ending.
        esm: bool,
        /// Whether scripts are strict without saying so.
        strict: bool,
        /// Whether there is a `console`.
        console: bool,
        /// Whether snippets may be TypeScript.
        typescript: bool,
        /// Where sessions run.
        isolation: Isolation,
    }
}

fn set<T: Clone>(target: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        target.clone_from(value);
    }
}

/// Reads a field that is there. `null` is a value of the wrong type, and not another way to leave a field out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde::Serialize;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Limits, ResolverSettings, RuntimeSettings};

    fn keys(part: impl Serialize) -> Vec<String> {
        serde_json::to_value(part).unwrap().as_object().unwrap().keys().cloned().collect()
    }

    /// A patch from a document, and the settings that it makes of the defaults.
    fn applied<P: for<'de> Deserialize<'de>>(document: Value, apply: impl Fn(&P, &mut Settings)) -> Value {
        let mut settings = Settings::default();
        apply(&serde_json::from_value::<P>(document).unwrap(), &mut settings);
        serde_json::to_value(settings).unwrap()
    }

    #[test]
    fn every_setting_can_be_changed_alone() {
        let defaults = serde_json::to_value(Settings::default()).unwrap();
        let other = |value: &Value| match value {
            Value::Number(number) => json!(number.as_u64().unwrap() + 1),
            Value::Bool(value) => json!(!value),
            Value::Array(_) => json!(["lib"]),
            _ => json!("thread"),
        };
        for (part, keys) in [
            ("limits", keys(Limits::default())),
            ("resolver", keys(ResolverSettings::default())),
            ("runtime", keys(RuntimeSettings::default())),
        ] {
            for key in keys {
                let mut expected = defaults.clone();
                expected[part][&key] = other(&defaults[part][&key]);
                let document = json!({ &key: expected[part][&key] });
                let found = match part {
                    "limits" => applied(document, LimitsPatch::apply),
                    "resolver" => applied(document, ResolverPatch::apply),
                    _ => applied(document, RuntimePatch::apply),
                };
                assert_eq!(found, expected, "{part}.{key}");
            }
        }
    }

    #[test]
    fn null_and_unknown_names_are_errors() {
        for document in [json!({"cpu_ms": null}), json!({"cpu": 1}), json!({"cpu_ms": "1"})] {
            assert!(serde_json::from_value::<LimitsPatch>(document.clone()).is_err(), "{document}");
        }
        assert!(serde_json::from_value::<RuntimePatch>(json!({"isolation": "cloud"})).is_err());
    }
}
