//! PH010: data that nobody finds.

use phoenix_source::Severity;
use serde_json::{Map, json};

use crate::families::Family;
use crate::finding::{Finding, put};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct HiddenVolume;

static META: Meta = Meta {
    code: "PH010",
    name: "hidden-volume",
    what: "A named volume's data lies inside Podman's own storage.",
    why: "`podman system reset` takes such volumes with it, backups leave ~/.local/share/containers out for its size, \
          and the files belong to ids of the user namespace. A volume of the same name that comes up empty is \
          indistinguishable from one that lost its data.",
    fix: "Safe: Podman's volume is new in either form, and the data is carried over separately. The volume becomes a \
          bind of a directory under ~/.local/share/<project>/, made with the owner and mode that the image needs \
          (PostgreSQL cannot write otherwise). `phoenix up` makes it; so does infra/podman/setup-volumes.sh.",
    evidence: &[
        "37 % of 1,912 public compose files have named volumes",
        "https://github.com/containers/podman/issues/25442",
        "https://github.com/hivecommons/hive/issues/4409",
    ],
    example: Example::Compose {
        before: "name: shop\nservices:\n  db:\n    image: docker.io/library/postgres:17\n    user: \"999:999\"\n    volumes: [\"data:/var/lib/postgresql/data\"]\nvolumes:\n  data:\n",
        after: "name: shop\nservices:\n  db:\n    image: docker.io/library/postgres:17\n    user: \"999:999\"\n    volumes: [\"data:/var/lib/postgresql/data\"]\nvolumes:\n  data:\n    driver: local\n    driver_opts:\n      type: none\n      o: bind\n      device: \"${HOME}/.local/share/shop/data\"\n    x-phoenix:\n      directory: \"${HOME}/.local/share/shop/data\"\n      owner: \"999:999\"\n      mode: \"0700\"\n",
    },
};

impl Rule for HiddenVolume {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let project = inputs.project;
        let mut findings = Vec::new();
        for (key, volume) in &project.volumes {
            let local = matches!(volume.driver.as_str(), "" | "local");
            if volume.external || !local || !volume.driver_opts.is_empty() {
                continue;
            }
            let users: Vec<(&String, &phoenix_compose::Mount)> = project
                .services
                .iter()
                .flat_map(|(name, s)| s.volumes.iter().map(move |m| (name, m)))
                .filter(|(_, m)| m.r#type == "volume" && m.source == *key)
                .collect();
            // A volume over something of the image is filled from it at the first start; a bind is not.
            if users.iter().any(|(name, m)| !is_data(inputs, name, &m.target)) || users.is_empty() {
                continue;
            }
            let (name, mount) = users[0];
            let family = inputs.habits(name).as_deref().and_then(Family::of);
            let owner = owner(inputs, name, family);
            let mode = family.and_then(|f| f.mode(&mount.target)).unwrap_or("0755");
            let device = format!("${{HOME}}/.local/share/{}/{key}", project.name);
            let mut value = Map::new();
            value.insert("driver".into(), json!("local"));
            value.insert("driver_opts".into(), json!({ "type": "none", "o": "bind", "device": device }));
            value.insert("x-phoenix".into(), json!({ "directory": device, "owner": owner, "mode": mode }));
            let routes = [format!("volumes.{key}.driver"), format!("volumes.{key}.driver_opts")];
            findings.push(
                Finding::new(META.code, Severity::Note, format!("the data of the volume `{key}` lies inside Podman's storage"))
                    .at(inputs.origin(&["volumes", key]))
                    .safe(
                        format!("keep it in ~/.local/share/{}/{key}", project.name),
                        &[&routes[0], &routes[1]],
                        value.into_iter().map(|(k, v)| put(&["volumes", key], &k, v)).collect(),
                    ),
            );
        }
        findings
    }
}

/// Whether a mount's target is a directory for data, which images leave empty.
fn is_data(inputs: &Inputs<'_>, service: &str, target: &str) -> bool {
    match inputs.habits(service).as_deref().and_then(Family::of) {
        Some(family) => family.mode(target).is_some(),
        // Of an image built here the recipe tells: nothing may be copied below the target.
        None => inputs.recipe(service).and_then(|r| r.final_stage()).is_some_and(|stage| {
            let fills = stage.body.iter().filter(|i| matches!(i.keyword.as_str(), "COPY" | "ADD"));
            let mut targets = fills.filter_map(|i| i.words.last()).map(|w| w.text.trim_matches(['"', ']', ',']));
            targets.all(|t| !t.starts_with(target))
        }),
    }
}

/// The ids that the service will run as, where they are numbers.
fn owner(inputs: &Inputs<'_>, service: &str, family: Option<&Family>) -> String {
    let user = inputs.project.services[service].user.as_str();
    if !user.is_empty() {
        return if user.contains(':') { user.to_owned() } else { format!("{user}:{user}") };
    }
    match (inputs.recipe(service), family) {
        (_, Some(family)) => family.user.to_owned(),
        (Some(recipe), None) => {
            let own = recipe.final_stage().and_then(|s| s.last("USER").map(|u| u.arguments.clone()));
            match own {
                Some(user) if user.bytes().all(|b| b.is_ascii_digit() || b == b':') => {
                    if user.contains(':') { user } else { format!("{user}:{user}") }
                }
                Some(_) => "0:0".into(),
                None => super::root_user::OWN_USER.to_owned(),
            }
        }
        (None, None) => "0:0".into(),
    }
}
