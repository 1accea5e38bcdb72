//! One service → its image, dependencies and containers.

use std::collections::BTreeMap;

use phoenix_compose::Service;

use crate::desired::{
    self, Build, Condition, Container, ContainerSpec, Dependency, Hook, Image, Pull,
};
use crate::image::ImageRef;
use crate::lower::{Context, hash_of, own_labels};
use crate::{health, label, limits, mounts, networks, security};

/// `None` for a service that is not a container (a provider's).
pub(crate) fn lower_service(context: &mut Context<'_>, name: &str) -> Option<desired::Service> {
    let project = context.project;
    let service = project.services.get(name)?;
    if service.provider.is_some() {
        context.warn(
            &["services", name, "provider"],
            format!("`{name}` comes from a provider, and providers are not run"),
            "start it by hand",
        );
        return None;
    }
    let replicas = service.replicas().clamp(0, 1000);
    let image = image(context, name, service);
    let containers = (1..=replicas)
        .map(|number| container(context, name, service, &image.name, number, replicas))
        .collect();
    Some(desired::Service {
        name: name.to_owned(),
        dependencies: dependencies(service),
        image,
        containers,
        attach: service.attach.unwrap_or(true),
    })
}

fn dependencies(service: &Service) -> Vec<Dependency> {
    let shared = [
        &service.network_mode,
        &service.ipc,
        &service.pid,
        &service.uts,
    ];
    service
        .depends_on
        .iter()
        .map(|(name, dependency)| Dependency {
            service: name.clone(),
            condition: match dependency.condition.as_str() {
                "service_healthy" => Condition::Healthy,
                "service_completed_successfully" => Condition::Completed,
                _ => Condition::Started,
            },
            required: dependency.required.0,
            restart: dependency.restart,
            bound: shared
                .iter()
                .any(|mode| mode.strip_prefix("service:") == Some(name))
                || service
                    .volumes_from
                    .iter()
                    .any(|v| v.split(':').next() == Some(name)),
        })
        .collect()
}

fn image(context: &mut Context<'_>, name: &str, service: &Service) -> Image {
    let project = context.project;
    let build = service
        .build
        .as_ref()
        .map(|b| lower_build(context, name, service, b));
    let written = ImageRef::parse(&service.image);
    let (full, local) = match (&written, &build) {
        (Some(image), Some(_)) => (image.local(), None),
        (Some(image), None) if image.is_short() => (image.qualified(), Some(image.local())),
        (Some(image), None) => (image.qualified(), None),
        (None, _) => (format!("localhost/{}-{name}:latest", project.name), None),
    };
    let pull = match service.pull_policy.as_str() {
        "always" => Pull::Always,
        "never" => Pull::Never,
        "build" if build.is_some() => Pull::Build,
        _ => Pull::Missing,
    };
    Image {
        name: full,
        local,
        pull,
        build,
        platform: service.platform.clone(),
    }
}

fn lower_build(
    context: &mut Context<'_>,
    name: &str,
    service: &Service,
    build: &phoenix_compose::Build,
) -> Build {
    let phoenix_compose::Build {
        context: directory,
        dockerfile,
        dockerfile_inline,
        entitlements: _,
        args,
        provenance: _,
        sbom: _,
        ssh,
        labels,
        cache_from,
        cache_to,
        no_cache,
        additional_contexts,
        pull,
        extra_hosts,
        isolation: _,
        network,
        target,
        secrets,
        shm_size,
        tags,
        ulimits,
        platforms,
        privileged: _,
    } = build;
    let project = context.project;
    let mut secret_files = Vec::new();
    for secret in secrets {
        let Some(object) = project.secrets.get(&secret.source) else {
            continue;
        };
        let id = if secret.target.is_empty() {
            &secret.source
        } else {
            &secret.target
        };
        if object.file.is_empty() {
            context.warn(
                &["services", name, "build", "secrets"],
                format!(
                    "the build secret `{}` is not a file and is left out",
                    secret.source
                ),
                "give the secret a `file`",
            );
        } else {
            secret_files.push((id.clone(), object.file.clone()));
        }
    }
    let mut all_tags: Vec<String> = Vec::new();
    for tag in std::iter::once(&service.image).chain(tags) {
        if let Some(tag) = ImageRef::parse(tag) {
            all_tags.push(tag.local());
        }
    }
    if ImageRef::parse(&service.image).is_none() {
        all_tags.insert(0, format!("localhost/{}-{name}:latest", project.name));
    }
    Build {
        context: directory.clone(),
        dockerfile: dockerfile.clone(),
        dockerfile_inline: dockerfile_inline.clone(),
        args: args.0.clone(),
        target: target.clone(),
        tags: all_tags,
        labels: labels.0.clone(),
        cache_from: cache_from.clone(),
        cache_to: cache_to.clone(),
        no_cache: *no_cache,
        pull: *pull,
        network: network.clone(),
        shm_size: shm_size.0,
        extra_hosts: extra_hosts
            .entries()
            .into_iter()
            .map(|h| h.replacen('=', ":", 1))
            .collect(),
        platforms: if platforms.is_empty() && !service.platform.is_empty() {
            vec![service.platform.clone()]
        } else {
            platforms.clone()
        },
        additional_contexts: additional_contexts.0.clone(),
        secrets: secret_files,
        ssh: ssh
            .0
            .iter()
            .map(|(id, path)| path.as_ref().map_or(id.clone(), |p| format!("{id}={p}")))
            .collect(),
        ulimits: ulimits
            .iter()
            .map(|(n, l)| format!("{n}={}:{}", l.soft, l.hard))
            .collect(),
        docker_format: true,
    }
}

