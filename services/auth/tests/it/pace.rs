//! What the time of an answer tells: nothing.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;

use crate::support::Instance;

#[tokio::test]
async fn whether_there_is_an_account_is_not_told_by_the_time() {
    // A mail server that takes connections and never says a word.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = silent.local_addr().expect("a bound port").port();
    let instance = Instance::with(&[
        ("GOTRUE_SMTP_HOST", "127.0.0.1"),
        ("GOTRUE_SMTP_PORT", &port.to_string()),
        ("GOTRUE_SMTP_ADMIN_EMAIL", "auth@example.org"),
        ("GOTRUE_SMTP_MAX_FREQUENCY", "0"),
        ("GOTRUE_MAILER_AUTOCONFIRM", "true"),
    ])
    .await;
    instance.sign_up("ada@example.com").await;
    for path in ["/recover", "/otp", "/magiclink", "/resend"] {
        for email in ["ada@example.com", "nobody@example.com"] {
            let body = json!({ "email": email, "type": "signup" });
            let begun = Instant::now();
            let answer = instance.service.post(path).json(&body).await;
            let took = begun.elapsed();
            let _ = answer.expect_status(200);
            // What the mail server does with 15 seconds is not part of it.
            let pace = Duration::from_millis(100)..Duration::from_secs(8);
            assert!(pace.contains(&took), "{path} {email}: {took:?}");
        }
    }
}
