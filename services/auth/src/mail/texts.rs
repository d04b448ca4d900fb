//! What letters say where the operator wrote nothing else.

use super::LetterKind;

/// The subject of a letter.
pub(super) fn subject(kind: LetterKind) -> &'static str {
    match kind {
        LetterKind::Confirmation => "Confirm Your Signup",
        LetterKind::Invite => "You have been invited",
        LetterKind::Recovery => "Reset Your Password",
        LetterKind::MagicLink => "Your Magic Link",
        LetterKind::EmailChange => "Confirm Email Change",
        LetterKind::Reauthentication => "Confirm reauthentication",
    }
}

/// The HTML of a letter.
pub(super) fn body(kind: LetterKind) -> &'static str {
    match kind {
        LetterKind::Confirmation => {
            "<h2>Confirm your address</h2>\n\
             <p>Follow this link to confirm your account:</p>\n\
             <p><a href=\"{{ .ConfirmationURL }}\">Confirm your address</a></p>\n\
             <p>Or enter the code: {{ .Token }}</p>\n"
        }
        LetterKind::Invite => {
            "<h2>You have been invited</h2>\n\
             <p>You have been invited to create an account on {{ .SiteURL }}. Follow this link to \
             accept:</p>\n\
             <p><a href=\"{{ .ConfirmationURL }}\">Accept the invitation</a></p>\n\
             <p>Or enter the code: {{ .Token }}</p>\n"
        }
        LetterKind::Recovery => {
            "<h2>Reset your password</h2>\n\
             <p>Follow this link to choose a new password:</p>\n\
             <p><a href=\"{{ .ConfirmationURL }}\">Reset password</a></p>\n\
             <p>Or enter the code: {{ .Token }}</p>\n"
        }
        LetterKind::MagicLink => {
            "<h2>Sign in</h2>\n\
             <p>Follow this link to sign in:</p>\n\
             <p><a href=\"{{ .ConfirmationURL }}\">Sign in</a></p>\n\
             <p>Or enter the code: {{ .Token }}</p>\n"
        }
        LetterKind::EmailChange => {
            "<h2>Confirm your new address</h2>\n\
             <p>Follow this link to confirm the change of your address from {{ .Email }} to \
             {{ .NewEmail }}:</p>\n\
             <p><a href=\"{{ .ConfirmationURL }}\">Change address</a></p>\n\
             <p>Or enter the code: {{ .Token }}</p>\n"
        }
        LetterKind::Reauthentication => {
            "<h2>Confirm that it is you</h2>\n\
             <p>Enter the code: {{ .Token }}</p>\n"
        }
    }
}
