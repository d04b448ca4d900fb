//! What every test here stands on: a database, the service, tables that are listened to.

use std::time::Duration;

use common::EnvironmentMap;
use pg::sqlx;
use testkit::{TestDatabase, TestService};
use tokio::time::Instant;
use uuid::Uuid;

use crate::client::{Client, Version};

const SLOT_PATIENCE: Duration = Duration::from_mins(1);

/// A service on a database of its own.
pub(crate) struct Stage {
    pub(crate) service: TestService,
    pub(crate) db: TestDatabase,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|settings| settings).await
    }

    /// With other settings than a test's usual ones.
    pub(crate) async fn with(change: impl FnOnce(EnvironmentMap) -> EnvironmentMap) -> Self {
        let db = TestDatabase::new(&[realtime::MIGRATIONS]).await;
        let config = testkit::config::<realtime::Config>(&change(db.settings()));
        let stage = Self {
            service: TestService::listen(config).await,
            db,
        };
        stage.until_ready().await;
        stage
    }

    /// Waits for the slot, which is made when every transaction of the shared cluster that was
    /// open has ended: those of other tests too.
    pub(crate) async fn until_ready(&self) {
        let deadline = Instant::now() + SLOT_PATIENCE;
        while self.service.get("/ready").await.status.as_u16() != 200 {
            assert!(Instant::now() < deadline, "the stream never starts");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A second process on the same database.
    pub(crate) async fn another_service(&self) -> TestService {
        let config = testkit::config::<realtime::Config>(&self.db.settings());
        TestService::listen(config).await
    }

    /// `todos`, which everybody may read, listened to.
    pub(crate) async fn open_table(&self) {
        self.db
            .execute(
                "create table todos (id int primary key, body text); \
                 select selfdb.set_table_public('todos', true); \
                 alter publication supabase_realtime add table todos",
            )
            .await;
    }

    /// `notes` whose rows only their owner may see, listened to.
    pub(crate) async fn owned_table(&self) {
        self.db
            .execute(
                "create table notes (id int primary key, user_id uuid, body text); \
                 alter table notes enable row level security; \
                 create policy own on notes for select to authenticated \
                     using (auth.uid() = user_id); \
                 alter publication supabase_realtime add table notes",
            )
            .await;
    }

    /// Opens a socket with the anon key.
    pub(crate) async fn connect(&self, version: Version) -> Client {
        self.connect_as(version, self.db.anon_token()).await
    }

    /// Opens a socket with a key or token.
    pub(crate) async fn connect_as(&self, version: Version, token: &str) -> Client {
        Client::connect(self.service.url(), version, token).await
    }

    /// A user and their token.
    pub(crate) fn user(&self) -> (Uuid, String) {
        let id = Uuid::new_v4();
        (id, self.db.user_token(id, "someone@example.com"))
    }

    /// Runs one statement as superuser.
    pub(crate) async fn run(&self, sql: &'static str) {
        sqlx::query(sql)
            .execute(&self.db.admin_pool())
            .await
            .expect("the test's own SQL");
    }

    /// Inserts a note of `owner`.
    pub(crate) async fn note(&self, id: i32, owner: Uuid, body: &str) {
        sqlx::query("insert into notes values ($1, $2, $3)")
            .bind(id)
            .bind(owner)
            .bind(body)
            .execute(&self.db.admin_pool())
            .await
            .expect("a note");
    }
}
