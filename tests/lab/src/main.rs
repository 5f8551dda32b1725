//! The practice cloud: stand-ins of the outside services that a release touches.

#![expect(
    clippy::disallowed_methods,
    reason = "the clock and environment rules are the product's; a stand-in of the world reads both"
)]

mod aws;
mod call;
mod client;
mod cloudflare;
mod control;
mod database;
mod dns;
mod fault;
mod front;
mod gitlab;
mod host;
mod lab;
mod profile;
mod settings;
mod site;
mod text;
mod up;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// The practice cloud.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Run the practice cloud in the foreground until SIGTERM or SIGINT.
    Up {
        /// Folder that everything is written under.
        #[arg(long)]
        dir: PathBuf,
        /// The program `moto_server`; without it there is no AWS.
        #[arg(long)]
        moto: Option<PathBuf>,
        /// Seconds that a GitLab job takes.
        #[arg(long, default_value_t = 0.2)]
        job_seconds: f64,
        /// Seconds that a database snapshot takes.
        #[arg(long, default_value_t = 0.5)]
        rds_seconds: f64,
        /// Seconds that s3backup and databaseReset take.
        #[arg(long, default_value_t = 0.1)]
        host_seconds: f64,
        /// Seconds until the authoritative servers know of a change.
        #[arg(long, default_value_t = 0.2)]
        dns_delay: f64,
        /// The service that is practised.
        #[arg(long, value_enum, default_value_t = Profile::Gigadb)]
        profile: Profile,
    },
    /// Stop the practice cloud that uses a folder.
    Down {
        /// The folder given to `up`.
        #[arg(long)]
        dir: PathBuf,
    },
    /// The practice ssh; `bin/ssh` in the folder calls it.
    #[command(hide = true)]
    Ssh {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// A program of a practice host; its own scripts call it.
    #[command(hide = true, disable_help_flag = true)]
    Host {
        program: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Profile {
    Gigadb,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    // Read by hand: what these two are given belongs to the programs that they stand for.
    let order = match words.next().as_deref() {
        Some("ssh") => Order::Ssh { args: words.collect() },
        Some("host") => {
            Order::Host { program: words.next().unwrap_or_default(), args: words.collect() }
        }
        _ => Arguments::parse().command,
    };
    let small = matches!(order, Order::Ssh { .. } | Order::Host { .. });
    let mut builder = if small {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let Ok(runtime) = builder.enable_all().build() else { return ExitCode::FAILURE };
    let code = runtime.block_on(carry_out(order));
    // A read of standard input that nobody ends must not hold this program.
    runtime.shutdown_background();
    code
}

async fn carry_out(order: Order) -> ExitCode {
    let done = match order {
        Order::Up { dir, moto, job_seconds, rds_seconds, host_seconds, dns_delay, profile } => {
            let Profile::Gigadb = profile;
            let seconds = [job_seconds, rds_seconds, host_seconds, dns_delay];
            up::run(up::Options { dir, moto, seconds }).await
        }
        Order::Down { dir } => up::down(&dir).await,
        Order::Ssh { args } => return host::ssh_main(&args).await,
        Order::Host { program, args } => return host::program_main(&program, &args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            drop(writeln!(std::io::stderr(), "changeover-lab: {error}")); // nobody listens
            ExitCode::FAILURE
        }
    }
}
