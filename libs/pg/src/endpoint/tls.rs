//! How a connection is encrypted.

use sqlx::postgres::PgSslMode;

use super::EndpointError;

/// How a connection is encrypted; libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Disable,
    /// Where the server offers it; its certificate is not checked.
    Prefer,
    /// Always; its certificate is not checked.
    Require,
    /// Always, and its certificate is of a known authority.
    VerifyCa,
    /// As [`TlsMode::VerifyCa`], and the certificate is for this host.
    VerifyFull,
}

impl TlsMode {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Disable, "disable"),
        (Self::Prefer, "prefer"),
        (Self::Require, "require"),
        (Self::VerifyCa, "verify-ca"),
        (Self::VerifyFull, "verify-full"),
    ];

    /// libpq's word for it.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(mode, _)| *mode == self)
            .map_or("prefer", |(_, word)| word)
    }

    pub(super) fn for_host(host: &str) -> Self {
        let local = host.starts_with('/') || ["localhost", "127.0.0.1", "::1"].contains(&host);
        if local { Self::Disable } else { Self::Prefer }
    }
}

impl std::str::FromStr for TlsMode {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().find(|(_, word)| *word == text);
        // Asking for plain text first and encryption second protects nothing: treated alike.
        let mode = known
            .map(|(mode, _)| *mode)
            .or((text == "allow").then_some(Self::Prefer));
        mode.ok_or(EndpointError::TlsMode)
    }
}

impl From<TlsMode> for PgSslMode {
    fn from(mode: TlsMode) -> Self {
        match mode {
            TlsMode::Disable => Self::Disable,
            TlsMode::Prefer => Self::Prefer,
            TlsMode::Require => Self::Require,
            TlsMode::VerifyCa => Self::VerifyCa,
            TlsMode::VerifyFull => Self::VerifyFull,
        }
    }
}
