//! What is known of widespread images: whom they run as, what they write, what they need as root.

use phoenix_model::ImageRef;

/// Images of one program, whatever their registry and tag.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// The last part of the image's path.
    pub name: &'static str,
    /// `uid:gid` that the image knows and can run as from the start.
    pub user: &'static str,
    /// The name of that user in the image.
    pub user_name: &'static str,
    /// Directories with data, with their mode.
    pub data: &'static [(&'static str, &'static str)],
    /// Directories it writes into beside its data: enough for a read-only root with tmpfs there.
    pub writes: &'static [&'static str],
    /// Capabilities it needs when it starts as root and steps down.
    pub root_capabilities: &'static [&'static str],
}

const STEP_DOWN: &[&str] = &["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

/// From the images' own Dockerfiles and entrypoints.
pub static FAMILIES: &[Family] = &[
    Family {
        name: "postgres",
        user: "999:999",
        user_name: "postgres",
        data: &[
            ("/var/lib/postgresql/data", "0700"),
            ("/var/lib/postgresql", "0700"),
        ],
        writes: &["/var/run/postgresql", "/tmp"],
        root_capabilities: STEP_DOWN,
    },
    Family {
        name: "nginx",
        user: "101:101",
        user_name: "nginx",
        data: &[],
        writes: &["/var/cache/nginx", "/run", "/tmp"],
        root_capabilities: &["CHOWN", "SETGID", "SETUID", "NET_BIND_SERVICE"],
    },
    Family {
        name: "redis",
        user: "999:999",
        user_name: "redis",
        data: &[("/data", "0755")],
        writes: &["/tmp"],
        root_capabilities: STEP_DOWN,
    },
    Family {
        name: "mariadb",
        user: "999:999",
        user_name: "mysql",
        data: &[("/var/lib/mysql", "0750")],
        writes: &["/run/mysqld", "/tmp"],
        root_capabilities: STEP_DOWN,
    },
    Family {
        name: "mysql",
        user: "999:999",
        user_name: "mysql",
        data: &[("/var/lib/mysql", "0750")],
        writes: &["/var/run/mysqld", "/tmp"],
        root_capabilities: STEP_DOWN,
    },
    Family {
        name: "mongo",
        user: "999:999",
        user_name: "mongodb",
        data: &[("/data/db", "0755"), ("/data/configdb", "0755")],
        writes: &["/tmp"],
        root_capabilities: STEP_DOWN,
    },
];

impl Family {
    /// The family of an image, by the last part of its name.
    pub fn of(image: &str) -> Option<&'static Family> {
        let image = ImageRef::parse(image)?;
        // Only the program's own repository: `bitnami/postgresql` is another image.
        let official =
            matches!(image.path.as_str(), p if !p.contains('/') || p.starts_with("library/"));
        FAMILIES
            .iter()
            .find(|f| official && f.name == image.family())
    }

    /// The mode of a data directory.
    pub fn mode(&self, target: &str) -> Option<&'static str> {
        self.data
            .iter()
            .find(|(path, _)| *path == target)
            .map(|(_, mode)| *mode)
    }
}
