//! Second factors: enrolling one, being asked for it, showing it, giving it up.

mod challenge;
mod enroll;
mod verify;

pub use challenge::{Asked, KeyRequest, KeyRequestKind, ask};
pub use enroll::{Enrolled, Enrolling, Shown, enroll, unenroll};
pub use verify::{Evidence, show};

use uuid::Uuid;

use crate::actions::caller::Caller;
use crate::domain::factor::Factor;
use crate::domain::session::Session;
use crate::error::refusal::{ANONYMOUS_REFUSED, FACTOR_NOT_FOUND};
use crate::error::{Error, Result};

/// A factor of the caller's.
fn own(caller: &Caller, id: Uuid) -> Result<&Factor> {
    let factor = caller.user.factors.iter().find(|factor| factor.id == id);
    factor.ok_or_else(|| FACTOR_NOT_FOUND.into())
}

/// The session that is strengthened, of somebody in particular.
fn session(caller: &Caller) -> Result<&Session> {
    if caller.user.is_anonymous {
        return Err(ANONYMOUS_REFUSED.into());
    }
    caller.session.as_ref().ok_or(Error::SessionNotFound)
}
