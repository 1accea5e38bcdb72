//! What every service of the stack has: settings from the environment, JSON logs, a database that
//! is retried, health and metrics over HTTP, its own probe, and an end on SIGTERM.

mod database;
mod probe;
mod server;
mod settings;

pub use database::{Database, Unavailable};
pub use server::{Service, problem};
pub use settings::Settings;

/// Runs a service: answers `--probe`, else sets up logs and hands over to `start`.
pub fn run<F, Fut>(name: &'static str, port: u16, start: F) -> std::process::ExitCode
where
    F: FnOnce(Settings) -> Fut,
    Fut: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>>,
{
    let settings = Settings::from_environment(port);
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--probe") => return probe::run(settings.port),
        Some("--version") => {
            println!("{name} {}", env!("CARGO_PKG_VERSION"));
            return std::process::ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("{name}: unknown argument {other}; known are --probe and --version");
            return std::process::ExitCode::from(2);
        }
    }
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("LOG_LEVEL")
                .unwrap_or_else(|_| "info".into()),
        )
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{name}: {error}");
            return std::process::ExitCode::FAILURE;
        }
    };
    match runtime.block_on(start(settings)) {
        Ok(()) => {
            tracing::info!("ended");
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "failed");
            std::process::ExitCode::FAILURE
        }
    }
}
