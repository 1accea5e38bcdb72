//! `phoenix`: moves Docker Compose projects to rootless Podman, and runs them.
//!
//! `main` → a command in `commands/` → load → decide → act. How anything works is in the other
//! crates; here is what a person meets.

mod args;
mod commands;
mod failure;
mod printer;
mod project;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::failure::Outcome;
use crate::printer::Printer;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let wrong_use = error.use_stderr();
            let _ = error.print();
            return ExitCode::from(if wrong_use { 2 } else { 0 });
        }
    };
    let printer = Printer::new(cli.global.quiet);
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&format!("the runtime cannot be started: {error}"), None);
            return ExitCode::from(1);
        }
    };
    let outcome = runtime.block_on(run(cli, &printer));
    // What still streams (logs that are followed) ends with us.
    runtime.shutdown_background();
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(3),
        Ok(Outcome::Code(code)) => ExitCode::from(code),
        Err(failure) => {
            failure.print(&printer);
            ExitCode::from(failure.code())
        }
    }
}

async fn run(cli: Cli, printer: &Printer) -> Result<Outcome, failure::Failure> {
    let Cli { global, command } = cli;
    match command {
        Command::Up(args) => commands::up::run(&global, &args, printer).await,
        Command::Down(args) => commands::down::run(&global, &args, printer).await,
        Command::Start(args) => commands::lifecycle::start(&global, &args, printer).await,
        Command::Stop(args) => commands::lifecycle::stop(&global, &args, printer).await,
        Command::Restart(args) => commands::lifecycle::restart(&global, &args, printer).await,
        Command::Ps(args) => commands::ps::run(&global, &args, printer).await,
        Command::Logs(args) => commands::logs::run(&global, &args, printer).await,
        Command::Exec(args) => commands::exec::run(&global, &args, printer).await,
        Command::Config(args) => commands::config::run(&global, &args, printer),
        Command::Build(args) => commands::build::run(&global, &args, printer).await,
        Command::Pull(args) => commands::pull::run(&global, &args, printer).await,
        Command::Images(args) => commands::images::run(&global, &args, printer).await,
        Command::Migrate(args) => commands::migrate::run(&global, &args, printer),
        Command::Rollback(args) => commands::rollback::run(&args, printer),
        Command::Explain(args) => commands::explain::run(&args, printer),
    }
}
