//! `security_opt`, capabilities, namespaces.

use phoenix_compose::Service;

use crate::desired::ContainerSpec;
use crate::lower::Context;
use crate::networks::container_of;

/// Reads `security_opt` into the spec.
pub(crate) fn options(
    context: &mut Context<'_>,
    name: &str,
    service: &Service,
    spec: &mut ContainerSpec,
) {
    for (n, option) in service.security_opt.iter().enumerate() {
        // Both separators occur: `label:disable` is the older one.
        let (key, value) = option.split_once(['=', ':']).unwrap_or((option, ""));
        match key {
            "no-new-privileges" => spec.no_new_privileges = value != "false",
            "seccomp" => spec.seccomp_profile = Some(file(context, value)),
            "apparmor" => spec.apparmor_profile = Some(value.into()),
            "label" => spec.selinux_options.push(value.replacen('=', ":", 1)),
            "mask" => spec.mask.extend(value.split(':').map(str::to_owned)),
            "unmask" => spec.unmask.extend(value.split(':').map(str::to_owned)),
            "systempaths" if value == "unconfined" => spec.unmask.push("ALL".into()),
            _ => context.warn(
                &["services", name, "security_opt", &n.to_string()],
                format!("Podman does not know the security option `{option}`"),
                "remove it",
            ),
        }
    }
}

fn file(context: &Context<'_>, value: &str) -> String {
    if value == "unconfined" || value.starts_with('/') {
        return value.into();
    }
    let path = value.trim_start_matches("./");
    context
        .project
        .working_dir
        .join(path)
        .to_string_lossy()
        .into_owned()
}

/// A namespace as Podman names it: `service:x` is a container here.
pub(crate) fn namespace(context: &Context<'_>, written: &str) -> String {
    match written.split_once(':') {
        Some(("service", other)) => format!("container:{}", container_of(context, other)),
        _ => written.into(),
    }
}
