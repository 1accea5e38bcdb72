//! `phoenix config`: the project as it is understood.

use std::collections::BTreeSet;

use phoenix_compose::Selection;

use crate::args::{Config, Global};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::project;

pub(crate) fn run(global: &Global, args: &Config, printer: &Printer) -> Result<Outcome, Failure> {
    let selection = Selection {
        services: args.only.clone(),
        without_dependencies: false,
    };
    let mut loaded = project::load(global, &selection, printer)?;
    let project = &mut loaded.project;
    let profiles: BTreeSet<String> = project
        .services
        .values()
        .chain(project.disabled_services.values())
        .flat_map(|s| s.profiles.clone())
        .collect();
    project.drop_unused();
    let list: Option<Vec<String>> = if args.services {
        Some(project.services.keys().cloned().collect())
    } else if args.volumes {
        Some(project.volumes.keys().cloned().collect())
    } else if args.networks {
        Some(project.networks.keys().cloned().collect())
    } else if args.profiles {
        Some(profiles.into_iter().collect())
    } else if args.images {
        let image = |(name, s): (&String, &phoenix_compose::Service)| {
            if s.image.is_empty() {
                format!("{}-{name}", project.name)
            } else {
                s.image.clone()
            }
        };
        Some(project.services.iter().map(image).collect())
    } else {
        None
    };
    if args.quiet {
        return Ok(Outcome::Done);
    }
    let text = match list {
        Some(list) if list.is_empty() => return Ok(Outcome::Done),
        Some(list) => list.join("\n"),
        None if args.format == "json" => phoenix_compose::to_json(project),
        None => phoenix_compose::to_yaml(project),
    };
    match &args.output {
        Some(path) => std::fs::write(path, text + "\n")
            .map_err(|e| Failure::failed(format!("{} cannot be written: {e}", path.display())))?,
        None => printer.result(&text),
    }
    Ok(Outcome::Done)
}
