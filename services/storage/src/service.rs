//! Building the service: the schema, the object store, the routes, the sweeper, the checks.

use std::num::NonZeroUsize;
use std::sync::Arc;

use common::{BoxError, Check, Clock, Randomness, Service, SystemRandomness, Task};
use pg::pipeline::PipelineOptions;
use pg::sqlx::postgres::PgPool;
use pg::{AccessPipelines, AccessPools, Migrations, PoolOptions, sqlx};
use time::Duration;
use tokio::sync::Notify;

use crate::app::{App, AppParts, Discarded};
use crate::authoriser::Authoriser;
use crate::backend::ObjectStore;
use crate::config::Config;
use crate::domain::signature::UrlSigner;
use crate::integrity::Reads;
use crate::lookups::LookUps;
use crate::renditions::Renditions;
use crate::routes::s3::Protocol;
use crate::routes::s3::identity::Identities;
use crate::routes::s3::operations::Operations;
use crate::store;
use crate::sweeper::Sweeper;
use crate::uploads::pending::PendingUploads;
use crate::uploads::{UploadParts, Uploads};

/// The schema `storage`.
pub const MIGRATIONS: Migrations = pg::migrations!(
    "storage":
    "0001_buckets_and_objects",
    "0002_helper_functions",
    "0003_generated_policies",
    "0004_discarded_versions",
    "0005_list_entries",
    "0006_pending_uploads",
    "0007_roles_of_uploads",
);

/// Connections of each pool: uploads and downloads hold none while bytes flow.
const MAX_CONNECTIONS: u32 = 8;
/// Connections of each kind for rows of uploads.
const WRITING_CONNECTIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
/// What Postgres shows in `pg_stat_activity`.
const APPLICATION: &str = "selfdb-storage";

pub(crate) async fn build(config: Config, clock: Arc<dyn Clock>) -> Result<Service, BoxError> {
    let options = PoolOptions::new(APPLICATION, MAX_CONNECTIONS);
    let access = AccessPools::new(&config.users, &config.services, &options);
    let batches = PipelineOptions::new(APPLICATION, WRITING_CONNECTIONS);
    let writes = AccessPipelines::new(&config.users, &config.services, &batches)?;
    let owner = pg::pool(&config.owner, &options);
    MIGRATIONS.run(&owner).await?;
    let place = config
        .place(config.backend)
        .ok_or("the backend is not set up")?;
    let objects = place
        .open(store::versions::installation(&owner).await?)
        .await?;
    let signer = UrlSigner::new(&config.secret, Arc::clone(&clock));
    let lookups = LookUps::new(owner.clone());
    let parts = Parts {
        authoriser: Authoriser::new((access, writes), owner.clone(), lookups.clone(), signer),
        reads: Reads::new(Arc::clone(&objects), Arc::clone(&clock)),
        discarded: Arc::new(Notify::new()),
        owner,
        objects,
        clock,
    };
    let sweeper = Sweeper::new(
        parts.owner.clone(),
        Arc::clone(&parts.objects),
        Arc::clone(&parts.clock),
        Arc::clone(&parts.discarded),
    );
    let tasks = tasks(&sweeper, &parts.reads, &lookups);
    let ping = parts.owner.clone();
    Ok(Service {
        name: "storage",
        router: crate::routes::router(app(config, parts)),
        tasks,
        checks: vec![Check::new("storage.postgres", move || {
            self::ping(ping.clone())
        })],
    })
}

/// What the service is made of.
struct Parts {
    owner: PgPool,
    authoriser: Authoriser,
    objects: Arc<dyn ObjectStore>,
    reads: Reads,
    clock: Arc<dyn Clock>,
    discarded: Arc<Notify>,
}

fn app(config: Config, parts: Parts) -> App {
    let randomness: Arc<dyn Randomness> = Arc::new(SystemRandomness);
    let Parts {
        owner,
        authoriser,
        objects,
        reads,
        clock,
        discarded,
    } = parts;
    let uploads = Uploads::new(UploadParts {
        authoriser: authoriser.clone(),
        objects: Arc::clone(&objects),
        clock: Arc::clone(&clock),
        randomness: Arc::clone(&randomness),
        size_limit: config.limits.file_size,
        discarded: Arc::clone(&discarded),
    });
    let lifetime = Duration::seconds(i64::from(config.limits.pending_lifetime_s));
    let pending = PendingUploads::new(uploads.clone(), reads.clone(), owner.clone(), lifetime);
    let verifier = Arc::new(config.jwt.verifier(clock));
    let operations = Operations {
        authoriser: authoriser.clone(),
        uploads: uploads.clone(),
        pending: pending.clone(),
        reads: reads.clone(),
        limits: config.limits,
        discarded: Arc::clone(&discarded),
    };
    let identities = Identities::new(Arc::new(config.s3_keys), Arc::clone(&verifier));
    App::from(AppParts {
        s3: Protocol::new(operations, identities, &config.public_url),
        verifier,
        signer: authoriser.signer().clone(),
        pending,
        renditions: Renditions::new(owner, objects, reads.clone(), randomness),
        authoriser,
        uploads,
        reads,
        limits: config.limits,
        public_url: config.public_url.into(),
        discarded: Discarded(discarded),
    })
}

fn tasks(sweeper: &Sweeper, reads: &Reads, lookups: &LookUps) -> Vec<Task> {
    let (discarded, orphans) = (sweeper.clone(), sweeper.clone());
    let (expired, reads) = (sweeper.clone(), reads.clone());
    let lookups = lookups.clone();
    vec![
        Task::new("storage.look_up", move |shutdown| {
            lookups.clone().answer_until(shutdown)
        }),
        Task::new("storage.sweep_discarded", move |shutdown| {
            discarded.clone().sweep_discarded_until(shutdown)
        }),
        Task::new("storage.sweep_orphans", move |shutdown| {
            orphans.clone().sweep_orphans_until(shutdown)
        }),
        Task::new("storage.sweep_expired", move |shutdown| {
            expired.clone().sweep_expired_until(shutdown)
        }),
        Task::new("storage.check_reads", move |shutdown| {
            reads.clone().check_queued_until(shutdown)
        }),
    ]
}

async fn ping(pool: PgPool) -> Result<(), String> {
    let answer = sqlx::query("select 1").execute(&pool).await;
    answer.map(drop).map_err(|_| "cannot be reached".to_owned())
}
