//! Networks of a project, and services on them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use phoenix_compose::Service;

use crate::desired::{Network, NetworkAttachment, NetworkMode, PortMapping, Subnet};
use crate::label;
use crate::lower::{Context, hash_of, own_labels};

pub(crate) fn lower(context: &mut Context<'_>) -> Vec<Network> {
    let project = context.project;
    let mut networks = Vec::new();
    for (key, network) in &project.networks {
        let phoenix_compose::Network {
            name,
            driver,
            driver_opts,
            ipam,
            external,
            internal,
            attachable: _,
            labels,
            enable_ipv4,
            enable_ipv6,
        } = network;
        let mut labels = labels.0.clone();
        labels.extend(own_labels(&project.name));
        labels.insert(label::NETWORK.into(), key.clone());
        let mut options = BTreeMap::new();
        let mut ipv6 = enable_ipv6.unwrap_or(false);
        for (option, value) in driver_opts.iter() {
            match option.as_str() {
                "com.docker.network.driver.mtu" | "mtu" => {
                    options.insert("mtu".to_owned(), value.clone());
                }
                "com.docker.network.enable_ipv6" => ipv6 |= value == "true" || value == "1",
                // The name of the bridge is Podman's own matter in a rootless network namespace.
                "com.docker.network.bridge.name" => {}
                option if option.starts_with("com.docker.") => context.warn(
                    &["networks", key, "driver_opts", option],
                    format!(
                        "the network option `{option}` is Docker's and has no effect on Podman"
                    ),
                    "remove it",
                ),
                _ => {
                    options.insert(option.clone(), value.clone());
                }
            }
        }
        let driver = match driver.as_str() {
            "" | "default" => "bridge",
            "overlay" => {
                context.warn(
                    &["networks", key, "driver"],
                    format!("`{key}` is a bridge: there are no overlay networks on one host"),
                    "write `driver: bridge`",
                );
                "bridge"
            }
            other => other,
        };
        if *enable_ipv4 == Some(false) {
            context.warn(
                &["networks", key, "enable_ipv4"],
                format!("`{key}` has IPv4 all the same"),
                "give it an IPv6 subnet only",
            );
        }
        let subnets: Vec<Subnet> = ipam
            .config
            .iter()
            .filter(|pool| !pool.subnet.is_empty())
            .map(|pool| Subnet {
                subnet: pool.subnet.clone(),
                gateway: Some(pool.gateway.clone()).filter(|g| !g.is_empty()),
                lease_range: range(&pool.ip_range),
            })
            .collect();
        ipv6 |= subnets.iter().any(|s| s.subnet.contains(':'));
        let mut lowered = Network {
            key: key.clone(),
            name: name.clone(),
            external: *external,
            driver: driver.into(),
            internal: *internal,
            ipv6,
            options,
            labels,
            subnets,
            hash: String::new(),
        };
        lowered.hash = hash_of(&lowered);
        lowered
            .labels
            .insert(label::HASH.into(), lowered.hash.clone());
        networks.push(lowered);
    }
    networks
}

/// First and last address of an IPv4 block (`10.1.0.128/25`); other forms give nothing.
fn range(block: &str) -> Option<(String, String)> {
    let (address, bits) = block.split_once('/')?;
    let bits: u32 = bits.parse().ok().filter(|b| *b <= 32)?;
    let IpAddr::V4(address) = address.parse().ok()? else {
        return None;
    };
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    let first = u32::from(address) & mask;
    let last = first | !mask;
    let show = |n: u32| std::net::Ipv4Addr::from(n).to_string();
    Some((
        show(first.saturating_add(1)),
        show(last.saturating_sub(1).max(first)),
    ))
}

pub(crate) fn mode(context: &mut Context<'_>, name: &str, service: &Service) -> NetworkMode {
    match service.network_mode.as_str() {
        "" | "bridge" | "default" => {
            if service.network_mode == "bridge" {
                context.warn(
                    &["services", name, "network_mode"],
                    format!("`{name}` joins Podman's default network, where other services are not found by name"),
                    "remove `network_mode: bridge`: the project's own network is a bridge too",
                );
                return NetworkMode::Other("bridge".into());
            }
            NetworkMode::Bridge
        }
        "host" => NetworkMode::Host,
        "none" => NetworkMode::None,
        mode => match mode.split_once(':') {
            Some(("service", other)) => NetworkMode::Container(container_of(context, other)),
            Some(("container", other)) => NetworkMode::Container(other.into()),
            _ => NetworkMode::Other(mode.into()),
        },
    }
}

