//! `phoenix exec`: Podman's own exec takes our place, so that terminals and signals are exact.

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;

use phoenix_podman::Podman;

use crate::args::{Exec, Global};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::project;

pub(crate) async fn run(
    global: &Global,
    args: &Exec,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    let (name, _) = project::name(global, printer)?;
    let container = {
        let podman = Podman::connect().await?;
        let observed = podman.observe(&name).await?;
        let found = observed.containers.into_iter().find(|c| {
            c.service == args.service && !c.oneoff && (c.number == args.index || c.number == 0)
        });
        match found {
            Some(container) if container.state == phoenix_plan::State::Running => container.name,
            Some(container) => {
                return Err(Failure::Failed {
                    message: format!("`{}` does not run", container.name),
                    help: Some(format!("`phoenix start {}` starts it", args.service)),
                });
            }
            None => {
                return Err(Failure::usage(
                    format!(
                        "project {name} has no container {} of `{}`",
                        args.index, args.service
                    ),
                    "`phoenix ps --all` lists them",
                ));
            }
        }
    };
    let mut command = std::process::Command::new("podman");
    command.arg("exec");
    let terminal = !args.no_tty
        && !args.detach
        && std::io::stdin().is_terminal()
        && std::io::stdout().is_terminal();
    if args.detach {
        command.arg("--detach");
    } else {
        command.arg("--interactive");
    }
    if terminal {
        command.arg("--tty");
    }
    if args.privileged {
        command.arg("--privileged");
    }
    for variable in &args.env {
        command.args(["--env", variable]);
    }
    if let Some(user) = &args.user {
        command.args(["--user", user]);
    }
    if let Some(directory) = &args.workdir {
        command.args(["--workdir", directory]);
    }
    command.arg(&container).args(&args.command);
    let error = command.exec();
    Err(Failure::failed(format!(
        "`podman exec` cannot be started: {error}"
    )))
}
