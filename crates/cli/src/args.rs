//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Moves Docker Compose projects to rootless Podman, and runs them
#[derive(Debug, Parser)]
#[command(
    name = "phoenix",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which project is meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Global {
    /// Compose file; several are merged in their order
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Name of the project
    #[arg(short = 'p', long, value_name = "NAME")]
    pub(crate) project_name: Option<String>,
    /// Profile to activate; `*` for all
    #[arg(long = "profile", value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
    /// File with variables, instead of `.env`
    #[arg(long = "env-file", value_name = "FILE")]
    pub(crate) env_files: Vec<PathBuf>,
    /// What relative paths are relative to
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) project_directory: Option<PathBuf>,
    /// Say only what failed
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create and start the services
    #[command(after_help = "Example:\n  phoenix up -d --wait")]
    Up(Up),
    /// Stop and remove the services and their networks
    #[command(after_help = "Example:\n  phoenix down --volumes")]
    Down(Down),
    /// Start what is stopped
    #[command(after_help = "Example:\n  phoenix start web")]
    Start(Services),
    /// Stop what runs, and keep it
    #[command(after_help = "Example:\n  phoenix stop -t 30 db")]
    Stop(Stop),
    /// Stop and start again
    #[command(after_help = "Example:\n  phoenix restart web")]
    Restart(Stop),
    /// List the containers
    #[command(after_help = "Example:\n  phoenix ps --all --format json")]
    Ps(Ps),
    /// Show what the services print
    #[command(after_help = "Example:\n  phoenix logs -f --tail 100 web")]
    Logs(Logs),
    /// Run a command in a running container
    #[command(after_help = "Example:\n  phoenix exec db psql -U postgres")]
    Exec(Exec),
    /// Show the project as it is understood
    #[command(
        visible_alias = "convert",
        after_help = "Example:\n  phoenix config --format json"
    )]
    Config(Config),
    /// Build the images that are built here
    #[command(after_help = "Example:\n  phoenix build --no-cache web")]
    Build(Build),
    /// Pull the images that come from registries
    #[command(after_help = "Example:\n  phoenix pull")]
    Pull(Pull),
    /// List the images that the containers use
    #[command(after_help = "Example:\n  phoenix images")]
    Images(Listing),
    /// Say what will not work on rootless Podman, and change it
    #[command(
        after_help = "Examples:\n  phoenix migrate            report\n  phoenix migrate --diff     show the changes\n  phoenix migrate --apply    make them"
    )]
    Migrate(Migrate),
    /// Undo `migrate --apply`, byte for byte
    #[command(after_help = "Example:\n  phoenix rollback")]
    Rollback(Rollback),
    /// Explain a rule, or list them all
    #[command(after_help = "Example:\n  phoenix explain PH002")]
    Explain(Explain),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    #[value(alias = "table")]
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Up {
    /// Start in the background
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Build images first, also those that are there
    #[arg(long)]
    pub(crate) build: bool,
    /// Do not build, even what is missing
    #[arg(long, conflicts_with = "build")]
    pub(crate) no_build: bool,
    /// Wait until everything runs and is healthy; implies --detach
    #[arg(long)]
    pub(crate) wait: bool,
    /// Longest wait, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) wait_timeout: Option<u64>,
    /// Leave out what the services depend on
    #[arg(long)]
    pub(crate) no_deps: bool,
    /// Create, but do not start
    #[arg(long)]
    pub(crate) no_start: bool,
    /// Make all containers anew
    #[arg(long, conflicts_with = "no_recreate")]
    pub(crate) force_recreate: bool,
    /// Keep containers although their configuration changed
    #[arg(long)]
    pub(crate) no_recreate: bool,
    /// Remove containers of services that the project no longer has
    #[arg(long)]
    pub(crate) remove_orphans: bool,
    /// Seconds that containers have to stop
    #[arg(short, long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
    /// Number of containers of a service
    #[arg(long, value_name = "SERVICE=NUMBER")]
    pub(crate) scale: Vec<String>,
    /// When to pull images
    #[arg(long, value_name = "POLICY", value_parser = ["always", "missing", "never"])]
    pub(crate) pull: Option<String>,
    /// Stop everything as soon as one container ends
    #[arg(long)]
    pub(crate) abort_on_container_exit: bool,
    /// Print the plan and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Services; all without
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Down {
    /// Remove volumes too: their data is lost
    #[arg(short, long)]
    pub(crate) volumes: bool,
    /// Remove images: all, or only those without a name of their own
    #[arg(long, value_name = "WHICH", value_parser = ["all", "local"])]
    pub(crate) rmi: Option<String>,
    /// Remove containers of services that the project no longer has
    #[arg(long)]
    pub(crate) remove_orphans: bool,
    /// Seconds that containers have to stop
    #[arg(short, long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
    /// Print the plan and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Services {
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// Seconds that containers have to stop
    #[arg(short, long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Ps {
    /// Show stopped containers too
    #[arg(short, long)]
    pub(crate) all: bool,
    /// Print ids only
    #[arg(short, long)]
    pub(crate) quiet: bool,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Go on as they print more
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Lines from the end
    #[arg(short = 'n', long, value_name = "LINES")]
    pub(crate) tail: Option<String>,
    #[arg(short, long)]
    pub(crate) timestamps: bool,
    /// From this time on (RFC 3339, or `10m` ago)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Leave out the names in front
    #[arg(long)]
    pub(crate) no_log_prefix: bool,
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// In the background
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Without a terminal
    #[arg(short = 'T', long)]
    pub(crate) no_tty: bool,
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    #[arg(short, long)]
    pub(crate) user: Option<String>,
    #[arg(short, long, value_name = "DIRECTORY")]
    pub(crate) workdir: Option<String>,
    #[arg(long)]
    pub(crate) privileged: bool,
    /// Which container, where a service has several
    #[arg(long, default_value_t = 1)]
    pub(crate) index: u32,
    pub(crate) service: String,
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Config {
    /// yaml or json
    #[arg(long, value_parser = ["yaml", "json"], default_value = "yaml")]
    pub(crate) format: String,
    /// Names of the services
    #[arg(long)]
    pub(crate) services: bool,
    /// Names of the volumes
    #[arg(long)]
    pub(crate) volumes: bool,
    /// Names of the networks
    #[arg(long)]
    pub(crate) networks: bool,
    /// Names of the profiles
    #[arg(long)]
    pub(crate) profiles: bool,
    /// Names of the images
    #[arg(long)]
    pub(crate) images: bool,
    /// Only check
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Write into a file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    pub(crate) only: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Look for newer base images
    #[arg(long)]
    pub(crate) pull: bool,
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) build_arg: Vec<String>,
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// Go on when one fails
    #[arg(long)]
    pub(crate) ignore_pull_failures: bool,
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Listing {
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    pub(crate) services: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The project's directory
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Show the changes
    #[arg(long)]
    pub(crate) diff: bool,
    /// Make the changes
    #[arg(long)]
    pub(crate) apply: bool,
    /// With the fixes that a person should look at
    #[arg(long)]
    pub(crate) r#unsafe: bool,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The project's directory
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Also where files were changed since: what was changed is kept beside
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// `PH002` or `privileged-port`; all rules without
    pub(crate) rule: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}
