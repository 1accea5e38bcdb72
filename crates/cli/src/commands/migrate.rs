//! `phoenix migrate`: report, diff, apply.

use std::path::{Path, PathBuf};

use phoenix_compose::{Disk, Files, Loaded, Options};
use phoenix_migrate::{ApplyError, Facts, Finding, Inputs, Transaction};
use phoenix_source::SourceMap;
use serde_json::json;

use crate::args::{Format, Global, Migrate};
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;

pub(crate) fn run(global: &Global, args: &Migrate, printer: &Printer) -> Result<Outcome, Failure> {
    let root = args.path.canonicalize().map_err(|e| {
        Failure::usage(
            format!("{} cannot be opened: {e}", args.path.display()),
            "name a project's directory",
        )
    })?;
    if !root.is_dir() {
        return Err(Failure::usage(
            format!("{} is not a directory", root.display()),
            "name the directory that holds the compose file",
        ));
    }
    let transaction = Transaction::of(&root);
    if transaction.is_applied().map_err(explain)? {
        return Err(explain(ApplyError::AlreadyMigrated));
    }
    if transaction.is_interrupted().map_err(explain)? {
        if !args.apply {
            return Err(Failure::Failed {
                message: "a migration was interrupted here, so the files are half old, half new"
                    .into(),
                help: Some(
                    "`phoenix migrate --apply` does it anew, `phoenix rollback` undoes it".into(),
                ),
            });
        }
        transaction.recover().map_err(explain)?;
    }
    let loaded = load(global, &root)?;
    let list = |directory: &Path| -> Vec<(PathBuf, bool)> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .map(|e| (e.path(), e.file_type().is_ok_and(|t| t.is_dir())))
            .collect()
    };
    let inputs = phoenix_migrate::read(&loaded, &Disk, &list, facts());
    let findings = phoenix_migrate::examine(&inputs);
    let converted =
        phoenix_migrate::convert(&inputs, &findings, args.r#unsafe, &Disk).map_err(|message| {
            Failure::Failed {
                message,
                help: Some("nothing was written".into()),
            }
        })?;

    match args.format {
        Format::Json => {
            let list: Vec<_> = findings
                .iter()
                .zip(&converted.applied)
                .map(|(finding, mended)| {
                    let mut value = finding.to_diagnostic().to_json(&inputs.sources);
                    if let Some(map) = value.as_object_mut() {
                        map.insert("service".into(), json!(finding.service));
                        map.insert(
                            "fix".into(),
                            json!(finding.fix.as_ref().map(
                                |f| json!({ "title": f.title, "applicability": f.applicability })
                            )),
                        );
                        map.insert("mended".into(), json!(mended));
                    }
                    value
                })
                .collect();
            let files: Vec<_> = converted
                .files
                .iter()
                .map(|f| f.path.display().to_string())
                .collect();
            printer.json(&json!({ "project": loaded.project.name, "findings": list, "files": files, "applied": args.apply }));
        }
        Format::Text if args.diff => printer.result(&phoenix_migrate::diff(&inputs, &converted)),
        Format::Text if !args.apply => report(&inputs, &findings, printer),
        Format::Text => {}
    }
    for (n, why) in &converted.refused {
        printer.warn(&format!("{} was not mended: {why}", findings[*n].message));
    }
    if !args.apply {
        if args.format == Format::Text && !args.diff {
            printer.result(&format!(
                "{}\n`--diff` shows the changes, `--apply` makes them",
                phoenix_migrate::summary(&findings, &converted, "can be mended")
            ));
        }
        return Ok(if findings.is_empty() {
            Outcome::Done
        } else {
            Outcome::Found
        });
    }
    transaction.apply(&converted.files).map_err(explain)?;
    if args.format == Format::Text {
        for file in &converted.files {
            printer.say(&format!(
                "{} {}",
                printer.paint("✔", "32"),
                file.path.display()
            ));
        }
        printer.result(&format!(
            "{}\nread infra/podman/MIGRATION.md; then `phoenix up -d --wait`; `phoenix rollback` takes it back",
            phoenix_migrate::summary(&findings, &converted, "mended")
        ));
    }
    Ok(Outcome::Done)
}

/// The project as it was written, with every profile, whatever an earlier migration left.
fn load(global: &Global, root: &Path) -> Result<Loaded, Failure> {
    let environment: phoenix_compose::Environment = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
        .collect();
    let mut sources = SourceMap::new();
    let found = phoenix_compose::discover(
        &Disk,
        &mut sources,
        root,
        &global.files,
        global.project_directory.as_deref(),
        &global.env_files,
        &environment,
    )
    .map_err(|error| Failure::Diagnosed {
        list: vec![*error],
        sources: Box::new(sources),
    })?;
    if found.files.iter().any(|f| f.parent() != Some(root))
        || found.files.is_empty()
        || !Disk.exists(&found.files[0])
    {
        let there = found
            .files
            .first()
            .map(|f| format!("; the nearest is {}", f.display()))
            .unwrap_or_default();
        return Err(Failure::Failed {
            message: format!("no compose file in {}{there}", root.display()),
            help: Some("name the directory that holds it: `phoenix migrate PATH`".into()),
        });
    }
    let options = Options {
        files: found.files,
        directory: root.to_owned(),
        environment: found.environment,
        name: global.project_name.clone(),
        profiles: vec!["*".into()],
        stdin: None,
        skip_env_files: false,
    };
    Ok(phoenix_compose::load(&Disk, &options)?)
}

fn report(inputs: &Inputs<'_>, findings: &[Finding], printer: &Printer) {
    let mut out = String::new();
    for finding in findings {
        out.push_str(&phoenix_source::render::to_text(
            &finding.to_diagnostic(),
            &inputs.sources,
            printer.result_has_colour(),
        ));
        out.push_str("\n\n");
    }
    if !out.is_empty() {
        printer.result(out.trim_end());
        printer.result("");
    }
}

fn facts() -> Facts {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let user = std::env::var("USER").unwrap_or_default();
    let routes = read("/proc/net/route")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.split_whitespace().skip(1);
            let address = u32::from_str_radix(columns.next()?, 16).ok()?.swap_bytes();
            let mask = u32::from_str_radix(columns.nth(5)?, 16).ok()?.swap_bytes();
            Some((address, mask.count_ones()))
        })
        .collect();
    Facts {
        unprivileged_port_start: read("/proc/sys/net/ipv4/ip_unprivileged_port_start")
            .trim()
            .parse()
            .unwrap_or(1024),
        lingering: user.is_empty() || Path::new("/var/lib/systemd/linger").join(user).exists(),
        routes,
    }
}

pub(crate) fn explain(error: ApplyError) -> Failure {
    let help = match &error {
        ApplyError::AlreadyMigrated => {
            "`phoenix up` uses infra/podman/podman-compose.yaml; `phoenix rollback` takes the migration back"
        }
        ApplyError::NothingToRollBack => "`phoenix migrate --apply` makes one",
        ApplyError::Changed(_) => {
            "`phoenix rollback --force` puts the originals back and keeps these as `NAME.migrated`"
        }
        ApplyError::Io(_) => "nothing is half-written: the tree is as it was",
    };
    Failure::Failed {
        message: error.to_string(),
        help: Some(help.into()),
    }
}
