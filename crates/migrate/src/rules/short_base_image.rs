//! PH014: an image without a registry in a Dockerfile.

use phoenix_containerfile::{Containerfile, Instruction};
use phoenix_model::ImageRef;
use phoenix_source::{Edit, Severity, Span};

use crate::finding::{Change, Finding};
use crate::inputs::Inputs;
use crate::rule::{Example, Meta, Rule};

pub(crate) struct ShortBaseImage;

static META: Meta = Meta {
    code: "PH014",
    name: "short-base-image",
    what: "FROM, COPY --from or RUN --mount names an image without a registry.",
    why: "As for short names of services: Docker means Docker Hub, Podman asks, and a build has nobody to answer.",
    fix: "Safe. The name gets `docker.io/library/` or `docker.io/`. Names of stages and `scratch` stay; of a variable its \
          default is completed.",
    evidence: &[
        "78 % of 2,594 public Dockerfiles",
        "https://github.com/containers/podman/issues/16629",
        "https://github.com/confluentinc/cp-all-in-one/issues/87",
    ],
    example: Example::Recipe {
        before: "ARG BASE=debian:12\nFROM rust:1 AS build\nRUN --mount=type=bind,from=busybox:1,target=/b cp /b/x /y\nFROM ${BASE}\nCOPY --from=build /y /y\nCOPY --from=team/tool:2 /t /t\nUSER 1\n",
        after: "ARG BASE=docker.io/library/debian:12\nFROM docker.io/library/rust:1 AS build\nRUN --mount=type=bind,from=docker.io/library/busybox:1,target=/b cp /b/x /y\nFROM ${BASE}\nCOPY --from=build /y /y\nCOPY --from=docker.io/team/tool:2 /t /t\nUSER 1\n",
    },
};

impl Rule for ShortBaseImage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn check(&self, inputs: &Inputs<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, recipe) in &inputs.recipes {
            let Ok(parsed) = &recipe.parsed else { continue };
            let contexts = inputs
                .project
                .services
                .get(name)
                .and_then(|s| s.build.as_ref())
                .map(|b| b.additional_contexts.keys().cloned().collect::<Vec<_>>())
                .unwrap_or_default();
            for (image, span) in names(parsed, &contexts) {
                let Some(reference) = ImageRef::parse(&image).filter(ImageRef::is_short) else { continue };
                let prefix = if reference.path.contains('/') { "docker.io/" } else { "docker.io/library/" };
                let finding = Finding::new(META.code, Severity::Error, format!("the image `{image}` names no registry"))
                    .at(Some(span))
                    .of(name);
                let edit = Edit::insert(span.file, span.start as usize, prefix);
                findings.push(finding.safe(format!("write `{prefix}` in front"), &[], vec![Change::Edit(edit)]));
            }
        }
        findings
    }
}

/// Images that a file names, with the span of the name.
fn names(parsed: &Containerfile, contexts: &[String]) -> Vec<(String, Span)> {
    let mut stages: Vec<String> = contexts.to_vec();
    let mut found = Vec::new();
    // ARGs before the first FROM may hold the name of an image.
    let mut defaults: Vec<(String, String, Span)> = Vec::new();
    for instruction in &parsed.instructions {
        if let Some(from) = instruction.from() {
            let variable = from.image.strip_prefix("${").and_then(|v| v.strip_suffix('}')).or_else(|| from.image.strip_prefix('$'));
            match variable {
                Some(variable) => {
                    let name = variable.split([':', '-']).next().unwrap_or(variable);
                    if let Some((_, value, span)) = defaults.iter().find(|(n, ..)| n == name) {
                        found.push((value.clone(), *span));
                    }
                }
                // A variable behind a written name: `debian:${VERSION}`.
                None if !from.image.starts_with('$') && from.image != "scratch" && !stages.contains(&from.image) => {
                    let written = from.image.replace(['$', '{', '}'], "");
                    found.push((written, from.image_span));
                }
                None => {}
            }
            stages.extend(from.name);
            continue;
        }
        match instruction.keyword.as_str() {
            "ARG" if stages.len() == contexts.len() => defaults.extend(argument(instruction)),
            "COPY" | "ADD" => {
                if let Some((image, span)) = instruction.flag("from") {
                    push(image, span, &stages, &mut found);
                }
            }
            "RUN" => {
                for flag in instruction.flags.iter().filter(|f| f.text.starts_with("--mount=")) {
                    if let Some(at) = flag.text.find(",from=").map(|n| n + 6).or_else(|| flag.text.strip_prefix("--mount=from=").map(|_| 13)) {
                        let end = flag.text[at..].find(',').map_or(flag.text.len(), |n| at + n);
                        let start = flag.span.start as usize;
                        push(&flag.text[at..end], Span::new(flag.span.file, start + at, start + end), &stages, &mut found);
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn push(image: &str, span: Span, stages: &[String], found: &mut Vec<(String, Span)>) {
    let stage = stages.iter().any(|s| s == image) || image.bytes().all(|b| b.is_ascii_digit());
    if !stage && !image.starts_with('$') && image != "scratch" {
        found.push((image.to_owned(), span));
    }
}

/// Name, default and its span of `ARG NAME=default`.
fn argument(instruction: &Instruction) -> Option<(String, String, Span)> {
    let word = instruction.words.first()?;
    let (name, value) = word.text.split_once('=')?;
    let start = word.span.start as usize + name.len() + 1;
    let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    let (value, start) = if quoted { (&value[1..value.len() - 1], start + 1) } else { (value, start) };
    Some((name.to_owned(), value.to_owned(), Span::new(word.span.file, start, start + value.len())))
}
