use http::{Method, StatusCode};
use testkit::TestRequest;
use uuid::Uuid;

use crate::api::Api;

/// A table of which users may read and write all but one column.
const GROUND: &str = "
    create table members (id int primary key, name text, secret text, extra jsonb);
    insert into members values (1, 'Ann', 'hidden', '{\"a\": 1}');
    alter table members enable row level security;
    create policy every on members using (true) with check (true);
    revoke all on members from anon, authenticated;
    grant select (id, name), insert (id, name), update (name), delete on members
        to anon, authenticated;
    create table badges (id int primary key, member_id int references members (id));
    insert into badges values (1, 1);
    alter table badges enable row level security;
    create policy every on badges using (true);
    grant select on badges to anon, authenticated;
";

#[tokio::test]
async fn what_may_not_be_read_neither_filters_nor_sorts_nor_embeds() {
    let api = Api::start().await;
    api.db.execute(GROUND).await;
    let user = api.db.user_token(Uuid::new_v4(), "a@example.com");
    let shown = "/members?select=id,name";
    api.until(
        |api| api.service.get(shown).bearer(&user),
        |response| response.status == StatusCode::OK,
    )
    .await;
    let reads = [
        "/members",
        "/members?select=secret",
        "/members?select=id&secret=eq.hidden",
        "/members?select=id&secret=like.h*",
        "/members?select=id&secret=not.is.null",
        "/members?select=id&or=(secret.eq.hidden,id.eq.1)",
        "/members?select=id&secret=fts.hidden",
        "/members?select=id&extra->>a=eq.1",
        "/members?select=id&order=secret",
        "/members?select=id&order=extra->a.desc",
        "/members?select=id,secret::text",
        "/members?select=x:secret",
        "/badges?select=id,members(secret)",
        "/badges?select=id,members(*)",
        "/badges?select=id,members!inner(id)&members.secret=eq.hidden",
        "/badges?select=id,members(id)&members.order=secret",
        "/badges?select=id,...members(secret)",
    ];
    for token in [Some(user.as_str()), None] {
        let refused = if token.is_some() { 403 } else { 401 };
        for path in reads {
            let path = path.replace('>', "%3E");
            for method in [Method::GET, Method::HEAD] {
                let mut request = api.service.request(method, &path);
                request = token.into_iter().fold(request, TestRequest::bearer);
                assert_eq!(request.await.status, refused, "{path}");
            }
        }
        let writes = [
            (
                Method::PATCH,
                "/members?secret=eq.hidden",
                r#"{"name": "x"}"#,
            ),
            (Method::PATCH, "/members?id=eq.1", r#"{"secret": "x"}"#),
            (Method::DELETE, "/members?secret=eq.hidden", ""),
            (Method::POST, "/members", r#"{"id": 2, "secret": "x"}"#),
        ];
        for (method, path, body) in writes {
            let request = api.service.request(method, path);
            let request = request
                .header("content-type", "application/json")
                .body(body);
            let request = token.into_iter().fold(request, TestRequest::bearer);
            assert_eq!(request.await.status, refused, "{path} {body}");
        }
    }
}
