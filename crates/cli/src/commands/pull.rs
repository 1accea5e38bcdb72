//! `phoenix pull`.

use phoenix_compose::Selection;
use phoenix_plan::{Action, Plan, Step};
use phoenix_podman::Podman;

use super::acting;
use crate::args::{Format, Global, Pull};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::project;

pub(crate) async fn run(
    global: &Global,
    args: &Pull,
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
    let mut seen = std::collections::BTreeSet::new();
    for service in desired.services {
        if service.image.build.is_some() || !seen.insert(service.image.name.clone()) {
            continue;
        }
        plan.steps.push(Step {
            id: plan.steps.len(),
            action: Action::PullImage {
                image: service.image.name,
                platform: service.image.platform,
                always: true,
            },
            after: Vec::new(),
            reason: "pulling was asked for".into(),
            optional: args.ignore_pull_failures,
        });
    }
    if plan.steps.is_empty() {
        printer.say("no service has an image from a registry");
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
