//! Why a token is refused. All of them are a 401 to whoever sent it.

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any token of ours.
    #[error("the token is too long")]
    TooLong,
    /// Not three base64url parts that hold JSON objects; or JSON with a key twice or nested too
    /// deeply.
    #[error("the token is malformed")]
    Malformed,
    /// A header that asks for more than a plain signature: `crit`, an embedded key, a `typ` of
    /// another kind of token.
    #[error("the token's header is not acceptable")]
    Header,
    /// No key of ours has this algorithm and `kid`; `alg: none` among them.
    #[error("the token was not signed with a known key")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the token's signature is invalid")]
    Signature,
    /// The named claim is missing or has the wrong type or value.
    #[error("the token's claim {0} is missing or invalid")]
    Claim(&'static str),
    /// Past its `exp`.
    #[error("the token has expired")]
    Expired,
    /// Before its `nbf`, or issued in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
}