fn container(
    context: &mut Context<'_>,
    name: &str,
    service: &Service,
    image: &str,
    number: i64,
    replicas: i64,
) -> Container {
    let project = context.project;
    // Say things once, not once a replica.
    let said = context.warnings.len();
    let full_name = if service.container_name.is_empty() {
        format!("{}-{name}-{number}", project.name)
    } else {
        service.container_name.clone()
    };
    let mut spec = spec(context, name, service, image, &full_name, replicas);
    if number > 1 {
        context.warnings.truncate(said);
    }
    let hash = hash_of(&(&spec, service.image.as_str()));
    spec.labels.extend(own_labels(&project.name));
    let files: Vec<String> = project
        .compose_files
        .iter()
        .map(|f| f.display().to_string())
        .collect();
    let depends_on: Vec<String> = service
        .depends_on
        .iter()
        .map(|(d, v)| format!("{d}:{}:{}", v.condition, v.restart))
        .collect();
    for (key, value) in [
        (label::SERVICE, name.to_owned()),
        (label::NUMBER, number.to_string()),
        (label::ONEOFF, "False".to_owned()),
        (
            label::WORKING_DIR,
            project.working_dir.display().to_string(),
        ),
        (label::CONFIG_FILES, files.join(",")),
        (label::DEPENDS_ON, depends_on.join(",")),
        (label::HASH, hash.clone()),
        (label::VERSION, env!("CARGO_PKG_VERSION").to_owned()),
    ] {
        spec.labels.insert(key.to_owned(), value);
    }
    Container {
        name: full_name,
        service: name.to_owned(),
        number: number as u32,
        hash,
        spec,
    }
}

