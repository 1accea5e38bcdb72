//! PH013: an instruction that is none.

use phoenix_source::{Edit, Severity};

use crate::finding::{Change, Finding};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct MalformedInstruction;

static META: Meta = Meta {
    code: "PH013",
    name: "malformed-instruction",
    what: "A Dockerfile has an instruction that does not exist, or cannot be read at all.",
    why: "Neither Docker nor Podman builds it; such files survive because an image from before the mistake still runs. \
          The move needs a build, and the old image does not come along.",
    fix: "Safe where one instruction is close enough to be meant (`kFROM` → `FROM`): the file does not build otherwise.",
    evidence: &["Phoenix Hydra's own rubik-agent", "https://docs.docker.com/reference/dockerfile/#format"],
    example: Example::Recipe {
        before: "kFROM docker.io/library/alpine:3\n# tables\nCOPPY a /a\nUSER 1\n",
        after: "FROM docker.io/library/alpine:3\n# tables\nCOPY a /a\nUSER 1\n",
    },
};

impl Rule for MalformedInstruction {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, recipe) in &inputs.recipes {
            let parsed = match &recipe.parsed {
                Ok(parsed) => parsed,
                Err(diagnostic) => {
                    let help = diagnostic.help.clone().unwrap_or_else(|| "mend it, or name another in `build.dockerfile`".into());
                    findings.push(
                        Finding::new(META.code, Severity::Error, diagnostic.message.clone())
                            .at(diagnostic.span.or_else(|| inputs.origin(&["services", name, "build"])))
                            .of(name)
                            .help(help),
                    );
                    continue;
                }
            };
            for instruction in parsed.malformed() {
                let finding = Finding::new(META.code, Severity::Error, format!("`{}` is not an instruction", instruction.keyword))
                    .at(Some(instruction.keyword_span))
                    .of(name);
                findings.push(match instruction.suggestion() {
                    Some(meant) => {
                        let edit = Edit::replace(instruction.keyword_span, meant);
                        finding.safe(format!("write `{meant}`"), &[], vec![Change::Edit(edit)])
                    }
                    None => finding.help("remove the line, or mend it"),
                });
            }
        }
        findings
    }
}
