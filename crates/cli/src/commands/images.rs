//! `phoenix images`.

use phoenix_podman::Podman;
use serde_json::json;

use crate::args::{Format, Global, Listing};
use crate::failure::{Failure, Outcome};
use crate::printer::{Printer, table};
use crate::project;

pub(crate) async fn run(
    global: &Global,
    args: &Listing,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    let (name, _) = project::name(global, printer)?;
    let podman = Podman::connect().await?;
    let mut observed = podman.observe(&name).await?;
    observed.containers.sort_by(|a, b| a.name.cmp(&b.name));
    if !args.services.is_empty() {
        observed
            .containers
            .retain(|c| args.services.contains(&c.service));
    }
    let mut list = Vec::new();
    for container in &observed.containers {
        let detail = podman
            .inspect_image(&container.image_id)
            .await
            .unwrap_or_default();
        let size = detail
            .get("Size")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0);
        let (repository, tag) = match phoenix_model::ImageRef::parse(&container.image) {
            Some(image) => {
                let registry = image
                    .registry
                    .as_ref()
                    .map(|r| format!("{r}/"))
                    .unwrap_or_default();
                (
                    format!("{registry}{}", image.path),
                    image.tag.unwrap_or_else(|| "<none>".into()),
                )
            }
            None => (container.image.clone(), String::new()),
        };
        list.push((
            container.name.clone(),
            repository,
            tag,
            container.image_id.clone(),
            size,
        ));
    }
    if args.format == Format::Json {
        let json: Vec<_> = list
            .iter()
            .map(|(container, repository, tag, id, size)| {
                json!({ "container": container, "repository": repository, "tag": tag, "id": id, "size": size })
            })
            .collect();
        printer.json(&json);
        return Ok(Outcome::Done);
    }
    let rows: Vec<Vec<String>> = list
        .into_iter()
        .map(|(container, repository, tag, id, size)| {
            vec![
                container,
                repository,
                tag,
                id.chars().take(12).collect(),
                format!("{:.1} MB", size as f64 / 1e6),
            ]
        })
        .collect();
    printer.result(&table(
        &["CONTAINER", "REPOSITORY", "TAG", "IMAGE ID", "SIZE"],
        &rows,
    ));
    Ok(Outcome::Done)
}
