//! Many refreshes of one token at once: they converge, and nobody is locked out.

use std::collections::HashSet;

use crate::support::{Instance, Session};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_refreshes_of_one_token_leave_one_live_family() {
    let instance = Instance::new().await;
    let first = instance.sign_up("ada@example.com").await;
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..100 {
        attempts.spawn(instance.refresh(&first.refresh_token).into_future());
    }
    let responses = attempts.join_all().await;
    let tokens: HashSet<String> = responses
        .into_iter()
        .map(|response| Session::of(&response.expect_status(200)).refresh_token)
        .collect();
    assert_eq!(tokens.len(), 1, "all got one token");
    assert_eq!(
        instance.number("select count(*) from auth.sessions").await,
        1
    );
    let active = "select count(*) from auth.refresh_tokens where not revoked";
    assert_eq!(instance.number(active).await, 1);
    let token = tokens.into_iter().next().expect("a token");
    assert_ne!(token, first.refresh_token);
    let next = Session::of(&instance.refresh(&token).await.expect_status(200));
    assert_ne!(next.refresh_token, token);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_converge_too() {
    let instance = Instance::new().await;
    let node = instance.another_node(&[]).await;
    let mut token = instance.sign_up("ada@example.com").await.refresh_token;
    for _ in 0..10 {
        let body = serde_json::json!({ "refresh_token": token });
        let elsewhere = node.post("/token?grant_type=refresh_token").json(&body);
        let (here, there) = tokio::join!(
            tokio::spawn(instance.refresh(&token).into_future()),
            tokio::spawn(elsewhere.into_future()),
        );
        let here = Session::of(&here.expect("answered").expect_status(200));
        let there = Session::of(&there.expect("answered").expect_status(200));
        assert_eq!(here.refresh_token, there.refresh_token);
        token = here.refresh_token;
    }
}
