//! Image names: what was written, and what it means.

/// The parts of an image's name, nothing filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRef {
    /// `docker.io`, `localhost:5000`, …; `None` for a short name.
    pub registry: Option<String>,
    /// `library/nginx`, `nginx`, `team/app`.
    pub path: String,
    pub tag: Option<String>,
    /// `sha256:…`
    pub digest: Option<String>,
}

impl ImageRef {
    /// `None` where the text cannot be a name (empty, or with blanks).
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.contains(char::is_whitespace) {
            return None;
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.to_owned())),
            None => (text, None),
        };
        let last_slash = name.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match name[last_slash..].rfind(':') {
            Some(at) => (
                &name[..last_slash + at],
                Some(name[last_slash + at + 1..].to_owned()),
            ),
            None => (name, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
                (Some(first.to_owned()), rest.to_owned())
            }
            _ => (None, name.to_owned()),
        };
        if path.is_empty() || tag.as_deref() == Some("") {
            return None;
        }
        Some(Self {
            registry,
            path,
            tag,
            digest,
        })
    }

    pub fn is_short(&self) -> bool {
        self.registry.is_none()
    }

    /// The last part of the path: `postgres` of `docker.io/library/postgres:17`.
    pub fn family(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// What Docker takes the name to mean: Docker Hub, `library/` for single words, `latest`.
    pub fn qualified(&self) -> String {
        self.in_registry(self.registry.as_deref().unwrap_or("docker.io"))
    }

    /// The name among images built here.
    pub fn local(&self) -> String {
        self.in_registry(self.registry.as_deref().unwrap_or("localhost"))
    }

    fn in_registry(&self, registry: &str) -> String {
        let library = registry == "docker.io" && !self.path.contains('/');
        let mut name = format!(
            "{registry}/{}{}",
            if library { "library/" } else { "" },
            self.path
        );
        match (&self.tag, &self.digest) {
            // Podman refuses a tag beside a digest; the digest is what counts.
            (_, Some(digest)) => {
                name.push('@');
                name.push_str(digest);
            }
            (Some(tag), None) => {
                name.push(':');
                name.push_str(tag);
            }
            (None, None) => name.push_str(":latest"),
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_docker_understands_them() {
        for (text, qualified) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.26", "docker.io/library/nginx:1.26"),
            ("team/app", "docker.io/team/app:latest"),
            ("quay.io/x/y:1", "quay.io/x/y:1"),
            ("localhost:5000/x", "localhost:5000/x:latest"),
            ("localhost/x", "localhost/x:latest"),
            ("docker.io/nginx", "docker.io/library/nginx:latest"),
            ("x:1@sha256:ab", "docker.io/library/x@sha256:ab"),
            ("user/app@sha256:ab", "docker.io/user/app@sha256:ab"),
        ] {
            assert_eq!(
                ImageRef::parse(text).unwrap().qualified(),
                qualified,
                "{text}"
            );
        }
        assert_eq!(ImageRef::parse("a b"), None);
        assert_eq!(ImageRef::parse("x:"), None);
        assert_eq!(ImageRef::parse("quay.io/team/db:1").unwrap().family(), "db");
    }
}
