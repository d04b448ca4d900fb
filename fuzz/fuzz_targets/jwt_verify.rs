#![no_main]
//! A token as it comes, and one whose header and payload are anything and whose form is right.

use std::sync::{Arc, LazyLock};

use common::{EnvironmentMap, Settings, SystemClock};
use jwt::{JwtConfig, Verifier};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let secret = "a-secret-that-nobody-uses-elsewhere";
    let environment = EnvironmentMap::from_iter([("JWT_SECRET", secret)]);
    let config = JwtConfig::from_settings(&Settings::new(&environment));
    config.expect("a configuration").verifier(Arc::new(SystemClock))
});

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let number = number << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(char::from(DIGITS[(number >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    text
}

libfuzzer_sys::fuzz_target!(|data: (&str, &[u8], &[u8])| {
    let (token, header, payload) = data;
    // Nobody can sign one.
    assert!(VERIFIER.verify(token).is_err());
    let token = format!("{}.{}.{}", base64(header), base64(payload), base64(b"signature"));
    assert!(VERIFIER.verify(&token).is_err());
});
