//! The gateway as a process of its own, in front of services elsewhere.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    common::bootstrap::run::<gateway::Config>()
}
