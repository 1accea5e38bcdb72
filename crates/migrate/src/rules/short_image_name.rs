//! PH001: an image's name without a registry.

use phoenix_model::ImageRef;
use phoenix_source::{Edit, Severity};

use crate::finding::{Change, Finding};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct ShortImageName;

static META: Meta = Meta {
    code: "PH001",
    name: "short-image-name",
    what: "An image has no registry in its name.",
    why: "Docker takes every short name to be on Docker Hub. Podman asks which registry is meant, and without a \
          terminal it fails: \"short-name resolution enforced but cannot prompt without a TTY\".",
    fix: "Safe. The name gets the registry that Docker means: `docker.io/library/` for single words, `docker.io/` for \
          the rest. Variables stay; only what is written out is completed.",
    evidence: &[
        "82 % of 1,912 public compose files",
        "https://github.com/containers/podman/issues/11530",
        "https://github.com/containers/podman-compose/issues/331",
    ],
    example: Example::Compose {
        before: "services:\n  db:\n    image: postgres:${PG:-17} # data\n  app:\n    image: \"team/app\"\n",
        after: "services:\n  db:\n    image: docker.io/library/postgres:${PG:-17} # data\n  app:\n    image: \"docker.io/team/app\"\n",
    },
};

impl Rule for ShortImageName {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, service) in &inputs.project.services {
            // What is built here is named here.
            if service.build.is_some() || service.image.is_empty() {
                continue;
            }
            let Some(image) = ImageRef::parse(&service.image).filter(ImageRef::is_short) else { continue };
            let Some(origin) = inputs.project.origin(["services", name, "image"]) else { continue };
            let (span, written) = inputs.inner(origin);
            let finding = Finding::new(META.code, Severity::Error, format!("the image `{}` names no registry", service.image))
                .at(Some(origin))
                .of(name);
            let prefix = if image.path.contains('/') { "docker.io/" } else { "docker.io/library/" };
            let route = format!("services.{name}.image");
            // The part that is written out decides; a variable in front may hold a registry.
            let at = if written.starts_with("${") {
                written.find(":-").map(|n| n + 2).filter(|n| !written[*n..].starts_with(['$', '}']))
            } else if written.starts_with('$') {
                None
            } else {
                Some(0)
            };
            findings.push(match at {
                Some(at) => {
                    let edit = Edit::insert(span.file, span.start as usize + at, prefix);
                    finding.safe(format!("write `{prefix}` in front"), &[&route], vec![Change::Edit(edit)])
                }
                None => finding.help(format!("set the variable to a name with a registry, such as `{}`", image.qualified())),
            });
        }
        findings
    }
}
