//! The functions service as a process of its own.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(refusal) = functions::sandbox::maybe_run() {
        return refusal;
    }
    common::bootstrap::run::<functions::Config>()
}
