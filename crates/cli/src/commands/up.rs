//! `phoenix up`: load, lower, observe, plan, print, apply.

use std::collections::BTreeSet;
use std::time::Duration;

use phoenix_compose::Selection;
use phoenix_model::{Desired, Pull};
use phoenix_plan::{Action, Plan, Recreate, State, UpOptions};
use phoenix_podman::Podman;

use super::acting;
use super::logs::{self, Follow};
use crate::args::{Format, Global, Up};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::project;

pub(crate) async fn run(global: &Global, args: &Up, printer: &Printer) -> Result<Outcome, Failure> {
    let selection = Selection {
        services: args.services.clone(),
        without_dependencies: args.no_deps,
    };
    let mut loaded = project::load(global, &selection, printer)?;
    loaded.project.drop_unused();
    scale(&mut loaded.project, &args.scale)?;
    let podman = Podman::connect().await?;
    let host = phoenix_podman::host(podman.version());
    let mut desired = project::lower(&loaded, &host, printer);
    override_pull(&mut desired, args.pull.as_deref());

    let mut options = UpOptions {
        recreate: match (args.force_recreate, args.no_recreate) {
            (true, _) => Recreate::Always,
            (_, true) => Recreate::Never,
            _ => Recreate::Changed,
        },
        build: args.build,
        no_build: args.no_build,
        no_start: args.no_start,
        wait: args.wait,
        remove_orphans: args.remove_orphans,
        timeout: args.timeout,
        known_services: loaded.project.disabled_services.keys().cloned().collect(),
    };
    let mut observed = podman.observe(&desired.project).await?;
    let mut plan = phoenix_plan::up(&desired, &observed, &options);
    if args.dry_run {
        acting::check(&plan, printer)?;
        acting::show(&plan, args.format, printer);
        return Ok(Outcome::Done);
    }
    // A build or pull may bring another image than the one that containers run: what follows from
    // it is planned when it is known.
    let images = replacing_images(&plan, &observed);
    if !images.steps.is_empty() {
        acting::check(&plan, printer)?;
        acting::carry_out(
            &podman,
            &images,
            args.format,
            printer,
            acting::interrupted(printer),
        )
        .await?;
        observed = podman.observe(&desired.project).await?;
        options.build = false;
        for service in &mut desired.services {
            if matches!(service.image.pull, Pull::Always | Pull::Build) {
                service.image.pull = Pull::Missing;
            }
        }
        plan = phoenix_plan::up(&desired, &observed, &options);
    }
    acting::check(&plan, printer)?;
    if plan.steps.is_empty() {
        printer.say(&format!("project {} is up to date", plan.project));
    } else {
        let act = acting::carry_out(
            &podman,
            &plan,
            args.format,
            printer,
            acting::interrupted(printer),
        );
        match args.wait_timeout {
            Some(seconds) => {
                tokio::time::timeout(Duration::from_secs(seconds), act).await.map_err(|_| {
                    Failure::failed(format!("not everything was ready within {seconds} s; `phoenix ps` shows what is missing"))
                })??;
            }
            None => {
                act.await?;
            }
        }
    }
    if args.detach || args.wait || args.no_start {
        return Ok(Outcome::Done);
    }
    attach(&podman, &desired, args, printer).await
}

/// The steps that pull or build images which containers have been made from already.
fn replacing_images(plan: &Plan, observed: &phoenix_plan::Observed) -> Plan {
    let mut images = Plan {
        project: plan.project.clone(),
        ..Plan::default()
    };
    for step in &plan.steps {
        let image = match &step.action {
            Action::PullImage { image, .. } | Action::BuildImage { image, .. } => image,
            _ => continue,
        };
        if observed.images.contains_key(image) {
            let mut step = step.clone();
            step.id = images.steps.len();
            step.after.clear();
            images.steps.push(step);
        }
    }
    images
}

fn override_pull(desired: &mut Desired, policy: Option<&str>) {
    let pull = match policy {
        Some("always") => Pull::Always,
        Some("never") => Pull::Never,
        Some(_) => Pull::Missing,
        None => return,
    };
    for service in &mut desired.services {
        if service.image.build.is_none() {
            service.image.pull = pull;
        }
    }
}

fn scale(project: &mut phoenix_compose::Project, wanted: &[String]) -> Result<(), Failure> {
    for text in wanted {
        let parsed = text
            .split_once('=')
            .and_then(|(name, n)| Some((name, n.parse::<i64>().ok().filter(|n| *n >= 0)?)));
        let Some((name, number)) = parsed else {
            return Err(Failure::usage(
                format!("`{text}` is not SERVICE=NUMBER"),
                "write `--scale web=3`",
            ));
        };
        let Some(service) = project.services.get_mut(name) else {
            return Err(Failure::usage(
                format!("no such service: `{name}`"),
                "`phoenix config --services` lists them",
            ));
        };
        service.scale = Some(number);
    }
    Ok(())
}

/// Shows the output until everything has ended or somebody interrupts; then stops what was started.
async fn attach(
    podman: &Podman,
    desired: &Desired,
    args: &Up,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    let attached: Vec<&phoenix_model::Container> = desired
        .services
        .iter()
        .filter(|s| s.attach)
        .flat_map(|s| &s.containers)
        .collect();
    let follow: Vec<Follow> = attached
        .iter()
        .map(|c| Follow::container(c, &desired.project))
        .collect();
    let mut ended = 0u8;
    {
        let wait_all = async {
            let mut codes = Vec::new();
            for container in &attached {
                codes.push(podman.wait_container(&container.name));
            }
            if args.abort_on_container_exit {
                let codes: Vec<_> = codes.into_iter().map(Box::pin).collect();
                if codes.is_empty() {
                    return 0;
                }
                let (first, _, _) = futures_util::future::select_all(codes).await;
                return first.unwrap_or(1);
            }
            futures_util::future::join_all(codes).await;
            0
        };
        let options = phoenix_podman::LogOptions {
            follow: true,
            tail: None,
            ..Default::default()
        };
        let show = logs::show(podman, &follow, &options, true, printer);
        tokio::select! {
            code = wait_all => ended = u8::try_from(code).unwrap_or(1),
            result = async { let shown = show.await; std::future::pending::<()>().await; shown } => result?,
            () = acting::interrupted(printer) => {}
        }
    }
    let observed = podman.observe(&desired.project).await?;
    let names: BTreeSet<&str> = desired
        .services
        .iter()
        .flat_map(|s| &s.containers)
        .map(|c| c.name.as_str())
        .collect();
    let mut plan = Plan {
        project: desired.project.clone(),
        ..Plan::default()
    };
    // Dependents first: the desired order backwards.
    let mut order: Vec<&str> = desired.services.iter().map(|s| s.name.as_str()).collect();
    order.reverse();
    let mut previous: Vec<usize> = Vec::new();
    for service in order {
        let mut here = Vec::new();
        for container in observed.containers.iter().filter(|c| {
            c.service == service && c.state == State::Running && names.contains(c.name.as_str())
        }) {
            let id = plan.steps.len();
            plan.steps.push(phoenix_plan::Step {
                id,
                action: Action::StopContainer {
                    name: container.name.clone(),
                    timeout: args.timeout,
                    pre_stop: Vec::new(),
                },
                after: previous.clone(),
                reason: "the foreground ended".into(),
                optional: false,
            });
            here.push(id);
        }
        if !here.is_empty() {
            previous = here;
        }
    }
    acting::carry_out(podman, &plan, Format::Text, printer, std::future::pending()).await?;
    Ok(Outcome::Code(ended))
}
