//! Showing a plan, and what happens while it is carried out.

use phoenix_plan::{Action, Plan, Step};
use phoenix_podman::{Applied, Happening, Podman};
use serde_json::json;

use crate::args::Format;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;

/// A plan for people.
pub(crate) fn show(plan: &Plan, format: Format, printer: &Printer) {
    if format == Format::Json {
        printer.json(plan);
        return;
    }
    let mut out = String::new();
    for step in &plan.steps {
        let (verb, what, name) = step.action.describe();
        out.push_str(&format!(
            "{:>3}  {verb} {what} {name}\n     because {}\n",
            step.id, step.reason
        ));
        if !step.after.is_empty() {
            let after: Vec<String> = step.after.iter().map(ToString::to_string).collect();
            out.push_str(&format!("     after {}\n", after.join(", ")));
        }
    }
    if plan.steps.is_empty() {
        out.push_str("nothing to do\n");
    }
    printer.result(&out);
}

/// Says what the plan has to say; with something in its way nothing may begin.
pub(crate) fn check(plan: &Plan, printer: &Printer) -> Result<(), Failure> {
    for note in &plan.notes {
        printer.warn(note);
    }
    if plan.problems.is_empty() {
        return Ok(());
    }
    for problem in &plan.problems {
        printer.error(problem, None);
    }
    Err(Failure::Told)
}

/// Carries out a plan and says how it goes.
pub(crate) async fn carry_out(
    podman: &Podman,
    plan: &Plan,
    format: Format,
    printer: &Printer,
    stop: impl Future<Output = ()>,
) -> Result<Outcome, Failure> {
    let listener = |happening: Happening<'_>| match format {
        Format::Json => tell_json(&happening, printer),
        Format::Text => tell(&happening, printer),
    };
    let applied = podman.apply(plan, &listener, stop).await;
    finish(&applied, plan, printer)
}

fn finish(applied: &Applied, plan: &Plan, printer: &Printer) -> Result<Outcome, Failure> {
    for failure in &applied.failed {
        printer.error(&failure.error.to_string(), failure.error.hint().as_deref());
    }
    if applied.interrupted {
        let left = plan.steps.len() - applied.done.len();
        printer.say(&format!(
            "interrupted; {left} steps remain, `phoenix up` goes on with them"
        ));
        return Err(Failure::Told);
    }
    if !applied.failed.is_empty() {
        if !applied.skipped.is_empty() {
            let names: std::collections::BTreeSet<&str> = applied
                .skipped
                .iter()
                .map(|id| plan.steps[*id].action.describe().2)
                .collect();
            let names: Vec<&str> = names.into_iter().collect();
            printer.say(&format!("not begun because of that: {}", names.join(", ")));
        }
        return Err(Failure::Told);
    }
    Ok(Outcome::Done)
}

fn tell(happening: &Happening<'_>, printer: &Printer) {
    match happening {
        Happening::Began(step) => {
            let (_, what, name) = step.action.describe();
            let doing = match &step.action {
                Action::PullImage { .. } => "pulling",
                Action::BuildImage { .. } => "building",
                Action::WaitHealthy { .. } => "waiting for health of",
                Action::WaitCompleted { .. } => "waiting for the end of",
                _ => return,
            };
            printer.say(&format!("  {doing} {what} {name}"));
        }
        Happening::Said(step, line) => {
            let (_, _, name) = step.action.describe();
            printer.say(&printer.paint(&format!("    {name}: {line}"), "2"));
        }
        Happening::Done(step, took) => {
            let (_, what, name) = step.action.describe();
            let took = took.as_secs_f64();
            let mark = printer.paint("✔", "32");
            printer.say(&format!(
                "{mark} {what} {name} {} {}",
                past(step),
                printer.paint(&format!("{took:.1} s"), "2")
            ));
        }
        Happening::Failed(step, _) => {
            let (verb, what, name) = step.action.describe();
            printer.say(&format!(
                "{} {what} {name}: {verb} failed",
                printer.paint("✘", "31")
            ));
        }
        Happening::Forgiven(step, error) => {
            let (_, what, name) = step.action.describe();
            printer.warn(&format!("{what} {name}: {error}; it is not required"));
        }
    }
}

fn past(step: &Step) -> &'static str {
    match &step.action {
        Action::CreateSecret { .. }
        | Action::CreateNetwork { .. }
        | Action::CreateVolume { .. }
        | Action::CreateContainer { .. } => "created",
        Action::RemoveSecret { .. }
        | Action::RemoveNetwork { .. }
        | Action::RemoveVolume { .. }
        | Action::RemoveImage { .. }
        | Action::RemoveContainer { .. } => "removed",
        Action::PullImage { .. } => "pulled",
        Action::BuildImage { .. } => "built",
        Action::StartContainer { .. } => "started",
        Action::StopContainer { .. } => "stopped",
        Action::WaitHealthy { .. } => "is ready",
        Action::WaitCompleted { .. } => "completed",
    }
}

/// One line an event: `event`, `step`, `do`, `name`, and what belongs to it.
fn tell_json(happening: &Happening<'_>, printer: &Printer) {
    let (event, step, detail) = match happening {
        Happening::Began(step) => ("began", step, json!({})),
        Happening::Said(step, line) => ("said", step, json!({ "line": line })),
        Happening::Done(step, took) => ("done", step, json!({ "seconds": took.as_secs_f64() })),
        Happening::Failed(step, error) => (
            "failed",
            step,
            json!({ "error": error.to_string(), "hint": error.hint() }),
        ),
        Happening::Forgiven(step, error) => {
            ("forgiven", step, json!({ "error": error.to_string() }))
        }
    };
    let (verb, what, name) = step.action.describe();
    let mut line =
        json!({ "event": event, "step": step.id, "do": verb, "kind": what, "name": name });
    if let (Some(line), Some(detail)) = (line.as_object_mut(), detail.as_object()) {
        line.extend(detail.clone());
    }
    printer.result(&line.to_string());
}

/// Done at the first Ctrl-C; the second one leaves at once.
pub(crate) async fn interrupted(printer: &Printer) {
    let _ = tokio::signal::ctrl_c().await;
    printer.say("interrupted: finishing what has begun; once more leaves at once");
    tokio::spawn(async {
        let _ = tokio::signal::ctrl_c().await;
        leave();
    });
}

#[expect(
    clippy::exit,
    reason = "a person asked twice; what runs is Podman's and survives"
)]
fn leave() {
    std::process::exit(130);
}
