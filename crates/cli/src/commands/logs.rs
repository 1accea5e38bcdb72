//! `phoenix logs`, and the output of a foreground `up`.

use futures_util::StreamExt;
use phoenix_model::label;
use phoenix_podman::{LogOptions, Podman, Stream};

use crate::args::{Global, Logs};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use crate::project;

/// A container whose output is shown.
pub(crate) struct Follow {
    name: String,
    /// What stands in front of its lines.
    prefix: String,
}

impl Follow {
    pub(crate) fn container(container: &phoenix_model::Container, project: &str) -> Self {
        Self::new(&container.name, project)
    }

    fn new(name: &str, project: &str) -> Self {
        let prefix = name.strip_prefix(&format!("{project}-")).unwrap_or(name);
        Self {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
        }
    }
}

pub(crate) async fn run(
    global: &Global,
    args: &Logs,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    let (name, _) = project::name(global, printer)?;
    let podman = Podman::connect().await?;
    let mut containers = podman.list_containers(label::PROJECT, &name).await?;
    if !args.services.is_empty() {
        containers.retain(|c| {
            c.labels
                .get(label::SERVICE)
                .is_some_and(|s| args.services.contains(s))
        });
        if containers.is_empty() {
            return Err(Failure::usage(
                format!(
                    "project {name} has no containers of `{}`",
                    args.services.join("`, `")
                ),
                "`phoenix ps --all` lists them",
            ));
        }
    }
    let mut follow: Vec<Follow> = containers
        .iter()
        .filter_map(|c| c.names.first())
        .map(|n| Follow::new(n, &name))
        .collect();
    follow.sort_by(|a, b| a.name.cmp(&b.name));
    let tail = match args.tail.as_deref() {
        None | Some("all") => None,
        Some(number) => Some(number.parse().map_err(|_| {
            Failure::usage(
                format!("`{number}` is not a number of lines"),
                "write `--tail 100` or `--tail all`",
            )
        })?),
    };
    let options = LogOptions {
        follow: args.follow,
        timestamps: args.timestamps,
        tail,
        since: args.since.clone(),
        until: args.until.clone(),
    };
    tokio::select! {
        result = show(&podman, &follow, &options, !args.no_log_prefix, printer) => result?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(Outcome::Done)
}

/// Prints the lines of several containers as they come.
pub(crate) async fn show(
    podman: &Podman,
    containers: &[Follow],
    options: &LogOptions,
    prefixed: bool,
    printer: &Printer,
) -> Result<(), Failure> {
    let width = containers
        .iter()
        .map(|c| c.prefix.chars().count())
        .max()
        .unwrap_or(0);
    let colours = ["36", "33", "32", "35", "34", "96", "93", "92", "95", "94"];
    let streams = containers
        .iter()
        .enumerate()
        .map(|(n, container)| async move {
            let prefix = if prefixed {
                let padded = format!("{:width$}  | ", container.prefix);
                printer.paint_result(&padded, colours[n % colours.len()])
            } else {
                String::new()
            };
            let lines = podman.logs(&container.name, options).await?;
            let mut lines = std::pin::pin!(lines);
            while let Some(line) = lines.next().await {
                let line = line?;
                let text = format!("{prefix}{}", String::from_utf8_lossy(&line.text));
                match line.stream {
                    Stream::Stdout => printer.result(&text),
                    Stream::Stderr => eprintln_raw(&text),
                }
            }
            Ok::<(), Failure>(())
        });
    for result in futures_util::future::join_all(streams).await {
        result?;
    }
    Ok(())
}

fn eprintln_raw(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
