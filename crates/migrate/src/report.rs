//! What happened and what is left, for people.

use phoenix_model::ImageRef;
use phoenix_source::{Severity, SourceMap};
use serde_json::Value;
use similar::TextDiff;

use crate::convert::{Content, Converted, OutFile};
use crate::finding::{Change, Finding};
use crate::inputs::Inputs;
use crate::{COMPOSE, rule};

/// Counts for the last line of a report; `mended` says what became of those with a fix.
pub fn summary(findings: &[Finding], converted: &Converted, mended: &str) -> String {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let fixed = converted.applied.iter().filter(|a| **a).count();
    let parts = [
        plural(errors, "error"),
        plural(warnings, "warning"),
        plural(count(Severity::Note), "note"),
        format!("{fixed} of {} {mended}", findings.len()),
    ];
    parts.join(", ")
}

/// The changes as a unified diff, against what each file was made from.
pub fn diff(inputs: &Inputs<'_>, converted: &Converted) -> String {
    let mut out = String::new();
    for file in &converted.files {
        let new_name = file.path.display().to_string();
        match &file.content {
            Content::Link(target) => out.push_str(&format!("+++ {new_name} -> {target}\n")),
            Content::Text(text) => {
                let (old_name, old) = original(inputs, file);
                let diff = TextDiff::from_lines(old.as_str(), text.as_str());
                out.push_str(
                    &diff
                        .unified_diff()
                        .context_radius(3)
                        .header(&old_name, &new_name)
                        .to_string(),
                );
            }
        }
    }
    out
}

/// What a written file was made from.
fn original(inputs: &Inputs<'_>, file: &OutFile) -> (String, String) {
    let sources = &inputs.sources;
    let name = file.path.to_string_lossy();
    let from = if name.starts_with("infra/podman/podman-compose") {
        let n = match name.strip_prefix("infra/podman/podman-compose.override") {
            None => 0,
            Some(rest) => rest.trim_end_matches(".yaml").parse().unwrap_or(1),
        };
        inputs.project.compose_files.get(n).cloned()
    } else if name.ends_with("/Containerfile") {
        let service = file
            .path
            .parent()
            .and_then(|p| p.file_name())
            .map(|s| s.to_string_lossy().into_owned());
        service
            .and_then(|s| inputs.recipes.get(&s))
            .map(|r| r.path.clone())
    } else {
        Some(inputs.root.join(&file.path))
    };
    let found = from.and_then(|path| {
        sources
            .iter()
            .find(|(_, f)| f.path() == path)
            .map(|(_, f)| f.clone())
    });
    match found {
        Some(source) => {
            let shown = source
                .path()
                .strip_prefix(&inputs.root)
                .unwrap_or(source.path());
            (shown.display().to_string(), source.text().to_string())
        }
        None => ("/dev/null".into(), String::new()),
    }
}

/// The owner and mode that volumes need, from the fixes that were applied: (device, owner, mode).
fn volumes(findings: &[Finding], applied: &[bool]) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (finding, _) in findings
        .iter()
        .zip(applied)
        .filter(|(_, applied)| **applied)
    {
        for change in finding.fix.iter().flat_map(|f| &f.changes) {
            let Change::Put { key, value, .. } = change else {
                continue;
            };
            if key == "x-phoenix" {
                let text = |k: &str| {
                    value
                        .get(k)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                found.push((text("directory"), text("owner"), text("mode")));
            }
        }
    }
    found
}

/// A script that makes the volumes' directories, for tools that do not do it themselves.
pub(crate) fn volume_script(
    _: &Inputs<'_>,
    findings: &[Finding],
    applied: &[bool],
) -> Option<String> {
    let volumes = volumes(findings, applied);
    if volumes.is_empty() {
        return None;
    }
    let mut out = String::from(
        "#!/bin/sh\n# Makes the directories of the volumes with the owners their images need.\n\
         # `phoenix up` does this by itself; run it once before `podman-compose up`.\nset -eu\n\n\
         volume() { # DIRECTORY OWNER MODE\n\
         \x20   mkdir -p \"$1\"\n\
         \x20   # 0:0 inside is the user outside; other ids are of its range.\n\
         \x20   podman unshare sh -c 'chown \"$2\" \"$1\" && chmod \"$3\" \"$1\"' sh \"$1\" \"$2\" \"$3\"\n}\n\n",
    );
    for (directory, owner, mode) in volumes {
        let owner = if owner.is_empty() { "0:0" } else { &owner };
        out.push_str(&format!("volume \"{directory}\" {owner} {mode}\n"));
    }
    Some(out)
}

fn place(sources: &SourceMap, inputs: &Inputs<'_>, finding: &Finding) -> String {
    let Some(span) = finding.span else {
        return String::new();
    };
    let file = sources.file(span.file);
    let path = file
        .path()
        .strip_prefix(&inputs.root)
        .unwrap_or(file.path());
    format!(
        "{}:{}",
        path.display(),
        file.position(span.start as usize).line
    )
}

