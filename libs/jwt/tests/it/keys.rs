//! Public keys, and one token signed with each. The private keys were thrown away.

/// A JWK set of an RSA and a P-256 key.
pub(crate) const JWKS: &str = concat!(
    r#"{"keys":[{"kty":"RSA","kid":"rsa-1","alg":"RS256","use":"sig","e":"AQAB","n":""#,
    "sYQSR2qvFMDLPVuE5OVv6xr5DKwScbj1FKWm3culkwNMrZR0sJn8Npjq7ZEei2RYtJ-J82cat47yz-AOKmBL34eW",
    "Fp4mfwkUbS63I_-Ex38sKXg5Q4LaeJOzHiZyizijTpUvkGlwCMYF-mzecs4hPDhbV7cf0txbNrvTKVXax-D1swsh",
    "r-clfSXs_YU18d2lK5tC61J3HYMhu_Tb85SX1FbEPZfbeklclA1y4TMpIfQ9DGMFshq0_9SWW9i7aOLx7mGULySP",
    "u7Pb3SClyWPR_ZWMy22s6VHFQgddQQQ-9BIzryxnAdJW2ShEdlydtsEqWwfYKd_k7aR6_cWx1aKHxw",
    r#""},{"kty":"EC","kid":"ec-1","alg":"ES256","crv":"P-256","x":"GHK3z6-w4aQbmAW5PGgWhfO428jLNkq15WObmj2g5ac","#,
    r#""y":"Uboiz5hh4mTuQqiJOPwizS5AuOKrrFY6r_b-_9FPo8Y"}]}"#,
);

/// The RSA key as PEM: what an attacker would use as an HMAC secret.
pub(crate) const RSA_PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsYQSR2qvFMDLPVuE5OVv
6xr5DKwScbj1FKWm3culkwNMrZR0sJn8Npjq7ZEei2RYtJ+J82cat47yz+AOKmBL
34eWFp4mfwkUbS63I/+Ex38sKXg5Q4LaeJOzHiZyizijTpUvkGlwCMYF+mzecs4h
PDhbV7cf0txbNrvTKVXax+D1swshr+clfSXs/YU18d2lK5tC61J3HYMhu/Tb85SX
1FbEPZfbeklclA1y4TMpIfQ9DGMFshq0/9SWW9i7aOLx7mGULySPu7Pb3SClyWPR
/ZWMy22s6VHFQgddQQQ+9BIzryxnAdJW2ShEdlydtsEqWwfYKd/k7aR6/cWx1aKH
xwIDAQAB
-----END PUBLIC KEY-----
";

/// `role: authenticated`, ends at 1767229200, RS256, kid `rsa-1`.
pub(crate) const RS256_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYS0xIn0.eyJyb2xlIjoiYXV0aGVudGljYXRlZCIsInN1YiI6IjhhN2I2",
    "YzVkLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMSIsImV4cCI6MTc2NzIyOTIwMH0.h_i8r1pY6hIHIaInMKr0",
    "Q5sbehThEeDMwgM-MaQ67oHzAif6W3qTWotkj_FEszZcVGr5Ef1pZxAcqka5wjMg60evH-gN0ikl_ZmlCq4C35Wf",
    "UtUN-Yi8abBQruGcz50qDTjwAEd2XwAD7dHU-Z0DorkktmFUUoNStjqaie00DDdhueM9ODOyw-ofgpyfS-0qvbun",
    "libupZ271cWuZDiewZze6gwnX9MAw6jX4ETvS9kIjPE5yhjTlYTZu4cBPOgOvZSNVWCtIWXTDx44onMtpTIUTegW",
    "7JynS3J_6NdTZkXzdo_ija-Uq8eFKcEiZOblBYH_c_U3xrXL7UxGjEtT-A",
);

/// The same claims, ES256, kid `ec-1`.
pub(crate) const ES256_TOKEN: &str = concat!(
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjLTEiLCJ0eXAiOiJKV1QifQ.eyJyb2xlIjoiYXV0aGVudGljYXRlZCIsI",
    "nN1YiI6IjhhN2I2YzVkLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMSIsImV4cCI6MTc2NzIyOTIwMH0.dKH5n",
    "5yxrCETvqrAFCfcivRUDP8Q0y-t3BjG7jMO7BDoAA-wsyQREE0JcPs8NE1Op1CeG3mH6TLX3GHCPDtQfQ",
);
