//! PH011: `version:`.

use phoenix_source::Severity;

use crate::finding::{Change, Finding};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct ObsoleteVersion;

static META: Meta = Meta {
    code: "PH011",
    name: "obsolete-version",
    what: "The compose file has a `version`.",
    why: "The Compose Specification has no versions; Docker Compose warns of the key and ignores it. Tools that still \
          read it take old files to mean old things.",
    fix: "Safe. The line is removed.",
    evidence: &[
        "30 % of the projects of 209 product repositories",
        "https://docs.docker.com/reference/compose-file/version-and-name/",
    ],
    example: Example::Compose {
        before: "# the shop\nversion: \"3.8\" # as always\nservices:\n  web:\n    image: x\n",
        after: "# the shop\nservices:\n  web:\n    image: x\n",
    },
};

impl Rule for ObsoleteVersion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        // The loader drops the key: the files themselves are asked.
        let mut findings = Vec::new();
        for path in &inputs.project.compose_files {
            let Some((file, source)) = inputs.sources.iter().find(|(_, f)| f.path() == path) else { continue };
            let Ok(trees) = phoenix_compose::yaml::parse(source.text(), file) else { continue };
            let key = trees.iter().find_map(|t| t.as_map()?.get("version")).map(|e| e.key);
            if let Some(key) = key {
                findings.push(
                    Finding::new(META.code, Severity::Note, "the key `version` is obsolete").at(Some(key)).safe(
                        "remove it",
                        &[],
                        vec![Change::Remove { route: vec!["version".into()] }],
                    ),
                );
            }
        }
        findings
    }
}
