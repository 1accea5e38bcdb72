//! Volumes, binds, tmpfs, secrets and configs of a service.

use phoenix_compose::{FileMount, Service};

use crate::desired::{Mount, SecretMount};
use crate::image::ImageRef;
use crate::lower::Context;

pub(crate) fn lower(context: &mut Context<'_>, name: &str, service: &Service) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for (n, volume) in service.volumes.iter().enumerate() {
        let phoenix_compose::Mount {
            r#type,
            source,
            target,
            read_only,
            consistency: _,
            bind,
            volume,
            tmpfs,
            image,
        } = volume;
        let mut options: Vec<String> = Vec::new();
        if *read_only {
            options.push("ro".into());
        }
        let bind = bind.clone().unwrap_or_default();
        if !bind.selinux.is_empty() {
            options.push(bind.selinux.clone());
        }
        let target = target.clone();
        match r#type.as_str() {
            "bind" => {
                options.push(
                    if bind.recursive == "disabled" {
                        "bind"
                    } else {
                        "rbind"
                    }
                    .into(),
                );
                if !bind.propagation.is_empty() {
                    options.push(bind.propagation.clone());
                }
                let source = socket(context, source);
                mounts.push(Mount::Bind {
                    source,
                    target,
                    options,
                    create: bind.create_host_path,
                });
            }
            "volume" => {
                let detail = volume.clone().unwrap_or_default();
                if detail.nocopy {
                    options.push("nocopy".into());
                }
                let full = context
                    .project
                    .volumes
                    .get(source)
                    .map_or(source, |v| &v.name);
                mounts.push(Mount::Volume {
                    name: full.clone(),
                    target,
                    options,
                    subpath: detail.subpath,
                });
            }
            "tmpfs" => {
                let detail = tmpfs.clone().unwrap_or_default();
                if detail.size.0 > 0 {
                    options.push(format!("size={}", detail.size.0));
                }
                if detail.mode > 0 {
                    options.push(format!("mode={:o}", detail.mode));
                }
                mounts.push(Mount::Tmpfs { target, options });
            }
            "image" => {
                let image_name =
                    ImageRef::parse(source).map_or_else(|| source.clone(), |i| i.qualified());
                let subpath = image.clone().unwrap_or_default().subpath;
                mounts.push(Mount::Image {
                    image: image_name,
                    target,
                    subpath,
                });
            }
            other => context.warn(
                &["services", name, "volumes", &n.to_string()],
                format!("`{name}` does not get `{target}`: Podman has no mounts of type `{other}`"),
                "use `bind` or `volume`",
            ),
        }
    }
    for text in &service.tmpfs {
        let (target, options) = text.split_once(':').unwrap_or((text, ""));
        let options = options
            .split(',')
            .filter(|o| !o.is_empty())
            .map(str::to_owned)
            .collect();
        mounts.push(Mount::Tmpfs {
            target: target.into(),
            options,
        });
    }
    mounts
}

/// Docker's socket is Podman's here.
fn socket(context: &Context<'_>, source: &str) -> String {
    if context.host.rootless && matches!(source, "/var/run/docker.sock" | "/run/docker.sock") {
        return context.host.socket.clone();
    }
    source.into()
}

/// Secrets and configs: as Podman secrets where they fit into one, else as files.
pub(crate) fn files(
    context: &mut Context<'_>,
    name: &str,
    service: &Service,
) -> (Vec<SecretMount>, Vec<Mount>) {
    let (mut secrets, mut mounts) = (Vec::new(), Vec::new());
    let project = context.project;
    let all = service
        .secrets
        .iter()
        .map(|m| ("secret", m, project.secrets.get(&m.source)))
        .chain(
            service
                .configs
                .iter()
                .map(|m| ("config", m, project.configs.get(&m.source))),
        );
    for (kind, mount, object) in all {
        let Some(object) = object else { continue };
        let target = target(kind, mount);
        match context.secret(kind, &mount.source, object) {
            Some(secret) => {
                let number = |id: &str| id.parse().unwrap_or(0);
                secrets.push(SecretMount {
                    name: secret,
                    target,
                    uid: number(&mount.uid),
                    gid: number(&mount.gid),
                    mode: mount.mode.map_or(0o444, |m| m.0),
                });
            }
            None if !object.file.is_empty() => mounts.push(Mount::Bind {
                source: object.file.clone(),
                target,
                options: vec!["ro".into(), "rbind".into()],
                create: false,
            }),
            None => context.warn(
                &[
                    "services",
                    name,
                    if kind == "secret" {
                        "secrets"
                    } else {
                        "configs"
                    },
                ],
                format!(
                    "the {kind} `{}` of `{name}` is empty and is left out",
                    mount.source
                ),
                "give it a value",
            ),
        }
    }
    (secrets, mounts)
}

fn target(kind: &str, mount: &FileMount) -> String {
    let written = if mount.target.is_empty() {
        &mount.source
    } else {
        &mount.target
    };
    if written.starts_with('/') {
        written.clone()
    } else if kind == "secret" {
        format!("/run/secrets/{written}")
    } else {
        format!("/{written}")
    }
}
