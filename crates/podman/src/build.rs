//! Building images, with `podman build`.

use std::process::Stdio;

use phoenix_model::Build;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::client::Podman;
use crate::error::{Error, Result};

/// Lines of the output that an error shows.
const TAIL: usize = 20;

impl Podman {
    /// Builds an image; `progress` gets each line of the output.
    pub async fn build_image(
        &self,
        image: &str,
        build: &Build,
        progress: &mut dyn FnMut(&str),
    ) -> Result<()> {
        let arguments = arguments(image, build);
        let mut child = Command::new("podman")
            .args(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| Error::Absent(format!("`podman build` cannot be started: {e}")))?;
        if let Some(mut stdin) = child.stdin.take() {
            let text = build.dockerfile_inline.clone();
            tokio::spawn(async move {
                let _ = stdin.write_all(text.as_bytes()).await;
            });
        }
        let mut last = std::collections::VecDeque::new();
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Error::Failed(
                "the output of `podman build` cannot be read".into(),
            ));
        };
        let mut out = BufReader::new(stdout).lines();
        let mut err = BufReader::new(stderr).lines();
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            let line = tokio::select! {
                line = out.next_line(), if out_open => { if !matches!(line, Ok(Some(_))) { out_open = false; } line }
                line = err.next_line(), if err_open => { if !matches!(line, Ok(Some(_))) { err_open = false; } line }
            };
            if let Ok(Some(line)) = line {
                progress(&line);
                last.push_back(line);
                if last.len() > TAIL {
                    last.pop_front();
                }
            }
        }
        let status = child
            .wait()
            .await
            .map_err(|e| Error::Failed(e.to_string()))?;
        if status.success() {
            return Ok(());
        }
        let tail: Vec<String> = last.into();
        Err(Error::Failed(format!(
            "`{image}` cannot be built:\n  {}",
            tail.join("\n  ")
        )))
    }
}

/// The command line behind `podman`.
fn arguments(image: &str, build: &Build) -> Vec<String> {
    let Build {
        context,
        dockerfile,
        dockerfile_inline,
        args,
        target,
        tags,
        labels,
        cache_from,
        cache_to,
        no_cache,
        pull,
        network,
        shm_size,
        extra_hosts,
        platforms,
        additional_contexts,
        secrets,
        ssh,
        ulimits,
        docker_format,
    } = build;
    let mut out: Vec<String> = vec!["build".into()];
    let mut flag = |name: &str, value: &str| out.push(format!("--{name}={value}"));
    if *docker_format {
        flag("format", "docker");
    }
    for tag in std::iter::once(&image.to_owned()).chain(tags.iter().filter(|t| *t != image)) {
        flag("tag", tag);
    }
    if dockerfile_inline.is_empty() {
        let absolute = dockerfile.starts_with('/') || context.contains("://");
        let path = if absolute {
            dockerfile.clone()
        } else {
            format!("{}/{dockerfile}", context.trim_end_matches('/'))
        };
        flag("file", &path);
    } else {
        flag("file", "-");
    }
    for (key, value) in args {
        match value {
            Some(value) => flag("build-arg", &format!("{key}={value}")),
            None => flag("build-arg", key),
        }
    }
    for (key, value) in labels {
        flag("label", &format!("{key}={value}"));
    }
    for (key, value) in additional_contexts {
        flag("build-context", &format!("{key}={value}"));
    }
    for (id, path) in secrets {
        flag("secret", &format!("id={id},src={path}"));
    }
    for key in ssh {
        flag("ssh", key);
    }
    for limit in ulimits {
        flag("ulimit", limit);
    }
    for host in extra_hosts {
        flag("add-host", host);
    }
    for platform in platforms {
        flag("platform", platform);
    }
    // Podman's caches are repositories; BuildKit's other kinds have no equivalent.
    for (name, caches) in [("cache-from", cache_from), ("cache-to", cache_to)] {
        for cache in caches {
            let reference = cache.strip_prefix("type=registry,ref=").unwrap_or(cache);
            if !reference.contains("type=") {
                flag(name, reference);
            }
        }
    }
    if !target.is_empty() {
        flag("target", target);
    }
    if *no_cache {
        flag("no-cache", "true");
    } else {
        flag("layers", "true");
    }
    flag("pull", if *pull { "always" } else { "missing" });
    if !network.is_empty() {
        flag("network", network);
    }
    if *shm_size > 0 {
        flag("shm-size", &format!("{shm_size}b"));
    }
    out.push(context.clone());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line() {
        let build = Build {
            context: "/src".into(),
            dockerfile: "docker/Dockerfile".into(),
            args: [
                ("A".to_owned(), Some("1".to_owned())),
                ("B".to_owned(), None),
            ]
            .into(),
            target: "prod".into(),
            tags: vec!["localhost/x:1".into()],
            cache_from: vec!["type=local,src=x".into(), "quay.io/x/cache".into()],
            docker_format: true,
            ..Build::default()
        };
        assert_eq!(
            arguments("localhost/p-x:latest", &build).join(" "),
            "build --format=docker --tag=localhost/p-x:latest --tag=localhost/x:1 --file=/src/docker/Dockerfile \
             --build-arg=A=1 --build-arg=B --cache-from=quay.io/x/cache --target=prod --layers=true --pull=missing /src"
        );
    }
}
