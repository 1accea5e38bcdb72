//! PH007: a health check that only the image has.

use phoenix_source::Severity;
use serde_json::{Map, Value, json};

use crate::finding::{Finding, put};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct LostHealthcheck;

static META: Meta = Meta {
    code: "PH007",
    name: "lost-healthcheck",
    what: "A Dockerfile has a HEALTHCHECK, and the compose file does not repeat it.",
    why: "Podman builds images in the OCI format, which has no health checks: \"HEALTHCHECK is not supported for OCI \
          image format and will be ignored\". The service then has no health, and who waits for it waits for ever.",
    fix: "Safe. The check of the stage that is built is written into the service; the Containerfile keeps its own.",
    evidence: &[
        "9 % of 472 Dockerfiles that compose files build",
        "https://github.com/containers/podman/issues/18904",
        "https://github.com/containers/buildah/issues/2388",
    ],
    example: Example::Built {
        recipe: "FROM docker.io/library/debian:12\nHEALTHCHECK --interval=5s CMD curl -f http://localhost:$PORT/ || exit 1\n",
        before: "services:\n  app:\n    build: .\n",
        after: "services:\n  app:\n    build: .\n    healthcheck:\n      test: [CMD-SHELL, \"curl -f http://localhost:$$PORT/ || exit 1\"]\n      interval: \"5s\"\n",
    },
};

impl Rule for LostHealthcheck {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, service) in &inputs.project.services {
            if service.healthcheck.is_some() {
                continue;
            }
            let Some(stage) = inputs.recipe(name).and_then(|r| r.final_stage()) else { continue };
            let Some(check) = stage.last("HEALTHCHECK") else { continue };
            let Some((kind, command)) = check.arguments.split_once(char::is_whitespace) else { continue };
            if !kind.eq_ignore_ascii_case("CMD") {
                continue;
            }
            let mut value = Map::new();
            // A dollar sign was the container's; in a compose file it is Compose's.
            let text = |s: &str| s.replace('$', "$$");
            let test = match phoenix_containerfile::exec_form(command) {
                Some(words) => std::iter::once("CMD".to_owned()).chain(words.iter().map(|w| text(w))).collect::<Vec<_>>(),
                None => {
                    let line = command.split_whitespace().collect::<Vec<_>>().join(" ");
                    vec!["CMD-SHELL".into(), text(&line)]
                }
            };
            value.insert("test".into(), json!(test));
            for (flag, key) in [
                ("interval", "interval"),
                ("timeout", "timeout"),
                ("start-period", "start_period"),
                ("start-interval", "start_interval"),
            ] {
                if let Some((v, _)) = check.flag(flag) {
                    value.insert(key.into(), json!(v));
                }
            }
            if let Some(retries) = check.flag("retries").and_then(|(v, _)| v.parse::<u64>().ok()) {
                value.insert("retries".into(), json!(retries));
            }
            findings.push(
                Finding::new(META.code, Severity::Warning, format!("the health check of `{name}` is only in its image"))
                    .at(Some(check.span))
                    .of(name)
                    .safe(
                        "write it into the service",
                        &[&format!("services.{name}.healthcheck")],
                        vec![put(&["services", name], "healthcheck", Value::Object(value))],
                    ),
            );
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Facts;
    use phoenix_compose::{MemoryFiles, Options};

    fn value(recipe: &str) -> Option<Value> {
        let files = MemoryFiles::default()
            .with("/p/compose.yaml", "services: {app: {build: .}}\n")
            .with("/p/Dockerfile", recipe);
        let options = Options { files: vec!["/p/compose.yaml".into()], directory: "/p".into(), ..Options::default() };
        let loaded = phoenix_compose::load(&files, &options).unwrap();
        let inputs = crate::read(&loaded, &files, &|_| Vec::new(), Facts::default());
        LostHealthcheck.check(&inputs).pop().map(|f| match f.fix.unwrap().changes.remove(0) {
            crate::Change::Put { value, .. } => value,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn forms_of_healthcheck() {
        assert_eq!(
            value("FROM x\nHEALTHCHECK --interval=5s --retries=2 CMD [\"/a\", \"$X\"]\n"),
            Some(json!({ "test": ["CMD", "/a", "$$X"], "interval": "5s", "retries": 2 }))
        );
        assert_eq!(
            value("FROM x\nHEALTHCHECK --start-period=1m \\\n  CMD curl -f http://localhost:$PORT/ \\\n   || exit 1\n"),
            Some(json!({ "test": ["CMD-SHELL", "curl -f http://localhost:$$PORT/ || exit 1"], "start_period": "1m" }))
        );
        assert_eq!(value("FROM x\nHEALTHCHECK NONE\n"), None);
        assert_eq!(value("FROM x AS a\nHEALTHCHECK CMD x\nFROM y\n"), None);
    }
}
