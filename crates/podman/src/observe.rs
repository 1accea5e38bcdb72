//! What Podman holds of a project: a handful of list calls, at once.

use phoenix_model::label;
use phoenix_plan::{Container, Health, Image, Network, Observed, Secret, State, Volume};

use crate::client::Podman;
use crate::containers::Listed;
use crate::error::Result;

/// Whether a volume of the local driver's bind form has lost what it binds.
fn directory_missing(options: &std::collections::BTreeMap<String, String>) -> bool {
    let binds = options
        .get("o")
        .is_some_and(|o| o.split(',').any(|w| matches!(w, "bind" | "rbind")));
    binds
        && options
            .get("device")
            .is_some_and(|device| !std::path::Path::new(device).exists())
}

impl Podman {
    /// Everything that carries the project's label, and all images.
    pub async fn observe(&self, project: &str) -> Result<Observed> {
        let (containers, networks, volumes, secrets, images) = tokio::try_join!(
            self.list_containers(label::PROJECT, project),
            self.list_networks(),
            self.list_volumes(),
            self.list_secrets(),
            self.list_images(),
        )?;
        let of_project = |labels: &Option<std::collections::BTreeMap<String, String>>| {
            labels.as_ref().is_some_and(|l| {
                [label::PROJECT, label::PODMAN_PROJECT]
                    .iter()
                    .any(|key| l.get(*key).is_some_and(|p| p == project))
            })
        };
        let mut observed = Observed {
            containers: containers.into_iter().map(container).collect(),
            networks: networks
                .into_iter()
                .map(|n| Network {
                    owned: of_project(&n.labels),
                    hash: n.labels.and_then(|mut l| l.remove(label::HASH)),
                    name: n.name,
                })
                .collect(),
            volumes: volumes
                .into_iter()
                .map(|v| Volume {
                    owned: of_project(&v.labels),
                    name: v.name,
                    directory_missing: v.options.as_ref().is_some_and(directory_missing),
                    options: v.options.unwrap_or_default(),
                })
                .collect(),
            secrets: secrets
                .into_iter()
                .map(|s| Secret {
                    owned: of_project(&s.spec.labels),
                    name: s.spec.name,
                })
                .collect(),
            ..Observed::default()
        };
        for image in images {
            let built = of_project(&image.labels);
            let names = image
                .repo_tags
                .into_iter()
                .chain(image.repo_digests)
                .flatten();
            for name in names {
                observed.images.insert(
                    name,
                    Image {
                        id: image.id.clone(),
                        built,
                    },
                );
            }
        }
        Ok(observed)
    }
}

fn container(listed: Listed) -> Container {
    let label = |key: &str| listed.labels.get(key).cloned().unwrap_or_default();
    let depends_on = label(label::DEPENDS_ON)
        .split(',')
        .filter(|d| !d.is_empty())
        .map(|dependency| {
            let mut parts = dependency.split(':').map(str::to_owned);
            let service = parts.next().unwrap_or_default();
            let condition = parts.next().unwrap_or_default();
            (service, condition, parts.next().as_deref() == Some("true"))
        })
        .collect();
    Container {
        name: listed.names.first().cloned().unwrap_or_default(),
        service: label(label::SERVICE),
        number: label(label::NUMBER).parse().unwrap_or(0),
        oneoff: label(label::ONEOFF).eq_ignore_ascii_case("true"),
        hash: listed.labels.get(label::HASH).cloned(),
        image_id: listed.image_id,
        image: listed.image,
        state: State::parse(&listed.state),
        health: Health::parse(&listed.status),
        exit_code: listed.exit_code,
        depends_on,
        networks: listed.networks,
        id: listed.id,
    }
}
