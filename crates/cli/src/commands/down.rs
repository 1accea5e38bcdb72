//! `phoenix down`: what belongs to the project goes, dependents first.

use phoenix_plan::{DownOptions, Rmi};
use phoenix_podman::Podman;

use super::acting;
use crate::args::{Down, Global};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::project;

pub(crate) async fn run(
    global: &Global,
    args: &Down,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    let (name, project) = project::name(global, printer)?;
    let podman = Podman::connect().await?;
    let mut options = DownOptions {
        volumes: args.volumes,
        rmi: args
            .rmi
            .as_deref()
            .map(|which| if which == "all" { Rmi::All } else { Rmi::Local }),
        remove_orphans: args.remove_orphans,
        timeout: args.timeout,
        only: args.services.clone(),
        project: name.clone(),
        ..DownOptions::default()
    };
    if let Some(project) = &project {
        let all = project.services.iter().chain(&project.disabled_services);
        options.services = Some(all.clone().map(|(name, _)| name.clone()).collect());
        for (service, config) in all {
            let unnamed = config.build.is_some() && config.image.is_empty();
            let image = match phoenix_model::ImageRef::parse(&config.image) {
                _ if unnamed => format!("localhost/{name}-{service}:latest"),
                Some(image) if config.build.is_some() => image.local(),
                Some(image) => image.qualified(),
                None => continue,
            };
            options.images.push((image, unnamed));
        }
        let host = phoenix_podman::host(podman.version());
        let lowered = phoenix_model::lower(project, &Default::default(), &host);
        for service in lowered.desired.services {
            if let Some(container) = service.containers.into_iter().next() {
                options
                    .pre_stop
                    .insert(service.name, container.spec.pre_stop);
            }
        }
    }
    let observed = podman.observe(&name).await?;
    let plan = phoenix_plan::down(&observed, &options);
    acting::check(&plan, printer)?;
    if args.dry_run {
        acting::show(&plan, args.format, printer);
        return Ok(Outcome::Done);
    }
    if plan.steps.is_empty() {
        printer.say(&format!("nothing of project {name} is left"));
        return Ok(Outcome::Done);
    }
    acting::carry_out(
        &podman,
        &plan,
        args.format,
        printer,
        acting::interrupted(printer),
    )
    .await
}
