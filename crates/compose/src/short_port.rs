//! `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, ranges included.

/// One published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShortPort {
    pub(crate) host_ip: String,
    /// Empty for any free port; `8000-8010` for one of a range.
    pub(crate) published: String,
    pub(crate) target: u16,
    pub(crate) protocol: String,
}

/// The ports that a short form stands for, sorted as Compose sorts them.
pub(crate) fn parse(text: &str) -> Result<Vec<ShortPort>, String> {
    let invalid = |why: &str| format!("`{text}` is not a port: {why}");
    let (address, container) = text.rsplit_once(':').unwrap_or(("", text));
    let (ip, host) = match address.rsplit_once(':') {
        Some((ip, host)) => (ip, host),
        None => ("", address),
    };
    let host_ip = ip
        .strip_prefix('[')
        .and_then(|ip| ip.strip_suffix(']'))
        .unwrap_or(ip);
    if !host_ip.is_empty() && host_ip.parse::<std::net::IpAddr>().is_err() {
        return Err(invalid(&format!("`{host_ip}` is not an IP address")));
    }
    let (container, protocol) = match container.split_once('/') {
        Some((port, "")) => (port, "tcp"),
        Some((port, protocol)) => (port, protocol),
        None => (container, "tcp"),
    };
    if container.is_empty() {
        return Err(invalid("the container's port is missing"));
    }
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(invalid(&format!("`{protocol}` is not tcp, udp or sctp")));
    }
    let (first, last) = range(container)
        .ok_or_else(|| invalid("the container's port is not a number or a range up to 65535"))?;
    let hosts = match host {
        "" => None,
        host => Some(
            range(host)
                .ok_or_else(|| invalid("the host's port is not a number or a range up to 65535"))?,
        ),
    };
    if let Some((low, high)) = hosts
        && high - low != last - first
        && first != last
    {
        return Err(invalid("the two ranges have different lengths"));
    }
    let mut ports: Vec<ShortPort> = (first..=last)
        .map(|target| {
            let published = match hosts {
                None => String::new(),
                // One container port on one of several host ports.
                Some((low, high)) if first == last && low != high => format!("{low}-{high}"),
                Some((low, _)) => (low + (target - first)).to_string(),
            };
            ShortPort {
                host_ip: host_ip.to_owned(),
                published,
                target,
                protocol: protocol.clone(),
            }
        })
        .collect();
    ports.sort_by_key(|p| format!("{}/{}", p.target, p.protocol));
    Ok(ports)
}

fn range(text: &str) -> Option<(u16, u16)> {
    let number = |t: &str| {
        t.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| t.parse::<u16>().ok())
            .flatten()
    };
    match text.split_once('-') {
        None => number(text).map(|n| (n, n)),
        Some((low, high)) => {
            let (low, high) = (number(low)?, number(high)?);
            (low <= high).then_some((low, high))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> Result<Vec<String>, String> {
        Ok(parse(text)?
            .into_iter()
            .map(|p| format!("{}|{}|{}|{}", p.host_ip, p.published, p.target, p.protocol))
            .collect())
    }

    #[test]
    fn every_short_form() {
        for (text, ports) in [
            ("80", &["||80|tcp"][..]),
            ("8080:80", &["|8080|80|tcp"]),
            ("127.0.0.1:8080:80/udp", &["127.0.0.1|8080|80|udp"]),
            ("127.0.0.1::80", &["127.0.0.1||80|tcp"]),
            ("[::1]:8080:80", &["::1|8080|80|tcp"]),
            ("::1:8080:80", &["::1|8080|80|tcp"]),
            (":80", &["||80|tcp"]),
            ("80/UDP", &["||80|udp"]),
            ("3000-3001:4000-4001", &["|3000|4000|tcp", "|3001|4001|tcp"]),
            ("3000-3010:80", &["|3000-3010|80|tcp"]),
            ("4000-4001", &["||4000|tcp", "||4001|tcp"]),
        ] {
            assert_eq!(show(text).unwrap(), ports, "{text}");
        }
        for text in [
            "",
            "a",
            "80:",
            "70000",
            "1-2:1-3",
            "80:80/xyz",
            "999.1.1.1:80:80",
            "5-1",
            "1:2:3:4",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