/// The name of a service's first container.
pub(crate) fn container_of(context: &Context<'_>, service: &str) -> String {
    match context.project.services.get(service) {
        Some(s) if !s.container_name.is_empty() => s.container_name.clone(),
        _ => format!("{}-{service}-1", context.project.name),
    }
}

pub(crate) fn attachments(
    context: &mut Context<'_>,
    name: &str,
    service: &Service,
    container: &str,
) -> Vec<NetworkAttachment> {
    let project = context.project;
    let mut attachments: Vec<(i64, NetworkAttachment)> = Vec::new();
    for (key, options) in &service.networks {
        let Some(network) = project.networks.get(key) else {
            continue;
        };
        let options = options.clone().unwrap_or_default();
        if !options.link_local_ips.is_empty() {
            context.warn(
                &["services", name, "networks", key, "link_local_ips"],
                "Podman gives no link-local addresses",
                "use `ipv6_address`, or remove the key",
            );
        }
        let mut aliases = vec![name.to_owned(), container.to_owned()];
        aliases.extend(options.aliases.iter().cloned());
        // What others link to under another name is that name on the network they share.
        for (other_name, other) in &project.services {
            if !other.networks.contains_key(key) || other_name == name {
                continue;
            }
            for link in &other.links {
                if let Some((target, alias)) = link.split_once(':')
                    && target == name
                {
                    aliases.push(alias.to_owned());
                }
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        aliases.retain(|alias| seen.insert(alias.clone()));
        let static_ips = [&options.ipv4_address, &options.ipv6_address];
        attachments.push((
            options.priority.max(options.gw_priority),
            NetworkAttachment {
                name: network.name.clone(),
                aliases,
                static_ips: static_ips
                    .into_iter()
                    .filter(|ip| !ip.is_empty())
                    .cloned()
                    .collect(),
                static_mac: if options.mac_address.is_empty() {
                    service.mac_address.clone()
                } else {
                    options.mac_address.clone()
                },
                interface_name: options.interface_name.clone(),
                options: options.driver_opts.0.clone(),
            },
        ));
    }
    attachments.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.name.cmp(&y.name)));
    // One address belongs to one interface.
    for (n, (_, attachment)) in attachments.iter_mut().enumerate() {
        if n > 0 && attachment.static_mac == service.mac_address {
            attachment.static_mac.clear();
        }
    }
    attachments.into_iter().map(|(_, a)| a).collect()
}

pub(crate) fn ports(
    context: &mut Context<'_>,
    name: &str,
    service: &Service,
    replicas: i64,
) -> Vec<PortMapping> {
    let start = context.host.unprivileged_port_start;
    let mut ports = Vec::new();
    for (n, port) in service.ports.iter().enumerate() {
        let mut numbers = port
            .published
            .splitn(2, '-')
            .map(|p| p.parse::<u16>().unwrap_or(0));
        let first = numbers.next().unwrap_or(0);
        let last = numbers.next().unwrap_or(first);
        let n = n.to_string();
        if context.host.rootless && first != 0 && first < start {
            context.warn(
                &["services", name, "ports", &n],
                format!("a rootless container cannot publish port {first}: ports below {start} need privilege"),
                format!("`phoenix migrate` moves it to {}; or lower net.ipv4.ip_unprivileged_port_start", u32::from(first) + 8000),
            );
        }
        if replicas > 1 && first != 0 && first == last {
            context.warn(
                &["services", name, "ports", &n],
                format!("only one of {replicas} containers of `{name}` can publish port {first}"),
                "publish a range, or let the host's port be chosen",
            );
        }
        ports.push(PortMapping {
            host_ip: port.host_ip.clone(),
            host_port: first,
            host_range: last.saturating_sub(first) + 1,
            container_port: u16::try_from(port.target).unwrap_or(0),
            protocol: if port.protocol.is_empty() {
                "tcp".into()
            } else {
                port.protocol.clone()
            },
        });
    }
    ports
}

#[cfg(test)]
mod tests {
    #[test]
    fn address_ranges() {
        assert_eq!(
            super::range("10.9.0.128/25"),
            Some(("10.9.0.129".into(), "10.9.0.254".into()))
        );
        assert_eq!(super::range("fd00::/64"), None);
        assert_eq!(super::range(""), None);
    }
}
