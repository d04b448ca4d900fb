//! The hash alone, as the service computes it.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};

/// What the service hashes with: see its `domain/password_hash.rs`.
const MEMORY_KIB: u32 = 46 * 1024;

/// The median time of one hash on one core.
pub(super) fn cost(times: usize) -> Duration {
    let params = Params::new(MEMORY_KIB, 1, 1, Some(32)).expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; 32];
    let mut hash = || {
        let begun = Instant::now();
        let done = argon2.hash_password_into(b"correct-horse-1", b"a-salt-of-16-byt", &mut output);
        done.expect("a hash");
        begun.elapsed()
    };
    let mut costs: Vec<Duration> = (0..times).map(|_| hash()).collect();
    costs.sort();
    super::quantile(&costs, 0.5)
}
