use common::EnvironmentMap;

use super::*;

#[test]
fn a_url_is_read_and_written_back() {
    let endpoint = Endpoint::from_url("postgresql://me:p%40ss@db.example:6543/app?sslmode=require")
        .expect("a URL");
    assert_eq!(
        (endpoint.host.as_str(), endpoint.port),
        ("db.example", 6543)
    );
    assert_eq!(
        (endpoint.user.as_str(), endpoint.database.as_str()),
        ("me", "app")
    );
    assert_eq!(endpoint.password.as_ref().map(Secret::expose), Some("p@ss"));
    assert_eq!(endpoint.tls, TlsMode::Require);
    let url = endpoint.url();
    assert_eq!(
        url.expose(),
        "postgres://me:p%40ss@db.example:6543/app?sslmode=require"
    );
    assert!(!format!("{endpoint:?}").contains("p@ss"));
}

#[test]
fn a_socket_directory_is_a_host() {
    let endpoint = Endpoint::from_url("postgres://me@%2Frun%2Fpg/app").expect("a URL");
    assert_eq!(endpoint.host, "/run/pg");
    assert_eq!(endpoint.tls, TlsMode::Disable);
    let again = Endpoint::from_url(endpoint.url().expose()).expect("its own URL");
    assert_eq!(again.host, "/run/pg");
}

#[test]
fn an_address_of_version_six_survives() {
    let endpoint = Endpoint::from_url("postgres://me@[::1]:5433/app").expect("a URL");
    assert_eq!(endpoint.host, "::1");
    let again = Endpoint::from_url(endpoint.url().expose()).expect("its own URL");
    assert_eq!((again.host.as_str(), again.port), ("::1", 5433));
}

#[test]
fn what_cannot_be_used_is_named() {
    let error = |url| Endpoint::from_url(url).expect_err("refused");
    assert_eq!(error("nonsense"), EndpointError::Syntax);
    assert_eq!(error("mysql://me@host/app"), EndpointError::Scheme);
    assert_eq!(error("postgres://host/app"), EndpointError::User);
    assert_eq!(
        error("postgres://me@host/app?sslmode=maybe"),
        EndpointError::TlsMode
    );
    assert_eq!(error("postgres://me@host/app?port=0"), EndpointError::Port);
}

#[test]
fn settings_share_the_server_and_give_each_role_its_password() {
    let environment = EnvironmentMap::from_iter([
        ("POSTGRES_PORT", "6000"),
        ("AUTH_DB_PASSWORD", "vK3-vK3-vK3-vK3"),
        ("STORAGE_DATABASE_URL", "postgres://s@elsewhere/files"),
    ]);
    let settings = Settings::new(&environment);
    let auth = Endpoint::from_settings(&settings, "AUTH", "supabase_auth_admin").expect("set");
    assert_eq!((auth.host.as_str(), auth.port), ("127.0.0.1", 6000));
    assert_eq!(
        (auth.user.as_str(), auth.tls),
        ("supabase_auth_admin", TlsMode::Disable)
    );
    let storage = Endpoint::from_settings(&settings, "STORAGE", "ignored").expect("set");
    assert_eq!(
        (storage.host.as_str(), storage.user.as_str()),
        ("elsewhere", "s")
    );
    assert!(Endpoint::from_settings(&settings, "REALTIME", "x").is_none());
    let errors = settings
        .finish(Some(()))
        .expect_err("one password is missing");
    assert_eq!(errors.0[0].name, "REALTIME_DB_PASSWORD");
}
