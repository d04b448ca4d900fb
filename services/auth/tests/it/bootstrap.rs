//! The platform's first administrator.

use auth::{Config, EnsuredAdmin, ensure_admin};
use common::Secret;

use crate::support::{Instance, PASSWORD, Session, assert_error};

#[tokio::test]
async fn the_first_administrator_is_made_once_and_left_alone() {
    let instance = Instance::new().await;
    let config = testkit::config::<Config>(&instance.db.settings());
    let ensure = |password: &'static str| {
        let config = config.clone();
        async move { ensure_admin(&config, "Admin@Example.com", &Secret::from(password)).await }
    };
    let first = ensure(PASSWORD).await.expect("ensured");
    let EnsuredAdmin::Created(id) = first else {
        panic!("{first:?}");
    };
    let again = ensure("another-password").await.expect("ensured");
    assert_eq!(again, EnsuredAdmin::AlreadyThere(id));

    let admin = Session::of(&instance.sign_in("admin@example.com", PASSWORD).await);
    assert_eq!(admin.claims()["app_metadata"]["is_superuser"], true);
    assert_eq!(admin.claims()["role"], "authenticated");
    let users = instance
        .service
        .get("/admin/users")
        .bearer(&admin.access_token)
        .await;
    let _ = users.expect_status(200);
    let response = instance
        .sign_in("admin@example.com", "another-password")
        .await;
    assert_error(&response, 400, "invalid_credentials");
    let admins = "select count(*) from auth.users where is_super_admin";
    assert_eq!(instance.number(admins).await, 1);
}

#[tokio::test]
async fn at_once_one_administrator_is_made() {
    let instance = Instance::new().await;
    let config = testkit::config::<Config>(&instance.db.settings());
    let password = Secret::from(PASSWORD);
    let ensure = || ensure_admin(&config, "admin@example.com", &password);
    let (one, other) = tokio::join!(ensure(), ensure());
    let created = [one.expect("ensured"), other.expect("ensured")]
        .iter()
        .filter(|ensured| matches!(ensured, EnsuredAdmin::Created(_)))
        .count();
    assert_eq!(created, 1);
}

#[tokio::test]
async fn an_address_or_password_that_breaks_the_rules_is_refused() {
    let instance = Instance::new().await;
    let config = testkit::config::<Config>(&instance.db.settings());
    let short = ensure_admin(&config, "admin@example.com", &Secret::from("short")).await;
    assert!(short.is_err());
    let address = ensure_admin(&config, "admin", &Secret::from(PASSWORD)).await;
    assert!(address.is_err());
}
