//! `phoenix ps`.

use phoenix_model::label;
use phoenix_podman::{Listed, Podman};
use serde_json::json;

use crate::args::{Format, Global, Ps};
use crate::failure::{Failure, Outcome};
use crate::printer::{Printer, ago, table};
use crate::project;

pub(crate) async fn run(global: &Global, args: &Ps, printer: &Printer) -> Result<Outcome, Failure> {
    let (name, _) = project::name(global, printer)?;
    let podman = Podman::connect().await?;
    let mut containers = podman.list_containers(label::PROJECT, &name).await?;
    containers.retain(|c| args.all || c.state == "running" || c.state == "paused");
    if !args.services.is_empty() {
        containers.retain(|c| {
            c.labels
                .get(label::SERVICE)
                .is_some_and(|s| args.services.contains(s))
        });
    }
    containers.sort_by(|a, b| a.names.cmp(&b.names));
    if args.quiet {
        let ids: Vec<&str> = containers.iter().map(|c| c.id.as_str()).collect();
        if !ids.is_empty() {
            printer.result(&ids.join("\n"));
        }
        return Ok(Outcome::Done);
    }
    if args.format == Format::Json {
        let list: Vec<_> = containers
            .iter()
            .map(|c| {
                json!({
                    "id": c.id, "name": name_of(c), "service": c.labels.get(label::SERVICE), "project": name,
                    "image": c.image, "command": c.command, "state": c.state, "health": c.status,
                    "exit_code": c.exit_code, "started_at": c.started_at,
                    "ports": c.ports.iter().map(|p| json!({
                        "host_ip": p.host_ip, "host_port": p.host_port, "container_port": p.container_port,
                        "range": p.range, "protocol": p.protocol,
                    })).collect::<Vec<_>>(),
                })
            })
            .collect();
        printer.json(&list);
        return Ok(Outcome::Done);
    }
    let now = jiff::Timestamp::now().as_second();
    let rows: Vec<Vec<String>> = containers
        .iter()
        .map(|c| {
            let command = c.command.join(" ");
            let short: String = command.chars().take(20).collect();
            let command = if short.len() < command.len() {
                format!("\"{short}…\"")
            } else {
                format!("\"{short}\"")
            };
            let created = c
                .created
                .parse::<jiff::Timestamp>()
                .map(|t| ago(now - t.as_second()))
                .unwrap_or_default();
            vec![
                name_of(c),
                c.image.clone(),
                command,
                c.labels.get(label::SERVICE).cloned().unwrap_or_default(),
                created,
                status(c, now),
                ports(c),
            ]
        })
        .collect();
    printer.result(&table(
        &[
            "NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS",
        ],
        &rows,
    ));
    Ok(Outcome::Done)
}

fn name_of(container: &Listed) -> String {
    container.names.first().cloned().unwrap_or_default()
}

fn status(container: &Listed, now: i64) -> String {
    let since = |at: i64| ago(now - at).trim_end_matches(" ago").to_owned();
    match container.state.as_str() {
        "running" if container.status.is_empty() => format!("Up {}", since(container.started_at)),
        "running" => format!("Up {} ({})", since(container.started_at), container.status),
        "exited" | "stopped" => format!(
            "Exited ({}) {}",
            container.exit_code,
            ago(now - container.exited_at)
        ),
        other => {
            let mut text = other.to_owned();
            if let Some(first) = text.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            text
        }
    }
}

fn ports(container: &Listed) -> String {
    let mut shown: Vec<String> = container
        .ports
        .iter()
        .map(|p| {
            let ip = if p.host_ip.is_empty() {
                "0.0.0.0"
            } else {
                &p.host_ip
            };
            let range = |port: u16| match p.range {
                0 | 1 => port.to_string(),
                n => format!("{port}-{}", port.saturating_add(n - 1)),
            };
            format!(
                "{ip}:{}->{}/{}",
                range(p.host_port),
                range(p.container_port),
                p.protocol
            )
        })
        .collect();
    shown.sort();
    shown.join(", ")
}
