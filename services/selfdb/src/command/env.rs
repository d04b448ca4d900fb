//! `selfdb env`: writes the env file.

use std::fs;
use std::process::ExitCode;

use common::{SystemClock, SystemRandomness};

use crate::cli::EnvFileArgs;
use crate::env_file::{self, Completion};

/// Makes or completes the env file; says on standard output what it did, and the admin's password
/// where one was made.
#[expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "the answer of the command"
)]
pub fn run(args: &EnvFileArgs) -> ExitCode {
    let example = match fs::read_to_string(&args.example) {
        Ok(example) => example,
        Err(error) => {
            return super::fail(&format!("{}: {error}", args.example.display()).into());
        }
    };
    let path = args.env_file.display();
    match env_file::complete(&args.env_file, &example, &SystemClock, &SystemRandomness) {
        Ok(Completion::Kept) => println!("kept {path}"),
        Ok(Completion::Generated { admin_password }) => {
            println!("wrote {path} with new secrets");
            if let Some(password) = admin_password {
                println!("admin password: {password}");
            }
        }
        Err(error) => return super::fail(&error.into()),
    }
    ExitCode::SUCCESS
}
