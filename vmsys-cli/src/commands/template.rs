//! `vm-system template`: what code may do and use.

mod setting;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use self::setting::{Setting, settings};
use super::{body, show, show_list};
use crate::args::{id, object};
use crate::client::records::{Capability, TemplateDetail};
use crate::client::{Answer, Client};
use crate::error::{Error, Exit, Result};
use crate::output::Output;

/// The commands of the group.
#[derive(Debug, Subcommand)]
pub(crate) enum TemplateCommand {
    /// Create a template
    Create(CreateArgs),
    /// List all templates, newest first
    List,
    /// Show a template with its settings, and everything that it was given
    Get {
        /// The template
        #[arg(value_parser = id())]
        template_id: String,
    },
    /// Change a template's name or settings; sessions made from it before keep theirs
    Update(UpdateArgs),
    /// Delete a template and its configuration; sessions made from it stay
    Delete {
        /// The template
        #[arg(value_parser = id())]
        template_id: String,
    },
    /// Print what scripts of a template find, as TypeScript declares it: modules, globals, `fetch`
    #[command(after_help = "\
Example:
  vm-system template types TEMPLATE_ID > vm-system.d.ts")]
    Types {
        /// The template
        #[arg(value_parser = id())]
        template_id: String,
    },
    /// Add a file that every new session runs before it is ready
    AddStartup(AddStartupArgs),
    /// List the startup files of a template in the order in which they run
    ListStartup {
        /// The template
        #[arg(value_parser = id())]
        template_id: String,
    },
    /// Add a capability: one that is enabled grants something, one that is not takes it away
    AddCapability(AddCapabilityArgs),
    /// Remove a capability
    RemoveCapability {
        /// The template
        #[arg(value_parser = id())]
        template_id: String,
        /// The capability, by the id that `list-capabilities` shows
        #[arg(value_parser = id())]
        capability_id: String,
    },
    /// List the capabilities of a template, oldest first
    ListCapabilities {
        /// The template
        #[arg(value_parser = id())]
        template_id: String,
    },
    /// Add a native module, which new sessions can then load
    AddModule(NamedArgs),
    /// Remove a native module
    RemoveModule(NamedArgs),
    /// List the native modules of a template
    ListModules {
        /// The template
        #[arg(value_parser = id())]
        template_id: String,
    },
    /// Add a library, which new sessions then start with: `lodash`, or `lodash-4.17.21`
    AddLibrary(NamedArgs),
    /// Remove a library
    RemoveLibrary(NamedArgs),
    /// List the libraries of a template in the order in which they are loaded
    ListLibraries {
        /// The template
        #[arg(value_parser = id())]
        template_id: String,
    },
    /// List the native modules that templates can be given
    ListAvailableModules,
    /// List the libraries that templates can be given
    ListAvailableLibraries,
}

/// A template to be created.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vm-system template create --name demo
  vm-system template create --name small --set limits.mem_mb=32 --set limits.cpu_ms=1000
  vm-system template create --name strict --set runtime.strict=true")]
pub(crate) struct CreateArgs {
    /// The name, which no other template has
    #[arg(long)]
    name: String,
    /// The engine: quickjs, or goja, its alias for scripts of the original
    #[arg(long, default_value = "quickjs")]
    engine: String,
    /// A setting that differs from its default, with a JSON value; below limits, resolver or runtime
    #[arg(long, value_name = "PATH=JSON", value_parser = Setting::parse)]
    set: Vec<Setting>,
}

/// A template to be changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vm-system template update ID --set limits.cpu_ms=1000 --set runtime.strict=true
  vm-system template update ID --name demo-old --active false")]
pub(crate) struct UpdateArgs {
    /// The template
    #[arg(value_parser = id())]
    template_id: String,
    /// Another name, which no other template has
    #[arg(long)]
    name: Option<String>,
    /// Whether new sessions can be made from it
    #[arg(long, value_name = "true|false")]
    active: Option<bool>,
    /// A setting to be changed, with a JSON value; below limits, resolver or runtime
    #[arg(long, value_name = "PATH=JSON", value_parser = Setting::parse)]
    set: Vec<Setting>,
}

