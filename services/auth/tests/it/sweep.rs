//! Removing what nobody asks for any more.

use std::time::Duration;

use auth::actions::sweep::sweep;
use common::{Clock as _, SystemClock};

use crate::support::{Instance, PASSWORD};

#[tokio::test]
async fn old_replaced_tokens_and_ended_sessions_go_and_nothing_else() {
    let instance = Instance::new().await;
    let session = instance.sign_up("ada@example.com").await;
    let _ = instance
        .refresh(&session.refresh_token)
        .await
        .expect_status(200);
    let _ = instance
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect_status(200);
    instance
        .db
        .execute(
            "update auth.sessions set not_after = now() where id = \
             (select id from auth.sessions order by created_at desc, id limit 1)",
        )
        .await;
    let tokens = "select count(*) from auth.refresh_tokens";
    let sessions = "select count(*) from auth.sessions";
    let pool = instance.db.admin_pool();
    let day = Duration::from_hours(24);

    sweep(&pool, SystemClock.now() + 2 * day)
        .await
        .expect("swept");
    assert_eq!(
        (
            instance.number(tokens).await,
            instance.number(sessions).await
        ),
        (3, 2)
    );
    sweep(&pool, SystemClock.now() + 31 * day)
        .await
        .expect("swept");
    assert_eq!(instance.number(sessions).await, 1);
    let revoked = "select count(*) from auth.refresh_tokens where revoked";
    assert_eq!(instance.number(revoked).await, 0);
}
