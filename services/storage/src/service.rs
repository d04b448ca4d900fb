//! Building the service: the schema, the object store, the routes, the sweeper, the checks.

use std::sync::Arc;

use common::{BoxError, Check, Clock, Randomness, Service, SystemRandomness, Task};
use pg::sqlx::postgres::PgPool;
use pg::{AccessPools, Migrations, PoolOptions, sqlx};
use tokio::sync::Notify;

use crate::app::{App, Discarded};
use crate::authoriser::Authoriser;
use crate::backend::ObjectStore;
use crate::backend::file_system::FileSystem;
use crate::config::Config;
use crate::domain::signature::UrlSigner;
use crate::store;
use crate::sweeper::Sweeper;
use crate::uploads::{UploadParts, Uploads};

/// The schema `storage`.
pub const MIGRATIONS: Migrations = pg::migrations!(
    "storage":
    "0001_buckets_and_objects",
    "0002_helper_functions",
    "0003_generated_policies",
    "0004_discarded_versions",
);

/// Connections of each pool: uploads and downloads hold none while bytes flow.
const MAX_CONNECTIONS: u32 = 8;

pub(crate) async fn build(config: Config, clock: Arc<dyn Clock>) -> Result<Service, BoxError> {
    let options = PoolOptions::new("selfdb-storage", MAX_CONNECTIONS);
    let access = AccessPools::new(&config.users, &config.services, &options);
    let owner = pg::pool(&config.owner, &options);
    MIGRATIONS.run(&owner).await?;
    let objects = FileSystem::open(&config.root).await?;
    objects
        .claim(store::versions::installation(&owner).await?)
        .await?;
    let objects: Arc<dyn ObjectStore> = Arc::new(objects);
    let discarded = Arc::new(Notify::new());
    let sweeper = Sweeper::new(
        owner.clone(),
        Arc::clone(&objects),
        Arc::clone(&clock),
        Arc::clone(&discarded),
    );
    let authoriser = Authoriser::new(
        access,
        owner.clone(),
        UrlSigner::new(&config.secret, Arc::clone(&clock)),
    );
    let app = app(config, clock, authoriser, objects, discarded);
    Ok(Service {
        name: "storage",
        router: crate::routes::router(app),
        tasks: sweeper_tasks(&sweeper),
        checks: vec![Check::new("storage.postgres", move || ping(owner.clone()))],
    })
}

fn app(
    config: Config,
    clock: Arc<dyn Clock>,
    authoriser: Authoriser,
    objects: Arc<dyn ObjectStore>,
    discarded: Arc<Notify>,
) -> App {
    let randomness: Arc<dyn Randomness> = Arc::new(SystemRandomness);
    let signer = authoriser.signer().clone();
    let verifier = Arc::new(config.jwt.verifier(Arc::clone(&clock)));
    let uploads = Uploads::new(UploadParts {
        authoriser: authoriser.clone(),
        objects: Arc::clone(&objects),
        clock,
        randomness,
        size_limit: config.limits.file_size,
        discarded: Arc::clone(&discarded),
    });
    App {
        verifier,
        authoriser,
        uploads,
        objects,
        signer,
        limits: config.limits,
        public_url: config.public_url.into(),
        discarded: Discarded(discarded),
    }
}

fn sweeper_tasks(sweeper: &Sweeper) -> Vec<Task> {
    let (discarded, orphans) = (sweeper.clone(), sweeper.clone());
    vec![
        Task::new("storage.sweep_discarded", move |shutdown| {
            discarded.clone().sweep_discarded_until(shutdown)
        }),
        Task::new("storage.sweep_orphans", move |shutdown| {
            orphans.clone().sweep_orphans_until(shutdown)
        }),
    ]
}

async fn ping(pool: PgPool) -> Result<(), String> {
    let answer = sqlx::query("select 1").execute(&pool).await;
    answer.map(drop).map_err(|_| "cannot be reached".to_owned())
}
