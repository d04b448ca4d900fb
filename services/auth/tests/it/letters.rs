//! Letters, and what their readers prove by them.

mod changing;
mod confirming;
mod sending;
mod signing_in;

use serde_json::json;

use crate::post_office::PostOffice;
use crate::support::{PASSWORD, Session};

/// Signs up and confirms.
pub(crate) async fn confirmed(office: &PostOffice, email: &str) -> Session {
    let body = json!({ "email": email, "password": PASSWORD });
    let _ = office.post("/signup", &body).await.expect_status(200);
    let letter = office.received(email).await;
    let body = json!({ "type": "signup", "email": email, "token": letter.code.expose() });
    Session::of(&office.post("/verify", &body).await.expect_status(200))
}