/// `MIGRATION.md`.
pub(crate) fn migration(
    inputs: &Inputs<'_>,
    findings: &[Finding],
    applied: &[bool],
    refused: &[(usize, String)],
) -> String {
    let sources = &inputs.sources;
    let mut out = format!(
        "# {} on rootless Podman\n\nWritten by `phoenix migrate --apply`; `phoenix rollback` takes all of it back.\n\n\
         - start: `phoenix up -d --wait` in the project's root, or `podman-compose up -d` in `infra/podman`\n\
         - the compose file is [`{COMPOSE}`](podman-compose.yaml); the original stays as it was\n",
        inputs.project.name
    );
    if !volumes(findings, applied).is_empty() {
        out.push_str("- before `podman-compose`, once: `infra/podman/setup-volumes.sh` makes the volumes' directories\n");
    }

    out.push_str("\n## Who runs as whom\n\nRoot inside a rootless container is the user outside, and no more than that.\n\n");
    out.push_str("| service | image | user inside | why |\n| --- | --- | --- | --- |\n");
    for (name, service) in &inputs.project.services {
        let (user, why) = user_of(inputs, name, findings, applied);
        let image = match (&service.build, service.image.as_str()) {
            (Some(_), "") => "built here".to_owned(),
            (Some(_), image) => format!("`{image}`, built here"),
            (None, image) => format!("`{image}`"),
        };
        out.push_str(&format!("| {name} | {image} | {user} | {why} |\n"));
    }

    out.push_str("\n## What was changed\n\n");
    let mut any = false;
    for (finding, _) in findings
        .iter()
        .zip(applied)
        .filter(|(_, applied)| **applied)
    {
        any = true;
        let title = finding
            .fix
            .as_ref()
            .map(|f| f.title.as_str())
            .unwrap_or_default();
        out.push_str(&format!(
            "- **{}** {} — {}: {title}\n",
            finding.code,
            place(sources, inputs, finding),
            finding.message
        ));
    }
    if !any {
        out.push_str("Nothing had to be.\n");
    }

    out.push_str("\n## What a person decides\n\n");
    let mut any = false;
    for (n, (finding, _)) in findings
        .iter()
        .zip(applied)
        .enumerate()
        .filter(|(_, (_, applied))| !**applied)
    {
        any = true;
        let next = match (&finding.fix, refused.iter().find(|(r, _)| *r == n)) {
            (_, Some((_, why))) => format!("not changed: {why}"),
            (Some(fix), None) => format!("`phoenix migrate --apply --unsafe` would {}", fix.title),
            (None, None) => finding.help.clone().unwrap_or_default(),
        };
        out.push_str(&format!(
            "- **{}** {} — {}. {next}\n",
            finding.code,
            place(sources, inputs, finding),
            finding.message
        ));
    }
    if !any {
        out.push_str("Nothing is open.\n");
    }

    out.push_str("\n## Why\n\n");
    let mut codes: Vec<&str> = findings.iter().map(|f| f.code).collect();
    codes.dedup();
    codes.sort_unstable();
    codes.dedup();
    for code in codes {
        if let Some(rule) = rule::find(code) {
            let meta = rule.meta();
            out.push_str(&format!(
                "- **{}** {}: {} (`phoenix explain {}`)\n",
                meta.code, meta.name, meta.what, meta.code
            ));
        }
    }
    out
}

/// The user that a service runs as after the migration, and why.
fn user_of(
    inputs: &Inputs<'_>,
    name: &str,
    findings: &[Finding],
    applied: &[bool],
) -> (String, String) {
    let service = &inputs.project.services[name];
    if !service.user.is_empty() {
        return (format!("`{}`", service.user), "as before".into());
    }
    for (finding, _) in findings
        .iter()
        .zip(applied)
        .filter(|(f, applied)| **applied && f.service.as_deref() == Some(name))
    {
        for change in finding.fix.iter().flat_map(|f| &f.changes) {
            match change {
                Change::Put { key, value, .. } if key == "user" => {
                    return (
                        format!("`{}`", value.as_str().unwrap_or_default()),
                        "the image's own user".into(),
                    );
                }
                Change::Edit(edit) if edit.text.contains("USER ") => {
                    let user = edit
                        .text
                        .lines()
                        .find_map(|l| l.strip_prefix("USER "))
                        .unwrap_or_default();
                    return (format!("`{user}`"), "set in the Containerfile".into());
                }
                _ => {}
            }
        }
    }
    if let Some(user) = inputs
        .recipe(name)
        .and_then(|r| r.final_stage())
        .and_then(|s| s.last("USER").map(|u| u.arguments.clone()))
    {
        return (format!("`{user}`"), "set in its Dockerfile".into());
    }
    let family = ImageRef::parse(&service.image)
        .map(|i| i.family().to_owned())
        .unwrap_or_default();
    (
        "the image's (root, if it sets none)".into(),
        format!("nothing is known of `{family}`: it may need root to start"),
    )
}