fn spec(
    context: &mut Context<'_>,
    name: &str,
    service: &Service,
    image: &str,
    container: &str,
    replicas: i64,
) -> ContainerSpec {
    // Every key is decided about here: a new field of `Service` stops the build.
    let Service {
        profiles: _,
        annotations,
        attach: _,
        build: _,
        develop: _,
        blkio_config: _,
        cap_add,
        cap_drop,
        cgroup_parent,
        cgroup,
        cpu_count,
        cpu_percent,
        cpu_period: _,
        cpu_quota: _,
        cpu_rt_period,
        cpu_rt_runtime,
        cpus: _,
        cpuset: _,
        cpu_shares: _,
        command,
        configs: _,
        container_name: _,
        credential_spec,
        depends_on: _,
        deploy: _,
        device_cgroup_rules,
        devices,
        dns,
        dns_opt,
        dns_search,
        domainname,
        entrypoint,
        provider: _,
        environment,
        env_file: _,
        expose,
        external_links,
        extra_hosts,
        group_add,
        gpus,
        hostname,
        healthcheck: _,
        image: _,
        init,
        ipc,
        isolation,
        labels,
        label_file: _,
        links: _,
        logging,
        mem_limit: _,
        mem_reservation: _,
        memswap_limit: _,
        mem_swappiness: _,
        mac_address: _,
        models,
        network_mode: _,
        networks: _,
        oom_kill_disable: _,
        oom_score_adj: _,
        pid,
        pids_limit: _,
        platform: _,
        ports: _,
        privileged,
        pull_policy: _,
        read_only,
        restart: _,
        runtime,
        scale: _,
        secrets: _,
        security_opt: _,
        shm_size: _,
        stdin_open,
        stop_grace_period,
        stop_signal,
        storage_opt,
        sysctls,
        tmpfs: _,
        tty,
        ulimits: _,
        use_api_socket,
        user,
        userns_mode,
        uts,
        volumes: _,
        volumes_from,
        working_dir,
        post_start,
        pre_stop,
    } = service;

    let without_effect: [(&str, bool); 8] = [
        ("cpu_count", *cpu_count != 0),
        ("cpu_percent", *cpu_percent != 0.0),
        ("cpu_rt_period", *cpu_rt_period != 0),
        ("cpu_rt_runtime", *cpu_rt_runtime != 0),
        ("credential_spec", credential_spec.is_some()),
        ("isolation", !isolation.is_empty() && isolation != "default"),
        ("models", !models.is_empty()),
        ("external_links", !external_links.is_empty()),
    ];
    for (key, present) in without_effect {
        if present {
            let help = match key {
                "external_links" => "put both containers on one external network",
                "cpu_rt_period" | "cpu_rt_runtime" => {
                    "cgroup v2 has no real-time quota; use `cpus`"
                }
                _ => "remove it",
            };
            context.warn(
                &["services", name, key],
                format!("`{key}` has no effect on Podman"),
                help,
            );
        }
    }

    let mut mounts = mounts::lower(context, name, service);
    let (secrets, file_mounts) = mounts::files(context, name, service);
    mounts.extend(file_mounts);
    if *use_api_socket {
        let source = context.host.socket.clone();
        let options = vec!["rbind".into()];
        mounts.push(desired::Mount::Bind {
            source,
            target: "/var/run/docker.sock".into(),
            options,
            create: false,
        });
    }
    let network_mode = networks::mode(context, name, service);
    let bridge = network_mode == desired::NetworkMode::Bridge;
    let attachments = if bridge {
        networks::attachments(context, name, service, container)
    } else {
        Vec::new()
    };
    let shares = matches!(
        network_mode,
        desired::NetworkMode::Container(_) | desired::NetworkMode::Host
    );
    let ports = if shares {
        Vec::new()
    } else {
        networks::ports(context, name, service, replicas)
    };

    let mut devices: Vec<String> = devices
        .iter()
        .map(|d| match d.source.as_str() {
            // A CDI name is no path: `vendor.com/class=name`.
            source if !source.starts_with('/') && source.contains('=') => source.to_owned(),
            source => format!("{source}:{}:{}", d.target, d.permissions),
        })
        .collect();
    devices.extend(graphics(service, gpus));

    let (log_driver, log_options) = logging_of(context, name, logging.as_ref());
    let hook = |hook: &phoenix_compose::Hook| Hook {
        command: hook.command.0.clone().unwrap_or_default(),
        user: hook.user.clone(),
        privileged: hook.privileged,
        work_dir: hook.working_dir.clone(),
        env: hook
            .environment
            .iter()
            .map(|(k, v)| format!("{k}={}", v.as_deref().unwrap_or_default()))
            .collect(),
    };
    let mut spec = ContainerSpec {
        image: image.to_owned(),
        command: command.0.clone(),
        entrypoint: entrypoint.0.clone(),
        env: environment
            .iter()
            .filter_map(|(k, v)| Some((k.clone(), v.clone()?)))
            .collect(),
        unset_env: Vec::new(),
        labels: labels.0.clone(),
        annotations: annotations.0.clone(),
        hostname: match (hostname.as_str(), domainname.as_str()) {
            ("", _) => String::new(),
            (host, "") => host.to_owned(),
            (host, domain) => format!("{host}.{domain}"),
        },
        user: user.clone(),
        groups: group_add.clone(),
        work_dir: working_dir.clone(),
        stdin: *stdin_open,
        terminal: *tty,
        init: *init,
        mounts,
        secrets,
        devices,
        device_cgroup_rules: device_cgroup_rules.clone(),
        volumes_from: volumes_from
            .iter()
            .map(|from| {
                let (source, mode) = from.strip_prefix("container:").map_or_else(
                    || {
                        let (service, mode) = from.split_once(':').unwrap_or((from, ""));
                        (networks::container_of(context, service), mode)
                    },
                    |rest| {
                        let (container, mode) = rest.split_once(':').unwrap_or((rest, ""));
                        (container.to_owned(), mode)
                    },
                );
                if mode.is_empty() {
                    source
                } else {
                    format!("{source}:{mode}")
                }
            })
            .collect(),
        networks: attachments,
        network_mode,
        ports,
        expose: exposed(expose),
        dns: dns.clone(),
        dns_options: dns_opt.clone(),
        dns_search: dns_search.clone(),
        hosts: extra_hosts
            .entries()
            .into_iter()
            .map(|h| h.replacen('=', ":", 1))
            .collect(),
        cap_add: cap_add.iter().map(|c| c.to_uppercase()).collect(),
        cap_drop: cap_drop.iter().map(|c| c.to_uppercase()).collect(),
        privileged: *privileged,
        read_only: *read_only,
        no_new_privileges: false,
        seccomp_profile: None,
        apparmor_profile: None,
        selinux_options: Vec::new(),
        unmask: Vec::new(),
        mask: Vec::new(),
        sysctls: sysctls.0.clone(),
        ulimits: limits::ulimits(service),
        limits: limits::lower(context, name, service),
        restart: limits::restart(context, name, service),
        health: health::lower(context, name, service),
        stop_signal: stop_signal.clone(),
        // Compose waits ten seconds, as Podman does.
        stop_timeout: stop_grace_period.map(|d| d.as_std().as_secs_f64().ceil() as u64),
        log_driver,
        log_options,
        ipc: security::namespace(context, ipc),
        pid: security::namespace(context, pid),
        uts: security::namespace(context, uts),
        userns: userns_mode.clone(),
        cgroupns: cgroup.clone(),
        cgroup_parent: cgroup_parent.clone(),
        runtime: runtime.clone(),
        storage_options: storage_opt.0.clone(),
        post_start: post_start.iter().map(hook).collect(),
        pre_stop: pre_stop.iter().map(hook).collect(),
    };
    security::options(context, name, service, &mut spec);
    spec
}

