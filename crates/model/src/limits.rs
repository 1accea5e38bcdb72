//! cgroup limits, ulimits and restart policies.

use phoenix_compose::Service;

use crate::desired::{Limit, Limits, RestartPolicy};
use crate::lower::Context;

/// Length of the CPU period that `cpus` is counted in, in microseconds; Podman's own.
const CPU_PERIOD: u64 = 100_000;

pub(crate) fn lower(context: &mut Context<'_>, name: &str, service: &Service) -> Limits {
    let resources = service.deploy.as_ref().map(|d| &d.resources);
    let limits = resources.and_then(|r| r.limits.clone()).unwrap_or_default();
    let reservations = resources
        .and_then(|r| r.reservations.clone())
        .unwrap_or_default();
    let cpus = if service.cpus > 0.0 {
        service.cpus
    } else {
        limits.cpus
    };
    let positive = |n: i64| u64::try_from(n).unwrap_or(0);
    let or = |a: i64, b: i64| if a != 0 { a } else { b };
    let mut lowered = Limits {
        cpu_quota: if cpus > 0.0 {
            (cpus * CPU_PERIOD as f64) as i64
        } else {
            service.cpu_quota
        },
        cpu_period: if cpus > 0.0 {
            CPU_PERIOD
        } else {
            positive(service.cpu_period)
        },
        cpu_shares: positive(service.cpu_shares),
        cpuset_cpus: service.cpuset.clone(),
        memory: or(service.mem_limit.0, limits.memory.0),
        memory_reservation: or(service.mem_reservation.0, reservations.memory.0),
        memory_swap: service.memswap_limit.0,
        memory_swappiness: Some(positive(service.mem_swappiness.0)).filter(|n| *n > 0),
        oom_kill_disable: service.oom_kill_disable,
        oom_score_adj: Some(service.oom_score_adj).filter(|n| *n != 0),
        pids: Some(or(service.pids_limit, limits.pids)).filter(|n| *n != 0),
        shm_size: service.shm_size.0,
        blkio_weight: service
            .blkio_config
            .as_ref()
            .and_then(|b| u16::try_from(b.weight).ok())
            .filter(|w| *w > 0),
    };

    // What the user's slice may not control would make the start fail: it is left out, and said.
    let has = |controller: &str| {
        context
            .host
            .cgroup_controllers
            .iter()
            .any(|c| c == controller)
    };
    let missing: Vec<(&str, bool)> = vec![
        (
            "cpu",
            !has("cpu") && (lowered.cpu_quota != 0 || lowered.cpu_shares != 0),
        ),
        ("cpuset", !has("cpuset") && !lowered.cpuset_cpus.is_empty()),
        (
            "memory",
            !has("memory")
                && (lowered.memory != 0
                    || lowered.memory_reservation != 0
                    || lowered.memory_swap != 0),
        ),
        ("pids", !has("pids") && lowered.pids.is_some()),
        ("io", !has("io") && service.blkio_config.is_some()),
    ];
    for (controller, lost) in missing {
        if !lost {
            continue;
        }
        match controller {
            "cpu" => (lowered.cpu_quota, lowered.cpu_period, lowered.cpu_shares) = (0, 0, 0),
            "cpuset" => lowered.cpuset_cpus.clear(),
            "memory" => {
                (
                    lowered.memory,
                    lowered.memory_reservation,
                    lowered.memory_swap,
                ) = (0, 0, 0)
            }
            "pids" => lowered.pids = None,
            _ => lowered.blkio_weight = None,
        }
        context.warn(
            &["services", name],
            format!("the limits of `{name}` on {controller} have no effect: this user may not use the `{controller}` controller"),
            "delegate it: `systemctl edit user@.service` with `[Service]` and `Delegate=cpu cpuset io memory pids`",
        );
    }
    lowered
}

pub(crate) fn ulimits(service: &Service) -> Vec<Limit> {
    service
        .ulimits
        .iter()
        .map(|(name, limit)| Limit {
            name: name.clone(),
            soft: limit.soft,
            hard: limit.hard,
        })
        .collect()
}

pub(crate) fn restart(context: &mut Context<'_>, name: &str, service: &Service) -> RestartPolicy {
    let written = service.restart.as_str();
    if !written.is_empty() {
        let (policy, retries) = written.split_once(':').unwrap_or((written, ""));
        return match policy {
            "no" | "always" | "unless-stopped" => RestartPolicy {
                name: policy.into(),
                retries: None,
            },
            "on-failure" => RestartPolicy {
                name: policy.into(),
                retries: retries.parse().ok(),
            },
            // YAML reads an unquoted `no` as a word and `false` as a boolean.
            "false" | "never" | "none" => RestartPolicy {
                name: "no".into(),
                retries: None,
            },
            other => {
                context.warn(
                    &["services", name, "restart"],
                    format!("`{other}` is not a restart policy; `{name}` is not restarted"),
                    "write `no`, `always`, `unless-stopped` or `on-failure[:N]`",
                );
                RestartPolicy {
                    name: "no".into(),
                    retries: None,
                }
            }
        };
    }
    let Some(policy) = service
        .deploy
        .as_ref()
        .and_then(|d| d.restart_policy.as_ref())
    else {
        return RestartPolicy {
            name: "no".into(),
            retries: None,
        };
    };
    let retries = policy.max_attempts.and_then(|n| u64::try_from(n).ok());
    if policy.delay.is_some() || policy.window.is_some() {
        context.warn(
            &["services", name, "deploy", "restart_policy"],
            "Podman restarts at once: `delay` and `window` have no effect",
            "the production units of systemd know them",
        );
    }
    match (policy.condition.as_str(), retries) {
        ("none", _) => RestartPolicy {
            name: "no".into(),
            retries: None,
        },
        ("on-failure", retries) => RestartPolicy {
            name: "on-failure".into(),
            retries,
        },
        // `any` with a number of attempts can only be counted for failures.
        (_, Some(retries)) => RestartPolicy {
            name: "on-failure".into(),
            retries: Some(retries),
        },
        _ => RestartPolicy {
            name: "unless-stopped".into(),
            retries: None,
        },
    }
}
