//! The state of one function: what is newest, what is known to start, what runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::team::Team;
use crate::domain::Version;
use crate::runtime::{StartError, Worker};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_START_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(30);
/// A worker that ran this long is started again at once when it ends.
const STEADY: Duration = Duration::from_secs(10);

/// What there is of a function, and how it fares.
#[derive(Debug)]
pub(super) struct Deployment {
    /// The newest version, started or not.
    newest: Arc<Version>,
    /// The last version that has started.
    good: Option<Arc<Version>>,
    team: Team,
    failure: Option<BootFailure>,
    last_start: Option<Instant>,
    pause: Duration,
}

/// That the newest version did not start.
#[derive(Debug, Clone)]
struct BootFailure {
    error: Arc<StartError>,
    pause: Duration,
    retry_at: Instant,
}

/// How a function fares, for its owner.
#[derive(Debug)]
pub(crate) struct Status {
    /// Whether a process serves it now.
    pub(crate) running: bool,
    /// Why the newest version does not start, where it does not.
    pub(crate) error: Option<Arc<StartError>>,
}

impl Deployment {
    pub(super) fn new(version: Arc<Version>) -> Self {
        Self {
            newest: version,
            good: None,
            team: Team::default(),
            failure: None,
            last_start: None,
            pause: Duration::ZERO,
        }
    }

    /// Takes a newer version; says whether the function has served before, and the new version is
    /// to be tried at once.
    pub(super) fn announce(&mut self, version: Arc<Version>) -> bool {
        self.newest = version;
        self.failure = None;
        self.pause = Duration::ZERO;
        self.last_start = None;
        self.good.is_some()
    }

    pub(super) fn newest(&self) -> &Arc<Version> {
        &self.newest
    }

    pub(super) fn serving(&self) -> Option<Arc<dyn Worker>> {
        self.team.pick()
    }

    fn newest_is_good(&self) -> bool {
        self.good
            .as_ref()
            .is_some_and(|good| Arc::ptr_eq(good, &self.newest))
    }

    /// The newest version, where it has not started yet and may be tried at `now`.
    pub(super) fn candidate(&self, now: Instant) -> Option<Arc<Version>> {
        let waits = self
            .failure
            .as_ref()
            .is_some_and(|failure| now < failure.retry_at);
        (!self.newest_is_good() && !waits).then(|| Arc::clone(&self.newest))
    }

    /// The last version that has started.
    pub(super) fn good(&self) -> Option<Arc<Version>> {
        self.good.clone()
    }

    /// Why the newest version does not start.
    pub(super) fn failure(&self) -> Option<Arc<StartError>> {
        self.failure
            .as_ref()
            .map(|failure| Arc::clone(&failure.error))
    }

    /// How long to wait before the next start, so that a function whose process always dies does
    /// not keep the machine busy with starting it.
    pub(super) fn pause_before_start(&self, now: Instant) -> Duration {
        let since = self
            .last_start
            .map_or(STEADY, |last| now.duration_since(last));
        self.pause.saturating_sub(since)
    }

    /// Notes that a worker is being started.
    pub(super) fn note_start(&mut self, now: Instant) {
        let since = self
            .last_start
            .map_or(STEADY, |last| now.duration_since(last));
        self.pause = match self.last_start {
            Some(_) if since < STEADY => (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_START_PAUSE),
            Some(_) | None => Duration::ZERO,
        };
        self.last_start = Some(now);
    }

    pub(super) fn team(&mut self) -> &mut Team {
        &mut self.team
    }

    /// Has `worker` serve `version`; answers the workers it replaces.
    pub(super) fn install(
        &mut self,
        version: Arc<Version>,
        worker: Arc<dyn Worker>,
    ) -> Vec<Arc<dyn Worker>> {
        if Arc::ptr_eq(&version, &self.newest) {
            self.failure = None;
        }
        self.good = Some(version);
        self.team.replace(worker)
    }

    /// Notes that `version` did not start; it is tried again after a growing pause, as what it
    /// needs (a service it asks while it loads) may come back.
    pub(super) fn note_failure(
        &mut self,
        version: &Arc<Version>,
        error: Arc<StartError>,
        now: Instant,
    ) {
        if !Arc::ptr_eq(version, &self.newest) {
            return;
        }
        let pause = self
            .failure
            .as_ref()
            .map_or(Duration::from_secs(1), |failure| {
                (failure.pause * 2).min(LONGEST_RETRY_PAUSE)
            });
        self.failure = Some(BootFailure {
            error,
            pause,
            retry_at: now + pause,
        });
    }

    pub(super) fn status(&self) -> Status {
        Status {
            running: self.serving().is_some(),
            error: self.failure(),
        }
    }
}
