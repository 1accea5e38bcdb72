//! `phoenix build`.

use phoenix_compose::Selection;
use phoenix_plan::{Action, Plan, Step};
use phoenix_podman::Podman;

use super::acting;
use crate::args::{Build, Format, Global};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::project;

pub(crate) async fn run(
    global: &Global,
    args: &Build,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    let selection = Selection {
        services: args.services.clone(),
        without_dependencies: true,
    };
    let loaded = project::load(global, &selection, printer)?;
    let podman = Podman::connect().await?;
    let desired = project::lower(&loaded, &phoenix_podman::host(podman.version()), printer);
    let mut plan = Plan {
        project: desired.project.clone(),
        ..Plan::default()
    };
    for service in desired.services {
        let Some(mut build) = service.image.build else {
            continue;
        };
        build.no_cache |= args.no_cache;
        build.pull |= args.pull;
        for argument in &args.build_arg {
            let (key, value) = match argument.split_once('=') {
                Some((key, value)) => (key, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            build.args.insert(key.to_owned(), value);
        }
        plan.steps.push(Step {
            id: plan.steps.len(),
            action: Action::BuildImage {
                image: service.image.name,
                build: Box::new(build),
            },
            after: Vec::new(),
            reason: "building was asked for".into(),
            optional: false,
        });
    }
    if plan.steps.is_empty() {
        printer.say("no service is built here");
        return Ok(Outcome::Done);
    }
    acting::carry_out(
        &podman,
        &plan,
        Format::Text,
        printer,
        acting::interrupted(printer),
    )
    .await
}