/// GPUs as CDI devices.
fn graphics(service: &Service, gpus: &[phoenix_compose::DeviceRequest]) -> Vec<String> {
    let reserved = service
        .deploy
        .iter()
        .filter_map(|d| d.resources.reservations.as_ref())
        .flat_map(|r| &r.devices)
        .filter(|d| d.capabilities.iter().any(|c| c == "gpu"));
    let mut devices = Vec::new();
    for request in gpus.iter().chain(reserved) {
        match (&request.device_ids[..], request.count.0) {
            ([], -1 | 0) => devices.push("nvidia.com/gpu=all".to_owned()),
            ([], count) => {
                devices.extend((0..count.min(64)).map(|n| format!("nvidia.com/gpu={n}")))
            }
            (ids, _) => devices.extend(ids.iter().map(|id| {
                if id.contains('=') {
                    id.clone()
                } else {
                    format!("nvidia.com/gpu={id}")
                }
            })),
        }
    }
    devices
}

fn exposed(expose: &[String]) -> BTreeMap<u16, String> {
    let mut ports = BTreeMap::new();
    for text in expose {
        let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        if let (Ok(low), Ok(high)) = (low.parse::<u16>(), high.parse::<u16>()) {
            ports.extend((low..=high.max(low)).map(|p| (p, protocol.to_owned())));
        }
    }
    ports
}

/// Podman's drivers: journald, k8s-file (Docker's json-file by another name), passthrough, none.
fn logging_of(
    context: &mut Context<'_>,
    name: &str,
    logging: Option<&phoenix_compose::Logging>,
) -> (String, BTreeMap<String, String>) {
    let Some(logging) = logging else {
        return (String::new(), BTreeMap::new());
    };
    let mut options = BTreeMap::new();
    let driver = match logging.driver.as_str() {
        "" => "",
        "json-file" | "local" | "k8s-file" => "k8s-file",
        "journald" => "journald",
        "none" => "none",
        "passthrough" => "passthrough",
        other => {
            context.warn(
                &["services", name, "logging", "driver"],
                format!(
                    "Podman has no log driver `{other}`; the output of `{name}` goes to the journal"
                ),
                "ship logs from the journal, or write `driver: journald`",
            );
            return ("journald".into(), options);
        }
    };
    for (key, value) in logging.options.iter() {
        match key.as_str() {
            "max-size" if driver != "none" => {
                options.insert("max-size".to_owned(), value.clone());
            }
            "tag" if driver == "journald" || driver.is_empty() => {
                options.insert("tag".to_owned(), value.clone());
            }
            "path" | "label" => {
                options.insert(key.clone(), value.clone());
            }
            // Podman keeps one file.
            "max-file" | "compress" | "mode" | "max-buffer-size" => {}
            other => context.warn(
                &["services", name, "logging", "options", other],
                format!("the log option `{other}` has no effect on Podman"),
                "remove it",
            ),
        }
    }
    (driver.into(), options)
}
