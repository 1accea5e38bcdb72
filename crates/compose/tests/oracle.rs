//! Every case of tests/compose is loaded here and by Docker Compose 2.40; the results must be equal.
//!
//! `PHOENIX_ORACLES` names the directory with `docker-compose` (`lab/oracles.sh` prints it).

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and touches the disk"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use phoenix_compose::{Disk, Options, discover, load};
use phoenix_source::{SourceMap, render};

fn oracle() -> PathBuf {
    let directory = std::env::var("PHOENIX_ORACLES")
        .expect("PHOENIX_ORACLES is not set: run tests with ./dev test, or set it to what lab/oracles.sh prints");
    Path::new(&directory).join("docker-compose")
}

fn environment() -> BTreeMap<String, String> {
    BTreeMap::from([
        ("HOME".into(), "/home/somebody".into()),
        ("PATH".into(), "/usr/bin:/bin".into()),
    ])
}

/// The arguments of a case that choose what is loaded.
#[derive(Default)]
struct Arguments {
    files: Vec<PathBuf>,
    profiles: Vec<String>,
    directory: Option<PathBuf>,
}

fn arguments(words: &[String]) -> Arguments {
    let mut arguments = Arguments::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().cloned().unwrap_or_default();
        match word.as_str() {
            "-f" => arguments.files.push(value.into()),
            "--profile" => arguments.profiles.push(value),
            "--project-directory" => arguments.directory = Some(value.into()),
            other => panic!("the argument {other} is not known to this test"),
        }
    }
    arguments
}

fn ours(directory: &Path, arguments: &Arguments) -> Result<String, String> {
    let mut sources = SourceMap::new();
    let found = discover(
        &Disk,
        &mut sources,
        directory,
        &arguments.files,
        arguments.directory.as_deref(),
        &[],
        &environment(),
    )
    .map_err(|e| render::to_text(&e, &sources, false))?;
    let mut profiles = arguments.profiles.clone();
    if profiles.is_empty()
        && let Some(named) = found.environment.get("COMPOSE_PROFILES")
    {
        profiles = named.split(',').map(str::to_owned).collect();
    }
    let options = Options {
        files: found.files,
        directory: found.directory,
        environment: found.environment,
        profiles,
        ..Options::default()
    };
    match load(&Disk, &options) {
        Ok(mut loaded) => {
            loaded.project.drop_unused();
            Ok(phoenix_compose::to_json(&loaded.project))
        }
        Err(failure) => Err(failure
            .errors
            .iter()
            .map(|e| render::to_text(e, &failure.sources, false))
            .collect::<Vec<_>>()
            .join("\n")),
    }
}

fn theirs(directory: &Path, words: &[String]) -> Result<String, String> {
    let output = Command::new(oracle())
        .args(words)
        .args(["config", "--format", "json"])
        .current_dir(directory)
        .env_clear()
        .envs(environment())
        .env("PWD", directory)
        .output()
        .expect("the oracle does not run");
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// What docs/differences.md names.
fn normalise(text: &str) -> serde_json::Value {
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    if let Some(services) = value.get_mut("services").and_then(|s| s.as_object_mut()) {
        for service in services.values_mut() {
            // The order of a map in Go: not stable in the oracle itself.
            if let Some(hosts) = service
                .get_mut("extra_hosts")
                .and_then(|h| h.as_array_mut())
            {
                hosts.sort_by_key(ToString::to_string);
            }
            // Compose prints `Path`, `Rate` and `Weight` here, which it does not read back; ours are the keys.
            if let Some(blkio) = service
                .get_mut("blkio_config")
                .and_then(|b| b.as_object_mut())
            {
                for entry in blkio
                    .values_mut()
                    .filter_map(|v| v.as_array_mut())
                    .flatten()
                {
                    let map = std::mem::take(entry.as_object_mut().unwrap());
                    *entry = map
                        .into_iter()
                        .map(|(k, v)| (k.to_lowercase(), v))
                        .collect();
                }
            }
            // Whether the process has PWD in its environment is not the project's matter.
            if let Some(environment) = service
                .get_mut("environment")
                .and_then(|e| e.as_object_mut())
            {
                environment.remove("PWD");
            }
        }
    }
    value
}

fn differences(
    ours: &serde_json::Value,
    theirs: &serde_json::Value,
    route: &str,
    out: &mut Vec<String>,
) {
    use serde_json::Value::{Array, Object};
    match (ours, theirs) {
        (Object(a), Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
                let null = serde_json::Value::Null;
                let route = format!("{route}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(x), Some(y)) => differences(x, y, &route, out),
                    (x, y) => out.push(format!(
                        "{route}: ours {} theirs {}",
                        x.map_or("absent".into(), |v| v.to_string()),
                        y.unwrap_or(&null)
                    )),
                }
            }
        }
        (Array(a), Array(b)) if a.len() == b.len() => {
            for (n, (x, y)) in a.iter().zip(b).enumerate() {
                differences(x, y, &format!("{route}[{n}]"), out);
            }
        }
        (a, b) if a == b => {}
        (a, b) => out.push(format!("{route}: ours {a} theirs {b}")),
    }
}

#[test]
fn the_corpus_loads_as_in_docker_compose() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/compose")
        .canonicalize()
        .unwrap();
    let stack = corpus.join("../../stack/docker").canonicalize();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&corpus)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .chain(stack.ok())
        .collect();
    cases.sort();
    let only = std::env::var("PHOENIX_CASE").ok();
    let mut problems = Vec::new();
    let mut compared = 0;
    for case in &cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|o| o != &name) {
            continue;
        }
        let words: Vec<String> = std::fs::read_to_string(case.join("args"))
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let expected = theirs(case, &words);
        let actual = ours(case, &arguments(&words));
        let refused = case.join("refused").exists();
        if expected.is_err() != refused {
            problems.push(format!(
                "{name}: the oracle itself says otherwise: {expected:?}"
            ));
            continue;
        }
        match (actual, expected) {
            (Ok(actual), Ok(expected)) => {
                let mut found = Vec::new();
                differences(&normalise(&actual), &normalise(&expected), "", &mut found);
                if !found.is_empty() {
                    problems.push(format!("{name}:\n  {}", found.join("\n  ")));
                }
            }
            (Err(message), Err(_)) => {
                assert!(message.starts_with("error: "), "{name}: {message}");
            }
            (Ok(_), Err(expected)) => {
                problems.push(format!("{name}: loaded, and Compose says {expected}"))
            }
            (Err(message), Ok(_)) => problems.push(format!("{name}: refused: {message}")),
        }
        compared += 1;
    }
    assert!(
        problems.is_empty(),
        "{} of {compared} cases differ\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert!(
        only.is_some() || compared >= 48,
        "only {compared} cases were compared"
    );
}
