//! An agent's loop: a model writes code, the session runs it, and what came of it goes back to the model.
//!
//! The model here is a list of what one might say, so that the example needs no network. What it is told is what a real one
//! would be: the types of what there is, then each result, each error and what was printed.
#![expect(clippy::print_stdout, reason = "examples show what they do")]

use std::collections::VecDeque;

use serde::Deserialize;
use vmsys_core::{
    Call, Config, Execution, HostError, HostModule, LimitsPatch, NewSession, NewTemplate, Payload, VmSystem,
};

/// What a model would be asked with.
struct Model {
    says: VecDeque<&'static str>,
    heard: Vec<String>,
}

impl Model {
    fn next(&mut self, told: String) -> Option<&'static str> {
        self.heard.push(told);
        self.says.pop_front()
    }
}

/// What the task is over with.
#[derive(Debug, PartialEq, Deserialize)]
struct Answer {
    average: f64,
    highest: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let weather = HostModule::new("weather", "Temperatures of cities")
        .function("cities", |_: &Call, (): ()| Ok(["Oslo", "Rome", "Cairo"]))
        .async_function("temperature", |_: Call, (city,): (String,)| async move {
            match city.as_str() {
                "Oslo" => Ok(4.0),
                "Rome" => Ok(17.0),
                "Cairo" => Ok(27.0),
                _ => Err(HostError::new("NotFoundError", format!("no station in {city}")).code("ENOENT")),
            }
        })
        .signature("(city: string): Promise<number>");
    let mut config = Config::default();
    config.host_module(weather);
    let vm = VmSystem::with_config(config)?;
    let template = vm.create_template(NewTemplate::named("agent"))?;
    vm.add_module(template.id, "weather")?;
    let session = vm.create_session(NewSession::new(template.id, std::env::current_dir()?))?;
    // Whatever a model writes ends soon and says little.
    let mut limits = LimitsPatch::default();
    limits.wall_ms = Some(5_000);
    limits.max_output_kb = Some(16);
    let steps = session.limited(limits)?;

    let mut model = Model {
        says: VecDeque::from([
            "const weather = require('weather'); weather.cities()",
            "const all = await Promise.all(['Oslo', 'Paris'].map(weather.temperature))",
            "const cities = weather.cities(); const all = await Promise.all(cities.map(weather.temperature)); console.log(all); all",
            "const answer = { average: all.reduce((a, b) => a + b) / all.length, highest: cities[all.indexOf(Math.max(...all))] }",
        ]),
        heard: Vec::new(),
    };
    let mut told = format!("Find the average and the warmest city. There is:\n{}", vm.types(template.id)?);
    while let Some(code) = model.next(told) {
        // State stays from one step to the next, also when a step fails.
        told = report(&steps.repl(code)?);
        println!("> {code}\n{told}\n");
    }
    assert!(model.heard[0].contains("export function temperature(city: string): Promise<number>;"));
    assert!(model.heard[2].contains("no station in Paris"));
    assert!(model.heard[3].contains("[ 4, 17, 27 ]"));

    // The answer as a type of the program's, and not as text to be read.
    let answer: Answer = session.get_global("answer")?;
    assert_eq!(answer, Answer { average: 16.0, highest: "Cairo".to_owned() });
    Ok(())
}

/// What a model is told of a step.
fn report(execution: &Execution) -> String {
    let printed = execution.events.iter().filter_map(|event| match &event.payload {
        Payload::Console { text, .. } => Some(format!("printed: {text}")),
        _ => None,
    });
    let end = match (&execution.result, &execution.error) {
        (Some(value), _) => format!("result: {}", value.preview),
        (None, Some(error)) => format!("error: {}", error.stack.as_ref().unwrap_or(&error.message)),
        (None, None) => execution.status.to_string(),
    };
    printed.chain([end]).collect::<Vec<_>>().join("\n")
}
