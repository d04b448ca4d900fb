//! PostgREST's how-to of users that live in the database: SQL checks the password and signs the
//! token that the server then trusts.
//! <https://docs.postgrest.org/en/stable/how-tos/sql-user-management.html>

use serde_json::json;

use super::server::{Ground, SECRET};

/// The guide's objects. What its `pgjwt` does is here in the function `sign`.
const USERS: &str = r#"
    create extension pgcrypto;
    create role anon# nologin;
    create role web_user# nologin;
    create role login# login noinherit;
    grant anon#, web_user# to login#;

    create schema basic_auth;
    create table basic_auth.users (
      email text primary key check (email ~* '^.+@.+\..+$'),
      pass text not null check (length(pass) < 512),
      role name not null check (length(role) < 512)
    );
    create function basic_auth.check_role_exists() returns trigger as $$
    begin
      if not exists (select from pg_roles where rolname = new.role) then
        raise foreign_key_violation using message = 'unknown database role: ' || new.role;
      end if;
      return new;
    end $$ language plpgsql;
    create constraint trigger ensure_user_role_exists
      after insert or update on basic_auth.users
      for each row execute function basic_auth.check_role_exists();
    create function basic_auth.encrypt_pass() returns trigger as $$
    begin
      if tg_op = 'INSERT' or new.pass <> old.pass then
        new.pass = crypt(new.pass, gen_salt('bf', 4));
      end if;
      return new;
    end $$ language plpgsql;
    create trigger encrypt_pass before insert or update on basic_auth.users
      for each row execute function basic_auth.encrypt_pass();
    create function basic_auth.user_role(email text, pass text) returns name as $$
      select role from basic_auth.users
      where users.email = user_role.email and users.pass = crypt(user_role.pass, users.pass)
    $$ language sql;

    create function basic_auth.base64url(bytes bytea) returns text immutable language sql as $$
      select rtrim(translate(encode(bytes, 'base64'), E'+/\n', '-_'), '=')
    $$;
    create function basic_auth.sign(claims json, secret text) returns text immutable language sql as $$
      with signed as (
        select basic_auth.base64url('{"alg":"HS256","typ":"JWT"}') || '.'
            || basic_auth.base64url(convert_to(claims::text, 'utf8')) as text
      )
      select text || '.' || basic_auth.base64url(hmac(text, secret, 'sha256')) from signed
    $$;

    create function public.login(email text, pass text, out token text) as $$
    declare _role name;
    begin
      select basic_auth.user_role(email, pass) into _role;
      if _role is null then
        raise invalid_password using message = 'invalid user or password';
      end if;
      select basic_auth.sign(
        json_build_object('role', _role, 'email', login.email,
                          'exp', extract(epoch from now())::integer + 60 * 60),
        current_setting('app.jwt_secret')) into token;
    end $$ language plpgsql security definer;
    grant execute on function public.login(text, text) to anon#;

    create view public.me as
      select email from basic_auth.users
      where email = current_setting('request.jwt.claims', true)::json ->> 'email';
    grant select on public.me to web_user#;
    insert into basic_auth.users values ('foo@bar.com', 'foobar', 'web_user#');
"#;

#[tokio::test]
async fn a_function_signs_in_and_its_token_is_trusted() {
    let ground = Ground::new(USERS).await;
    let settings = [
        ("PGRST_DB_ANON_ROLE", "anon#"),
        ("PGRST_JWT_SECRET", SECRET),
    ];
    ground
        .execute("alter role login# set app.jwt_secret to 'reallyreallyreallyreallyverysafe'")
        .await;
    let server = ground.serve("login#", &settings).await;

    let credentials = |pass: &str| json!({ "email": "foo@bar.com", "pass": pass }).to_string();
    let refused = server
        .ask("POST", "/rpc/login", &[], &credentials("wrong"))
        .await;
    assert_eq!(refused.code(), (403, "28P01".to_owned()));
    assert_eq!(refused.json()["message"], "invalid user or password");

    let signed_in = server
        .ask("POST", "/rpc/login", &[], &credentials("foobar"))
        .await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    let answer = signed_in.json();
    let token = answer["token"].as_str().expect("a token");
    let bearer = format!("Bearer {token}");
    let me = server
        .ask("GET", "/me", &[("authorization", &bearer)], "")
        .await;
    assert_eq!(me.json(), json!([{ "email": "foo@bar.com" }]));

    assert_eq!(server.get("/me").await.code(), (401, "42501".to_owned()));
    let forged = format!("{bearer}x");
    let forged = server
        .ask("GET", "/me", &[("authorization", &forged)], "")
        .await;
    assert_eq!(forged.code(), (401, "PGRST301".to_owned()));
    let unknown = server.get("/users").await;
    assert_eq!(unknown.status, 404, "the table of users is not exposed");
}
