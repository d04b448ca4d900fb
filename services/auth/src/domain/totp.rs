//! Codes of authenticator apps (RFC 6238): six digits, SHA-1, half a minute, as the apps expect.

use common::{Randomness, Secret};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use totp_rs::{Algorithm, Builder};

/// The random bytes of a secret: as many as SHA-1 has (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
/// Steps that clocks of an app and ours may differ, in both directions.
const SKEW: u16 = 1;

/// Why a secret or a picture of it cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TotpFault {
    /// Not a secret of an authenticator app.
    #[error("the stored secret of an authenticator app cannot be used")]
    Secret,
    /// Too long for a picture.
    #[error("the address of the secret does not fit into a QR code")]
    Picture,
}

/// A new secret, in base32.
pub fn new_secret(randomness: &dyn Randomness) -> Secret {
    let mut bytes = [0; SECRET_BYTES];
    randomness.fill(&mut bytes);
    Secret::from(totp_rs::Secret::from(bytes.to_vec()).to_base32())
}

/// The address that apps read: `otpauth://totp/…`.
pub fn address(secret: &Secret, issuer: &str, account: &str) -> String {
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (label, issuer) = (escaped(&format!("{issuer}:{account}")), escaped(issuer));
    let secret = secret.expose();
    format!(
        "otpauth://totp/{label}?algorithm=SHA1&digits={DIGITS}&issuer={issuer}\
         &period={STEP_SECONDS}&secret={secret}"
    )
}

/// A picture of an address for apps to look at, as SVG.
pub fn picture(address: &str) -> Result<String, TotpFault> {
    let code =
        QrCode::with_error_correction_level(address, EcLevel::M).map_err(|_| TotpFault::Picture)?;
    let picture = code
        .render::<svg::Color<'_>>()
        .min_dimensions(200, 200)
        .build();
    // Without the XML declaration, so that it can stand in a page and in a data: address.
    let start = picture.find("<svg").ok_or(TotpFault::Picture)?;
    Ok(picture.get(start..).unwrap_or_default().replace('#', "%23"))
}

/// The time step of a code that is right at `now`, in seconds since 1970.
pub fn step_of(secret: &Secret, code: &str, now: u64) -> Result<Option<u64>, TotpFault> {
    let secret = totp_rs::Secret::try_from_base32(secret.expose().trim_end_matches('='));
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(SKEW)
        .with_step_duration(STEP_SECONDS)
        .with_secret(secret.map_err(|_| TotpFault::Secret)?)
        .build_noncompliant();
    Ok(totp.check(code, now))
}

#[cfg(test)]
mod tests {
    use common::SystemRandomness;

    use super::*;

    #[test]
    fn codes_of_the_specification_are_right_in_their_step() {
        // RFC 6238, appendix B: the secret is "12345678901234567890", the code of 59 s 94287082.
        let secret = Secret::from("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let step = step_of(&secret, "287082", 59).expect("a secret");
        assert!(step.is_some());
        assert_eq!(step_of(&secret, "287082", 59 + 61).expect("a secret"), None);
        assert_eq!(step_of(&secret, "287083", 59).expect("a secret"), None);
        assert_eq!(step_of(&secret, "", 59).expect("a secret"), None);
    }

    #[test]
    fn apps_are_shown_an_address() {
        let secret = new_secret(&SystemRandomness);
        assert_eq!(secret.expose().len(), 32);
        let address = address(&secret, "example.org", "ada@example.com");
        assert!(address.starts_with("otpauth://totp/example%2Eorg%3Aada%40example%2Ecom?"));
        let picture = picture(&address).expect("a picture");
        assert!(picture.starts_with("<svg") && !picture.contains('#'));
    }
}