impl UpdateArgs {
    /// Builds the body of the request: what is given, and nothing else.
    fn patch(&self) -> Result<Map<String, Value>> {
        let mut patch = settings(&self.set)?;
        patch.extend(self.name.as_ref().map(|name| ("name".to_owned(), Value::from(name.as_str()))));
        patch.extend(self.active.map(|active| ("is_active".to_owned(), Value::from(active))));
        if patch.is_empty() {
            return Err(Error::usage("nothing to change: give --name, --active or --set"));
        }
        Ok(patch)
    }
}

/// A capability to be added.
#[derive(Debug, Args)]
#[command(after_help = "\
What --config may say depends on the kind:
  module  the module's own; exec: {\"commands\": [\"git\"]}, database: {\"path\": \"data.db\", \"read_only\": false}
  global  {\"value\": any JSON}
  fs      {\"read\": [\".\"], \"write\": [\".\"]}, which is the default
  net     {\"hosts\": [\"api.example.com\", \"*.example.org\"], \"max_bytes\": N, \"timeout_ms\": N, \"allow_private\": false}
  env     {\"value\": \"text\"} or {\"from_host\": true}

Examples:
  vm-system template add-capability ID --kind fs --name docs --config '{\"read\": [\"docs\"], \"write\": []}' --enabled
  vm-system template add-capability ID --kind env --name LANG --config '{\"from_host\": true}' --enabled
  vm-system template add-capability ID --name exec --config '{\"commands\": [\"git\"]}' --enabled")]
pub(crate) struct AddCapabilityArgs {
    /// The template
    #[arg(value_parser = id())]
    template_id: String,
    /// What it is about: a module, a global or a variable by its name, or a label for fs and net
    #[arg(long, value_parser = id())]
    name: String,
    /// What kind of thing it grants
    #[arg(long, default_value = "module", value_parser = ["module", "global", "fs", "net", "env"])]
    kind: String,
    /// Its configuration
    #[arg(long, value_name = "JSON", default_value = "{}", value_parser = object)]
    config: Map<String, Value>,
    /// Let it grant; one that is not enabled takes away
    #[arg(long)]
    enabled: bool,
}

/// A module or library of a template.
#[derive(Debug, Args)]
pub(crate) struct NamedArgs {
    /// The template
    #[arg(value_parser = id())]
    template_id: String,
    /// Its name
    #[arg(long, value_parser = id())]
    name: String,
}

/// A startup file to be added.
#[derive(Debug, Args)]
pub(crate) struct AddStartupArgs {
    /// The template
    #[arg(value_parser = id())]
    template_id: String,
    /// The file, relative to the worktree of each session
    #[arg(long)]
    path: String,
    /// Its place in the order: lower ones run first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    order: i64,
    /// How it runs
    #[arg(long, default_value = "eval")]
    mode: String,
}

/// Does what the command says.
pub(crate) fn run(command: TemplateCommand, client: &Client, out: &mut Output) -> Result<Exit> {
    match command {
        TemplateCommand::Create(args) => {
            let mut request = body! {"name": args.name, "engine": args.engine};
            request.extend(settings(&args.set)?);
            let answer = client.create_template(request)?;
            show(&answer, out, |template, out| {
                out.line(format_args!("Created template: {} (ID: {})", template.name, template.id));
            });
        }
        TemplateCommand::List => {
            let head = ["ID", "NAME", "ENGINE", "ACTIVE", "CREATED"];
            show_list(&client.templates()?, out, "No templates found", &head, |t| {
                vec![t.id.clone(), t.name.clone(), t.engine.clone(), t.is_active.to_string(), t.created_at.clone()]
            });
        }
        TemplateCommand::Get { template_id } => show(&client.template(&template_id)?, out, detail),
        TemplateCommand::Update(args) => {
            show(
                &client.update_template(&args.template_id, args.patch()?)?,
                out,
                |TemplateDetail { template, .. }, out| {
                    out.line(format_args!("Updated template: {} (ID: {})", template.name, template.id));
                },
            );
        }
        TemplateCommand::Delete { template_id } => {
            show(&client.delete_template(&template_id)?, out, |deleted, out| {
                out.line(format_args!("Deleted template: {}", deleted.template_id));
            });
        }
        TemplateCommand::AddStartup(args) => {
            let file = body! {"path": args.path, "order_index": args.order, "mode": args.mode};
            show(&client.add_startup_file(&args.template_id, file)?, out, |file, out| {
                let (path, order, template) = (&file.path, file.order_index, &file.template_id);
                out.line(format_args!("Added startup file: {path} (order: {order}) to template {template}"));
            });
        }
        TemplateCommand::ListStartup { template_id } => {
            let head = ["ID", "ORDER", "MODE", "PATH"];
            show_list(&client.startup_files(&template_id)?, out, "No startup files found", &head, |file| {
                vec![file.id.clone(), file.order_index.to_string(), file.mode.clone(), file.path.clone()]
            });
        }
        TemplateCommand::AddCapability(args) => {
            let AddCapabilityArgs { template_id, name, kind, config, enabled } = args;
            let capability = body! {"kind": kind, "name": name, "enabled": enabled, "config": config};
            show(&client.add_capability(&template_id, capability)?, out, |capability, out| {
                let Capability { id, template_id, kind, name, enabled, .. } = capability;
                out.line(format_args!(
                    "Added capability: {name} (ID: {id}, kind: {kind}, enabled: {enabled}) to template {template_id}"
                ));
            });
        }
        TemplateCommand::RemoveCapability { template_id, capability_id } => {
            show(&client.remove_capability(&template_id, &capability_id)?, out, |removed, out| {
                let (capability, template) = (&removed.capability_id, &removed.template_id);
                out.line(format_args!("Removed capability: {capability} from template {template}"));
            });
        }
        TemplateCommand::ListCapabilities { template_id } => {
            let head = ["ID", "KIND", "NAME", "ENABLED", "CONFIG"];
            show_list(&client.capabilities(&template_id)?, out, "No capabilities found", &head, |capability| {
                let Capability { id, kind, name, enabled, config, .. } = capability;
                let config = crate::json::compact(config.get());
                vec![id.clone(), kind.clone(), name.clone(), enabled.to_string(), config]
            });
        }
        TemplateCommand::AddModule(args) => {
            let module = body! {"name": args.name};
            show(&client.add_module(&args.template_id, module)?, out, |added, out| {
                out.line(format_args!("Added module: {} to template {}", added.name, added.template_id));
            });
        }
        TemplateCommand::RemoveModule(args) => {
            show(&client.remove_module(&args.template_id, &args.name)?, out, |removed, out| {
                out.line(format_args!("Removed module: {} from template {}", removed.name, removed.template_id));
            });
        }
        TemplateCommand::Types { template_id } => out.text(&client.template_types(&template_id)?),
        TemplateCommand::ListModules { template_id } => {
            list_names(&client.modules(&template_id)?, "No modules found", out);
        }
        TemplateCommand::AddLibrary(args) => {
            let library = body! {"name": args.name};
            show(&client.add_library(&args.template_id, library)?, out, |added, out| {
                out.line(format_args!("Added library: {} to template {}", added.name, added.template_id));
            });
        }
        TemplateCommand::RemoveLibrary(args) => {
            show(&client.remove_library(&args.template_id, &args.name)?, out, |removed, out| {
                out.line(format_args!("Removed library: {} from template {}", removed.name, removed.template_id));
            });
        }
        TemplateCommand::ListLibraries { template_id } => {
            list_names(&client.libraries(&template_id)?, "No libraries found", out);
        }
        TemplateCommand::ListAvailableModules => {
            let head = ["NAME", "DESCRIPTION", "FUNCTIONS"];
            show_list(&client.available_modules()?, out, "No modules found", &head, |module| {
                vec![module.name.clone(), module.description.clone(), module.functions.join(", ")]
            });
        }
        TemplateCommand::ListAvailableLibraries => {
            let head = ["NAME", "VERSION", "GLOBAL", "CACHED", "DESCRIPTION"];
            show_list(&client.available_libraries()?, out, "No libraries found", &head, |library| {
                let global = library.global.clone().unwrap_or_else(|| "?".to_owned());
                let cached = library.cached.to_string();
                vec![library.id.clone(), library.version.clone(), global, cached, library.description.clone()]
            });
        }
    }
    Ok(Exit::Done)
}

fn list_names(names: &Answer<Vec<String>>, none: &str, out: &mut Output) {
    show_list(names, out, none, &["NAME"], |name| vec![name.clone()]);
}

fn detail(detail: &TemplateDetail, out: &mut Output) {
    let TemplateDetail { template, settings, capabilities, startup_files } = detail;
    out.line(format_args!("Template ID: {}", template.id));
    out.line(format_args!("Name: {}", template.name));
    out.line(format_args!("Engine: {}", template.engine));
    out.line(format_args!("Active: {}", template.is_active));
    out.line(format_args!("Created At: {}", template.created_at));
    out.line(format_args!("Updated At: {}", template.updated_at));
    for (name, value) in
        [("Limits", &settings.limits), ("Resolver", &settings.resolver), ("Runtime", &settings.runtime)]
    {
        out.line(format_args!("{name}: {}", crate::json::compact(value.get())));
    }
    for (name, list) in [("Modules", &template.exposed_modules), ("Libraries", &template.libraries)] {
        if !list.is_empty() {
            out.line(format_args!("{name}: {}", list.join(", ")));
        }
    }
    if !capabilities.is_empty() {
        out.line("Capabilities:");
        for Capability { kind, name, enabled, config, .. } in capabilities {
            let state = if *enabled { "enabled" } else { "disabled" };
            out.line(format_args!("  {kind} {name} ({state}): {}", crate::json::compact(config.get())));
        }
    }
    if !startup_files.is_empty() {
        out.line("Startup Files:");
        for file in startup_files {
            out.line(format_args!("  {} (order: {}, mode: {})", file.path, file.order_index, file.mode));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::kept;

    #[test]
    fn a_template_is_shown_as_names_and_values() {
        let text = r#"{"template":{"id":"t-1","name":"demo","engine":"quickjs","is_active":true,
            "exposed_modules":["fs","exec"],"libraries":[],"created_at":"A","updated_at":"B"},
            "settings":{"limits":{"wall_ms":2, "cpu_ms":1},"resolver":{},"runtime":{"esm":false}},"capabilities":[
            {"id":"c","template_id":"t-1","kind":"fs","name":"docs","enabled":true,"config":{"read": ["docs"]}},
            {"id":"d","template_id":"t-1","kind":"module","name":"exec","enabled":false,"config":{}}],
            "startup_files":[{"id":"f","template_id":"t-1","path":"init.js","order_index":10,"mode":"eval"}]}"#;
        let (mut out, kept, _) = kept::output(false, false);
        detail(&serde_json::from_str(text).expect("the sample is a template"), &mut out);
        assert_eq!(
            kept.text(),
            "Template ID: t-1\nName: demo\nEngine: quickjs\nActive: true\nCreated At: A\nUpdated At: B\n\
             Limits: {\"wall_ms\":2,\"cpu_ms\":1}\nResolver: {}\nRuntime: {\"esm\":false}\nModules: fs, exec\n\
             Capabilities:\n  fs docs (enabled): {\"read\":[\"docs\"]}\n  module exec (disabled): {}\n\
             Startup Files:\n  init.js (order: 10, mode: eval)\n"
        );
    }
}
