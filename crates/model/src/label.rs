//! Labels on what belongs to a project. Both families that other tools read are written, so that
//! Podman Desktop, lazydocker and podman-compose see our projects and we see theirs.

/// The project (Docker Compose's family).
pub const PROJECT: &str = "com.docker.compose.project";
pub const SERVICE: &str = "com.docker.compose.service";
/// From 1.
pub const NUMBER: &str = "com.docker.compose.container-number";
/// `True` for containers of `run`.
pub const ONEOFF: &str = "com.docker.compose.oneoff";
pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
/// The key in the compose file.
pub const NETWORK: &str = "com.docker.compose.network";
pub const VOLUME: &str = "com.docker.compose.volume";
/// The project (podman-compose's family).
pub const PODMAN_PROJECT: &str = "io.podman.compose.project";
/// Ours: a hash over what the thing was made from.
pub const HASH: &str = "io.phoenix.hash";
/// Ours: the version that made it.
pub const VERSION: &str = "io.phoenix.version";
