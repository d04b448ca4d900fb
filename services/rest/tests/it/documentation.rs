//! The examples of `PostgREST`'s documentation, page by page: each is a request as it stands there
//! and the answer that belongs to it, in files one reads like the page (`documentation/*.http`).
//!
//! An example begins with `###` and its name. Then comes the request: method and path, headers, an
//! empty line and the body. Then `HTTP` with the status, and of the answer what the page speaks of:
//! headers (`name: value`; nothing after the colon where there must be none), an empty line, the
//! body. JSON is compared as such; a line `~ text` wants that text somewhere in the body, a line `-`
//! wants no body. `as: anon` or `as: nobody` is no header but who asks, where it is not an
//! administrator.

#![expect(
    clippy::expect_used,
    reason = "a page that cannot be read stops its test"
)]

mod example;

use common::EnvironmentMap;
use testkit::{TestDatabase, TestService};

use example::Example;

struct Page {
    db: TestDatabase,
    service: TestService,
}

impl Page {
    /// The service on a database with the objects that the page makes.
    async fn open(sql: &str, change: impl FnOnce(EnvironmentMap) -> EnvironmentMap) -> Self {
        let db = TestDatabase::new(&[]).await;
        db.execute(sql).await;
        let config: rest::Config = testkit::config(&change(db.settings()));
        let service = TestService::start(config).await;
        while service.get("/ready").await.status != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        Self { db, service }
    }

    /// Runs the examples one after another, and tells of all that went otherwise.
    async fn run(&self, text: &str) {
        let examples = example::parse(text);
        let mut wrong = String::new();
        for example in &examples {
            wrong.push_str(&self.compare(example).await);
        }
        assert!(wrong.is_empty(), "{wrong}");
        assert!(examples.len() > 1, "no examples");
    }

    async fn compare(&self, example: &Example) -> String {
        let mut request = self.service.request(example.method.clone(), &example.path);
        match example.caller.as_str() {
            "nobody" => {}
            "anon" => request = request.bearer(self.db.anon_token()),
            "" => request = request.bearer(self.db.service_token()),
            claims => {
                let claims = serde_json::from_str(claims).expect("claims");
                request = request.bearer(&self.db.token(&claims));
            }
        }
        for (name, value) in &example.headers {
            request = request.header(name, value);
        }
        let response = request.body(example.body.clone()).await;
        example.compare(&response)
    }
}

fn as_it_is(settings: EnvironmentMap) -> EnvironmentMap {
    settings
}

/// A page with its own objects, on a service with settings of its own.
macro_rules! page {
    ($name:ident, $change:expr) => {
        #[tokio::test]
        async fn $name() {
            let sql = include_str!(concat!("documentation/", stringify!($name), ".sql"));
            let page = Page::open(sql, $change).await;
            let text = include_str!(concat!("documentation/", stringify!($name), ".http"));
            page.run(text).await;
        }
    };
}

page!(tables_views, as_it_is);
page!(resource_embedding, as_it_is);
page!(functions, as_it_is);
page!(aggregate_functions, |settings| settings
    .with("PGRST_DB_AGGREGATES_ENABLED", "true"));
page!(computed_fields, as_it_is);
page!(pagination_count, |settings| settings
    .with("PGRST_DB_MAX_ROWS", "1000"));
page!(resource_representation, as_it_is);
page!(preferences, as_it_is);
page!(url_grammar, as_it_is);
page!(schemas, |settings| settings
    .with("PGRST_DB_SCHEMAS", "tenant1,tenant2"));
page!(options, as_it_is);
page!(errors, as_it_is);
page!(transactions, |settings| settings
    .with("PGRST_DB_PRE_REQUEST", "custom_headers"));
page!(auth, |settings| settings
    .with("PGRST_DB_PRE_REQUEST", "public.check_user"));
page!(media_type_handlers, as_it_is);
page!(domain_representations, as_it_is);
page!(openapi, |settings| settings
    .with("PGRST_DB_ROOT_SPEC", "root"));
page!(openapi_comments, |settings| settings
    .with("PGRST_DB_SCHEMAS", "public,mammals"));
page!(create_soap_endpoint, as_it_is);
page!(embedding_table_from_another_schema, as_it_is);
