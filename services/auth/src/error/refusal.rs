//! Refusals that are told apart by their code alone, as the wire names them.

use axum::http::StatusCode;

/// A request that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The code that programs tell it apart by.
    pub code: &'static str,
    /// What the client is told.
    pub message: &'static str,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $code:literal, $message:literal;)*) => {
        $($(#[$doc])* pub const $name: Refusal = Refusal {
            status: StatusCode::$status,
            code: $code,
            message: $message,
        };)*
    };
}

refusals! {
    /// A code or link that is wrong, used, or too old.
    OTP_EXPIRED = FORBIDDEN, "otp_expired", "Token has expired or is invalid";
    /// The same of a link in a letter.
    LINK_EXPIRED = FORBIDDEN, "otp_expired", "Email link is invalid or has expired";
    /// Nobody has an account, and none is to be made.
    OTP_DISABLED = UNPROCESSABLE_ENTITY, "otp_disabled", "Signups not allowed for otp";
    /// A code of a sign-in that nobody began.
    FLOW_STATE_NOT_FOUND = NOT_FOUND, "flow_state_not_found", "invalid flow state, no valid flow state found";
    /// A code of a sign-in that began too long ago.
    FLOW_STATE_EXPIRED = FORBIDDEN, "flow_state_expired", "invalid flow state, flow state has expired";
    /// Whoever comes back is not who began.
    BAD_CODE_VERIFIER = BAD_REQUEST, "bad_code_verifier", "code challenge does not match previously saved code verifier";
    /// A nonce that was not sent, or too long ago.
    REAUTHENTICATION_NOT_VALID = UNPROCESSABLE_ENTITY, "reauthentication_not_valid", "Nonce has expired or is invalid";
    /// The number has not been shown.
    REAUTHENTICATION_IMPOSSIBLE = UNPROCESSABLE_ENTITY, "validation_failed", "Reauthentication requires the user to have an email or a phone number";
    /// A channel that nothing is sent by.
    SMS_CHANNEL = BAD_REQUEST, "validation_failed", "Invalid channel, supported values are 'sms' or 'whatsapp'";
    /// No such factor of the user's.
    FACTOR_NOT_FOUND = NOT_FOUND, "mfa_factor_not_found", "Factor not found";
    /// No such challenge of the factor.
    CHALLENGE_NOT_FOUND = NOT_FOUND, "mfa_factor_not_found", "MFA factor with the provided challenge ID not found";
    /// A challenge that is too old, or was answered.
    CHALLENGE_EXPIRED = UNPROCESSABLE_ENTITY, "mfa_challenge_expired", "MFA challenge has expired, verify against another challenge or create a new challenge.";
    /// A wrong code.
    MFA_CODE_WRONG = UNPROCESSABLE_ENTITY, "mfa_verification_failed", "Invalid TOTP code entered";
    /// Another factor of the user's has the name.
    FACTOR_NAME_CONFLICT = UNPROCESSABLE_ENTITY, "mfa_factor_name_conflict", "A factor with the friendly name for this user already exists";
    /// Who is nobody in particular has nothing to protect.
    ANONYMOUS_REFUSED = FORBIDDEN, "no_authorization", "Anonymous user not allowed to perform these actions";
    /// As many factors as one may have.
    TOO_MANY_FACTORS = UNPROCESSABLE_ENTITY, "too_many_enrolled_mfa_factors", "Maximum number of verified factors reached, unenroll to continue";
    /// A phone that counts already.
    PHONE_FACTOR_EXISTS = UNPROCESSABLE_ENTITY, "mfa_verified_factor_exists", "A verified phone factor already exists, unenroll the existing factor to continue";
    /// A second second factor needs the first.
    ENROLL_NEEDS_AAL2 = FORBIDDEN, "insufficient_aal", "AAL2 required to enroll a new factor";
    /// Giving a factor up needs the factor.
    UNENROLL_NEEDS_AAL2 = UNPROCESSABLE_ENTITY, "insufficient_aal", "AAL2 required to unenroll verified factor";
    /// What opens the account needs the second factor.
    UPDATE_NEEDS_AAL2 = UNAUTHORIZED, "insufficient_aal", "AAL2 session is required to update email or password when MFA is enabled.";
    /// No authenticator apps here.
    TOTP_ENROLL_DISABLED = UNPROCESSABLE_ENTITY, "mfa_totp_enroll_not_enabled", "MFA enroll is disabled for TOTP";
    /// The same of codes.
    TOTP_VERIFY_DISABLED = UNPROCESSABLE_ENTITY, "mfa_totp_verify_not_enabled", "MFA verification is disabled for TOTP";
    /// No phones here.
    PHONE_ENROLL_DISABLED = UNPROCESSABLE_ENTITY, "mfa_phone_enroll_not_enabled", "MFA enroll is disabled for Phone";
    /// The same of codes.
    PHONE_VERIFY_DISABLED = UNPROCESSABLE_ENTITY, "mfa_phone_verify_not_enabled", "MFA verification is disabled for Phone";
    /// No security keys here.
    WEBAUTHN_ENROLL_DISABLED = UNPROCESSABLE_ENTITY, "mfa_webauthn_enroll_not_enabled", "MFA enroll is disabled for WebAuthn";
    /// The same of answers.
    WEBAUTHN_VERIFY_DISABLED = UNPROCESSABLE_ENTITY, "mfa_webauthn_verify_not_enabled", "MFA verification is disabled for WebAuthn";
    /// No recovery codes here.
    RECOVERY_CODES_ENROLL_DISABLED = UNPROCESSABLE_ENTITY, "mfa_recovery_codes_enroll_not_enabled", "MFA enroll is disabled for recovery codes";
    /// The same of showing one.
    RECOVERY_CODES_VERIFY_DISABLED = UNPROCESSABLE_ENTITY, "mfa_recovery_codes_verify_not_enabled", "MFA verification is disabled for recovery codes";
    /// Nobody has any.
    RECOVERY_CODES_NOT_FOUND = NOT_FOUND, "mfa_factor_not_found", "The user has not enrolled recovery codes";
    /// A security key's answer that does not hold.
    WEBAUTHN_FACTOR_WRONG = UNPROCESSABLE_ENTITY, "mfa_verification_failed", "The security key's answer does not hold";
    /// Keys of another domain than ours.
    WEBAUTHN_RP_UNKNOWN = BAD_REQUEST, "validation_failed", "WebAuthn: the relying party ID is not this server's";
    /// No passkeys here.
    PASSKEYS_DISABLED = NOT_FOUND, "passkey_disabled", "Passkeys are disabled";
    /// A passkey's answer that does not hold.
    WEBAUTHN_FAILED = BAD_REQUEST, "webauthn_verification_failed", "Credential verification failed";
    /// Nothing was asked, or it was answered before.
    WEBAUTHN_CHALLENGE_NOT_FOUND = BAD_REQUEST, "webauthn_challenge_not_found", "Challenge not found or already used";
    /// It was asked too long ago.
    WEBAUTHN_CHALLENGE_EXPIRED = BAD_REQUEST, "webauthn_challenge_expired", "Challenge has expired";
    /// Somebody has registered the passkey.
    PASSKEY_EXISTS = UNPROCESSABLE_ENTITY, "webauthn_credential_exists", "This credential is already registered";
    /// As many passkeys as one may have.
    TOO_MANY_PASSKEYS = UNPROCESSABLE_ENTITY, "too_many_passkeys", "Maximum number of passkeys reached";
    /// Single sign-on owns the account.
    PASSKEY_OF_SSO = UNPROCESSABLE_ENTITY, "validation_failed", "SSO users cannot register passkeys";
    /// What opens the account needs the second factor.
    PASSKEY_NEEDS_AAL2 = FORBIDDEN, "insufficient_aal", "AAL2 session is required to manage passkeys when MFA is enabled.";
    /// No such passkey of the user's.
    PASSKEY_NOT_FOUND = NOT_FOUND, "validation_failed", "Passkey not found";
    /// A banned user, whom something else than a password shows.
    USER_BANNED = FORBIDDEN, "user_banned", "User is banned";
    /// A passkey of a user whose address is not confirmed.
    PASSKEY_EMAIL_NOT_CONFIRMED = FORBIDDEN, "email_not_confirmed", "Email not confirmed";
    /// The same of a number.
    PASSKEY_PHONE_NOT_CONFIRMED = FORBIDDEN, "phone_not_confirmed", "Phone not confirmed";
    /// No identity is linked by hand here.
    MANUAL_LINKING_DISABLED = NOT_FOUND, "manual_linking_disabled", "Manual linking is disabled";
    /// No such identity of the user's.
    IDENTITY_NOT_FOUND = UNPROCESSABLE_ENTITY, "identity_not_found", "Identity doesn't exist";
    /// The last way to sign in.
    SINGLE_IDENTITY = UNPROCESSABLE_ENTITY, "single_identity_not_deletable", "User must have at least 1 identity after unlinking";
    /// A letter to an account that is confirmed.
    EMAIL_REGISTERED = UNPROCESSABLE_ENTITY, "email_exists", "A user with this email address has already been registered";
    /// No account has this address.
    EMAIL_UNKNOWN = NOT_FOUND, "user_not_found", "User with this email not found";
    /// No such provider here.
    PROVIDER_DISABLED = BAD_REQUEST, "validation_failed", "Unsupported provider: provider is not enabled";
    /// A sign-in that this browser did not begin, or that ended before.
    BAD_OAUTH_STATE = BAD_REQUEST, "bad_oauth_state", "OAuth state is invalid, expired, or of another browser";
    /// A provider that did not tell who somebody is.
    BAD_OAUTH_CALLBACK = BAD_REQUEST, "bad_oauth_callback", "The provider did not tell who it is";
    /// A provider, or the user there, said no.
    PROVIDER_SAID_NO = FORBIDDEN, "bad_oauth_callback", "The provider refused the sign-in";
    /// Somebody else's identity.
    IDENTITY_EXISTS = UNPROCESSABLE_ENTITY, "identity_already_exists", "Identity is already linked to another user";
    /// An address that the provider does not vouch for.
    PROVIDER_EMAIL_UNVERIFIED = UNPROCESSABLE_ENTITY, "provider_email_needs_verification", "The provider has not verified the email address";
    /// No address at all.
    PROVIDER_EMAIL_MISSING = UNPROCESSABLE_ENTITY, "validation_failed", "Error getting user email from external provider";
    /// No single sign-on by SAML here.
    SAML_DISABLED = NOT_FOUND, "saml_provider_disabled", "SAML 2.0 is disabled";
    /// Others cannot sign their users in by us.
    OAUTH_SERVER_DISABLED = NOT_FOUND, "feature_disabled", "OAuth server is disabled";
    /// Providers are configuration, and cannot be made at run time.
    CUSTOM_PROVIDERS_DISABLED = NOT_FOUND, "feature_disabled", "Custom OAuth providers are disabled";
    /// No signing in by a wallet here.
    WEB3_DISABLED = UNPROCESSABLE_ENTITY, "web3_provider_disabled", "Web3 provider is disabled";
    /// A hook that took too long.
    HOOK_TIMEOUT = UNPROCESSABLE_ENTITY, "hook_timeout", "Failed to reach hook within maximum time of 5.000000 seconds";
    /// A hook that said too much.
    HOOK_PAYLOAD_TOO_LARGE = UNPROCESSABLE_ENTITY, "hook_payload_over_size_limit", "Payload size exceeded size limit of 200 KB";
    /// No proof that somebody is there.
    CAPTCHA_FAILED = BAD_REQUEST, "captcha_failed", "captcha protection: request disallowed (no captcha_token found or it is invalid)";
    /// The provider of text messages refused one.
    SMS_SEND_FAILED = UNPROCESSABLE_ENTITY, "sms_send_failed", "Error sending the text message";
}
