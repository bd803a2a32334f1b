//! `vm-system template`: what code may do and use.

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::{body, show, show_list};
use crate::args::id;
use crate::client::Client;
use crate::client::records::TemplateDetail;
use crate::error::{Error, Exit, Result};
use crate::output::Output;

/// The commands of the group.
#[derive(Debug, Subcommand)]
pub(crate) enum TemplateCommand {
    /// Create a template
    Create(CreateArgs),
    /// List all templates, newest first
    List,
    /// Show a template with its settings and startup files
    Get {
        /// The template
        #[arg(value_parser = id())]
        template_id: String,
    },
    /// Delete a template and its configuration; sessions made from it stay
    Delete {
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
    }
    Ok(Exit::Done)
}

fn detail(detail: &TemplateDetail, out: &mut Output) {
    let TemplateDetail { template, settings, startup_files } = detail;
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
    if !startup_files.is_empty() {
        out.line("Startup Files:");
        for file in startup_files {
            out.line(format_args!("  {} (order: {}, mode: {})", file.path, file.order_index, file.mode));
        }
    }
}

/// One setting by its path, as in `limits.cpu_ms=1000`.
#[derive(Debug, Clone, PartialEq)]
struct Setting {
    path: Vec<String>,
    value: Value,
}

impl Setting {
    /// Reads a setting. Which names and values there are, the daemon decides.
    fn parse(text: &str) -> Result<Self, String> {
        let Some((path, value)) = text.split_once('=') else {
            return Err("expected PATH=JSON, for example limits.cpu_ms=1000".to_owned());
        };
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if !matches!(path[0].as_str(), "limits" | "resolver" | "runtime") {
            return Err("a setting's path begins with limits., resolver. or runtime.".to_owned());
        }
        if path.len() < 2 || path.iter().any(String::is_empty) {
            return Err(format!("the path names no setting: expected {}.NAME=JSON", path[0]));
        }
        match serde_json::from_str(value) {
            Ok(value) => Ok(Self { path, value }),
            Err(_) => Err(format!("the value is not JSON; if it is text, quote it: '{}=\"{value}\"'", path.join("."))),
        }
    }
}

/// Builds the partial objects of the settings; of the same path the last one counts.
fn settings(all: &[Setting]) -> Result<Map<String, Value>> {
    let mut settings = Map::new();
    for Setting { path, value } in all {
        let Some((name, groups)) = path.split_last() else { continue };
        let mut object = &mut settings;
        for group in groups {
            let inner = object.entry(group).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = inner else {
                let path = path.join(".");
                return Err(Error::usage(format!("--set {path} contradicts another --set: `{group}` has a value")));
            };
            object = inner;
        }
        object.insert(name.clone(), value.clone());
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::kept;

    fn built(texts: &[&str]) -> Result<Value> {
        let all: Vec<Setting> = texts.iter().map(|text| Setting::parse(text).expect(text)).collect();
        settings(&all).map(Value::Object)
    }

    #[test]
    fn settings_become_partial_objects() {
        for (texts, object) in [
            (&[][..], json!({})),
            (&["limits.cpu_ms=1000"], json!({"limits": {"cpu_ms": 1000}})),
            (
                &["limits.cpu_ms=1", "runtime.strict=true", "limits.wall_ms=2", "limits.cpu_ms=3"],
                json!({"limits": {"cpu_ms": 3, "wall_ms": 2}, "runtime": {"strict": true}}),
            ),
            (&["resolver.extensions=[\".js\", \".a=b\"]"], json!({"resolver": {"extensions": [".js", ".a=b"]}})),
            (&["runtime.isolation=\"thread\""], json!({"runtime": {"isolation": "thread"}})),
            (&["runtime.later.depth=null"], json!({"runtime": {"later": {"depth": null}}})),
        ] {
            assert_eq!(built(texts).expect("they agree"), object, "{texts:?}");
        }
        let error = built(&["limits.a=1", "limits.a.b=2"]).expect_err("they contradict");
        assert_eq!(error.exit(), Exit::Usage);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for (text, why) in [
            ("limits.cpu_ms", "expected PATH=JSON"),
            ("cpu_ms=1", "begins with"),
            ("name.x=1", "begins with"),
            ("limits=1", "names no setting"),
            ("limits.=1", "names no setting"),
            ("limits..x=1", "names no setting"),
            ("limits.cpu_ms=", "not JSON"),
            ("limits.cpu_ms=1s", "not JSON"),
            ("runtime.isolation=thread", "'runtime.isolation=\"thread\"'"),
        ] {
            let error = Setting::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_template_is_shown_as_names_and_values() {
        let text = r#"{"template":{"id":"t-1","name":"demo","engine":"quickjs","is_active":true,
            "exposed_modules":["fs","exec"],"libraries":[],"created_at":"A","updated_at":"B"},
            "settings":{"limits":{"wall_ms":2, "cpu_ms":1},"resolver":{},"runtime":{"esm":false}},"capabilities":[],
            "startup_files":[{"id":"f","template_id":"t-1","path":"init.js","order_index":10,"mode":"eval"}]}"#;
        let (mut out, kept, _) = kept::output(false, false);
        detail(&serde_json::from_str(text).expect("the sample is a template"), &mut out);
        assert_eq!(
            kept.text(),
            "Template ID: t-1\nName: demo\nEngine: quickjs\nActive: true\nCreated At: A\nUpdated At: B\n\
             Limits: {\"wall_ms\":2,\"cpu_ms\":1}\nResolver: {}\nRuntime: {\"esm\":false}\nModules: fs, exec\n\
             Startup Files:\n  init.js (order: 10, mode: eval)\n"
        );
    }
}
