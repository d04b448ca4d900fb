//! What the interface has and this service has not: the original's answer where it is switched off.

use serde_json::json;
use testkit::TestRequest;

use crate::support::{Instance, assert_error};

fn ask(instance: &Instance, method: &str, path: &str) -> TestRequest {
    let service = &instance.service;
    match method {
        "GET" => service.get(path),
        "POST" => service.post(path).json(&json!({})),
        "PUT" => service.put(path).json(&json!({})),
        _ => service.delete(path),
    }
}

#[tokio::test]
async fn what_is_open_to_all_says_that_it_is_switched_off() {
    let instance = Instance::new().await;
    let (saml, oauth) = ("saml_provider_disabled", "feature_disabled");
    let cases = [
        ("POST", "/sso", 404, saml),
        ("GET", "/sso/saml/metadata", 404, saml),
        ("POST", "/sso/saml/acs", 404, saml),
        ("GET", "/.well-known/oauth-authorization-server", 404, oauth),
        ("GET", "/oauth/authorize", 404, oauth),
        ("POST", "/oauth/token", 404, oauth),
        ("POST", "/oauth/clients/register", 404, oauth),
        ("GET", "/oauth/authorizations/x", 404, oauth),
        ("POST", "/oauth/authorizations/x/consent", 404, oauth),
        (
            "POST",
            "/token?grant_type=web3",
            422,
            "web3_provider_disabled",
        ),
    ];
    for (method, path, status, code) in cases {
        assert_error(&ask(&instance, method, path).await, status, code);
    }
}

#[tokio::test]
async fn what_is_for_users_says_so_to_users() {
    let instance = Instance::new().await;
    let ada = instance.sign_up("ada@example.com").await;
    let codes = "/factors/recovery-codes";
    let enroll = "mfa_recovery_codes_enroll_not_enabled";
    let cases = [
        ("GET", "/user/oauth/grants", 404, "feature_disabled"),
        ("DELETE", "/user/oauth/grants", 404, "feature_disabled"),
        ("GET", codes, 404, "mfa_factor_not_found"),
        ("DELETE", codes, 404, "mfa_factor_not_found"),
        ("POST", codes, 422, enroll),
        ("POST", "/factors/recovery-codes/regenerate", 422, enroll),
        (
            "POST",
            "/factors/recovery-codes/verify",
            422,
            "mfa_recovery_codes_verify_not_enabled",
        ),
    ];
    for (method, path, status, code) in cases {
        let nobody = ask(&instance, method, path).await;
        assert_error(&nobody, 401, "no_authorization");
        let user = ask(&instance, method, path).bearer(&ada.access_token);
        assert_error(&user.await, status, code);
    }
}

#[tokio::test]
async fn what_is_for_administrators_says_so_to_them() {
    let instance = Instance::new().await;
    let ada = instance.sign_up("ada@example.com").await;
    let (saml, off) = ("saml_provider_disabled", "feature_disabled");
    let cases = [
        ("POST", "/admin/sso/providers", saml),
        ("PUT", "/admin/sso/providers/x", saml),
        ("GET", "/admin/oauth/clients", off),
        ("POST", "/admin/oauth/clients", off),
        ("PUT", "/admin/oauth/clients/x", off),
        ("POST", "/admin/oauth/clients/x/regenerate_secret", off),
        ("GET", "/admin/custom-providers", off),
        ("DELETE", "/admin/custom-providers/custom:x", off),
    ];
    for (method, path, code) in cases {
        let user = ask(&instance, method, path).bearer(&ada.access_token);
        assert_error(&user.await, 403, "not_admin");
        let admin = instance.admin(ask(&instance, method, path));
        assert_error(&admin.await, 404, code);
    }
    let listed = instance.admin(instance.service.get("/admin/sso/providers"));
    let listed = listed.await.expect_status(200).json();
    assert_eq!(listed, json!({ "items": [] }));
}
