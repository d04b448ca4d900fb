//! What a SQLSTATE means over HTTP: PostgREST's documented table, once, and which errors only say
//! that Postgres is away for a moment.

use std::borrow::Cow;

use sqlx::Error;

/// A key that another row refers to, or that refers to none.
pub const FOREIGN_KEY_VIOLATION: &str = "23503";
/// A value another row has.
pub const UNIQUE_VIOLATION: &str = "23505";
/// A value its column's check refuses.
pub const CHECK_VIOLATION: &str = "23514";
/// The role may not do this; also row-level security's answer to a write.
pub const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// No such table or view.
pub const UNDEFINED_TABLE: &str = "42P01";
/// No such function.
pub const UNDEFINED_FUNCTION: &str = "42883";
/// Cancelled, by a statement time-out or by request.
pub const QUERY_CANCELED: &str = "57014";
/// Writes need space that the disk does not have.
pub const DISK_FULL: &str = "53100";

/// The SQLSTATE of `error`, where Postgres sent one.
pub fn of(error: &Error) -> Option<Cow<'_, str>> {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
}

/// The HTTP status of a SQLSTATE, for a message that is not known; see [`http_status_for`].
pub fn http_status(code: &str, authenticated: bool) -> u16 {
    http_status_for(code, "", authenticated)
}

/// The HTTP status of a SQLSTATE, by PostgREST's table
/// (<https://docs.postgrest.org/en/stable/references/errors.html#http-status-codes>).
/// Different here: 57P02 and 57P03 (Postgres restarts) are 503 like 57P01, and 53100 (disk full)
/// is 507, so that clients can tell it from a passing shortage.
///
/// `authenticated` tells whether the request came from more than the anonymous role: a missing
/// privilege is 401 for anon, who may sign in, and 403 for the others.
pub fn http_status_for(code: &str, message: &str, authenticated: bool) -> u16 {
    match code {
        INSUFFICIENT_PRIVILEGE => {
            if authenticated {
                403
            } else {
                401
            }
        }
        FOREIGN_KEY_VIOLATION | UNIQUE_VIOLATION => 409,
        "25006" => 405,
        "21000" if message.ends_with("requires a WHERE clause") => 400,
        "21000" | "42P17" | "53400" => 500,
        "22023" if is_unknown_role(message) => 401,
        DISK_FULL => 507,
        UNDEFINED_FUNCTION if message.starts_with("function xmlagg(") => 406,
        UNDEFINED_FUNCTION | UNDEFINED_TABLE => 404,
        "P0001" => 400,
        _ => raised_status(code).unwrap_or_else(|| class_status(code)),
    }
}

/// `raise … using errcode = 'PT402'` picks the status itself; one that HTTP does not have is 500.
fn raised_status(code: &str) -> Option<u16> {
    let digits = code.strip_prefix("PT")?;
    let status = digits
        .parse()
        .ok()
        .filter(|status| (100..600).contains(status));
    Some(status.unwrap_or(500))
}

fn class_status(code: &str) -> u16 {
    if code.starts_with("57P0") {
        return 503;
    }
    match code.get(..2).unwrap_or_default() {
        "08" | "53" => 503,
        "0L" | "0P" | "28" => 403,
        "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0"
        | "HV" | "P0" | "XX" => 500,
        _ => 400,
    }
}

fn is_unknown_role(message: &str) -> bool {
    message.starts_with("role") && message.ends_with("does not exist")
}

/// Whether `error` means that Postgres is away, restarting or full, not that the request was
/// wrong: answer 503 with `Retry-After: 1`.
pub fn is_unavailable(error: &Error) -> bool {
    let transport = matches!(
        error,
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed
    );
    transport || of(error).is_some_and(|code| http_status(&code, true) == 503)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_table() {
        let table = [
            ("08006", 503),
            ("09000", 500),
            ("0L000", 403),
            ("0P000", 403),
            ("21000", 500),
            ("22023", 400),
            ("22P02", 400),
            ("23502", 400),
            ("23503", 409),
            ("23505", 409),
            ("23514", 400),
            ("25006", 405),
            ("25P02", 500),
            ("28P01", 403),
            ("2D000", 500),
            ("38000", 500),
            ("39000", 500),
            ("3B000", 500),
            ("40001", 500),
            ("42501", 403),
            ("42601", 400),
            ("42883", 404),
            ("42P01", 404),
            ("42P17", 500),
            ("53300", 503),
            ("53400", 500),
            ("54001", 500),
            ("55006", 500),
            ("57014", 500),
            ("57P01", 503),
            ("57P03", 503),
            ("58030", 500),
            ("F0000", 500),
            ("HV000", 500),
            ("P0001", 400),
            ("P0002", 500),
            ("PT402", 402),
            ("PT200", 200),
            ("PT999", 500),
            ("PTabc", 500),
            ("XX000", 500),
            ("", 400),
            ("é", 400),
        ];
        for (code, status) in table {
            assert_eq!(http_status(code, true), status, "{code}");
        }
    }

    #[test]
    fn a_missing_privilege_asks_anon_to_sign_in() {
        assert_eq!(http_status(INSUFFICIENT_PRIVILEGE, false), 401);
    }

    #[test]
    fn the_message_decides_where_the_documentation_says_so() {
        let status = |code, message| http_status_for(code, message, true);
        assert_eq!(status("22023", "role \"ghost\" does not exist"), 401);
        assert_eq!(status("21000", "DELETE requires a WHERE clause"), 400);
        assert_eq!(status("42883", "function xmlagg(text) does not exist"), 406);
    }

    #[test]
    fn a_refused_connection_is_unavailable_and_a_missing_row_is_not() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(is_unavailable(&Error::Io(refused)));
        assert!(!is_unavailable(&Error::RowNotFound));
    }
}
