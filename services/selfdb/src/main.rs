//! The `selfdb` command: every service in one process, and operating them.

use std::process::ExitCode;

use clap::Parser as _;
use selfdb::cli::{Cli, Command};
use selfdb::command;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(code) = functions::sandbox::maybe_run() {
        return code;
    }
    match Cli::parse().command {
        Command::Serve(args) => command::serve::run(&args),
        Command::Init(args) => command::init::run(&args),
        Command::Env(args) => command::env::run(&args),
        Command::Status(args) => command::status::run(&args),
        Command::Keys(args) => command::keys::run(&args),
        Command::Storage(args) => command::storage::run(&args),
        Command::Functions(args) => command::functions::run(&args),
    }
}
