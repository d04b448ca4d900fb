//! Notifications.

use std::time::Duration;

use pg::pipeline::{Event, Listener};
use pg::{Ident, roles};
use tokio::time::timeout;

use super::{database, terminate_sessions};

#[tokio::test]
async fn notifications_are_heard_again_after_the_session_was_lost() {
    let (db, _) = database("", 1).await;
    let channels = ["pgrst", "Odd \"name\""].map(|name| Ident::new(name).expect("a name"));
    let endpoint = db.endpoint(roles::AUTHENTICATOR);
    let mut listener = Listener::new(endpoint, "pipeline-test", &channels).expect("a listener");
    for _ in 0..3 {
        assert_eq!(next(&mut listener).await, Event::Listening);
        for (channel, sql, payload) in [
            ("pgrst", "notify pgrst, 'reload schema'", "reload schema"),
            ("Odd \"name\"", "notify \"Odd \"\"name\"\"\"", ""),
        ] {
            db.execute(sql).await;
            let (channel, payload) = (channel.to_owned(), payload.to_owned());
            assert_eq!(
                next(&mut listener).await,
                Event::Notification { channel, payload }
            );
        }
        terminate_sessions(&db).await;
    }
}

#[tokio::test]
async fn nothing_is_lost_while_nobody_asks() {
    let (db, _) = database("", 1).await;
    let channels = [Ident::new("pgrst").expect("a name")];
    let endpoint = db.endpoint(roles::AUTHENTICATOR);
    let mut listener = Listener::new(endpoint, "pipeline-test", &channels).expect("a listener");
    assert_eq!(next(&mut listener).await, Event::Listening);
    for n in 0..50 {
        let _ = timeout(Duration::from_millis(1), listener.next()).await;
        db.execute(&format!("notify pgrst, '{n}'")).await;
        let Event::Notification { payload, .. } = next(&mut listener).await else {
            panic!("the session was lost");
        };
        assert_eq!(payload, n.to_string());
    }
}

async fn next(listener: &mut Listener) -> Event {
    let event = timeout(Duration::from_secs(10), listener.next()).await;
    event.expect("an event")
}
