//! `phoenix start`, `stop`, `restart`: what exists, without making or removing anything.

use std::collections::BTreeMap;

use phoenix_plan::{Action, Container, Observed, Plan, State, Step, StepId};
use phoenix_podman::Podman;

use super::acting;
use crate::args::{Format, Global, Services, Stop};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::project;

pub(crate) async fn start(
    global: &Global,
    args: &Services,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    act(global, &args.services, printer, |observed, wanted| {
        in_order(observed, wanted, false, start_one)
    })
    .await
}

pub(crate) async fn stop(
    global: &Global,
    args: &Stop,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    act(global, &args.services, printer, |observed, wanted| {
        in_order(observed, wanted, true, |c| stop_one(c, args.timeout))
    })
    .await
}

pub(crate) async fn restart(
    global: &Global,
    args: &Stop,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    act(global, &args.services, printer, |observed, wanted| {
        let mut plan = in_order(observed, wanted, true, |c| stop_one(c, args.timeout));
        let stopped: Vec<StepId> = plan.steps.iter().map(|s| s.id).collect();
        let shift = plan.steps.len();
        let starts = in_order(observed, wanted, false, |c| {
            Some(Action::StartContainer {
                name: c.name.clone(),
                post_start: Vec::new(),
            })
        });
        for mut step in starts.steps {
            step.id += shift;
            step.after = step
                .after
                .iter()
                .map(|a| a + shift)
                .chain(stopped.iter().copied())
                .collect();
            plan.steps.push(step);
        }
        plan
    })
    .await
}

fn start_one(container: &Container) -> Option<Action> {
    (container.state != State::Running).then(|| Action::StartContainer {
        name: container.name.clone(),
        post_start: Vec::new(),
    })
}

fn stop_one(container: &Container, timeout: Option<u64>) -> Option<Action> {
    (container.state == State::Running).then(|| Action::StopContainer {
        name: container.name.clone(),
        timeout,
        pre_stop: Vec::new(),
    })
}

async fn act(
    global: &Global,
    services: &[String],
    printer: &Printer,
    plan: impl Fn(&Observed, &[String]) -> Plan,
) -> Result<Outcome, Failure> {
    let (name, _) = project::name(global, printer)?;
    let podman = Podman::connect().await?;
    let observed = podman.observe(&name).await?;
    for service in services {
        if observed.containers.iter().all(|c| c.service != *service) {
            return Err(Failure::usage(
                format!("project {name} has no container of `{service}`"),
                "`phoenix ps --all` lists them; `phoenix up` makes them",
            ));
        }
    }
    if observed.containers.is_empty() {
        return Err(Failure::usage(
            format!("project {name} has no containers"),
            "`phoenix up` makes them",
        ));
    }
    let plan = plan(&observed, services);
    if plan.steps.is_empty() {
        printer.say("nothing to do");
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

/// One action a container, dependencies before dependents or the other way round.
fn in_order(
    observed: &Observed,
    wanted: &[String],
    backwards: bool,
    action: impl Fn(&Container) -> Option<Action>,
) -> Plan {
    let chosen: Vec<&Container> = observed
        .containers
        .iter()
        .filter(|c| !c.oneoff && (wanted.is_empty() || wanted.contains(&c.service)))
        .collect();
    let mut plan = Plan::default();
    let mut ids: BTreeMap<&str, Vec<StepId>> = BTreeMap::new();
    let mut open = chosen;
    while !open.is_empty() {
        // Free is what waits for nothing that is still open; a circle ends the order, not the work.
        let blocked = |c: &Container| {
            open.iter().any(|o| {
                o.service != c.service
                    && if backwards {
                        o.depends_on.iter().any(|(s, ..)| *s == c.service)
                    } else {
                        c.depends_on.iter().any(|(s, ..)| *s == o.service)
                    }
            })
        };
        let mut free: Vec<&Container> = open.iter().copied().filter(|c| !blocked(c)).collect();
        if free.is_empty() {
            free = open.clone();
        }
        open.retain(|c| !free.iter().any(|f| f.id == c.id));
        let earlier: Vec<StepId> = ids.values().flatten().copied().collect();
        let mut added = Vec::new();
        for container in free {
            if let Some(action) = action(container) {
                let id = plan.steps.len();
                plan.steps.push(Step {
                    id,
                    action,
                    after: earlier.clone(),
                    reason: "it was asked for".into(),
                    optional: false,
                });
                added.push((container.service.as_str(), id));
            }
        }
        for (service, id) in added {
            ids.entry(service).or_default().push(id);
        }
    }
    plan
}
