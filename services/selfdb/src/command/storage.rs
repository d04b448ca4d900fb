//! `selfdb storage`: what an operator does to stored objects.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use common::environment::Overlay;
use common::error::BoxError;
use common::{Environment, ServiceConfig as _, Settings};
use storage::fsck::{Report, Unreferenced};
use storage::{Backend, fsck, migrate};

use crate::cli::{StorageArgs, StorageCommand, Target};
use crate::config::{self, InitConfig};
use crate::database::Database;

/// How often a progress bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(200);
/// How wide its bar is, in characters.
const BAR: u64 = 30;

/// Runs a command on the stored objects; Postgres is started for it where it is ours and not
/// running.
pub fn run(args: &StorageArgs) -> ExitCode {
    super::with_environment(args.env.env_file.as_deref(), |environment| {
        super::block_on(work(environment, &args.command))
    })
}

async fn work(environment: &dyn Environment, command: &StorageCommand) -> Result<(), BoxError> {
    let derived = config::derived(environment);
    let environment = Overlay(derived, environment);
    let settings = Settings::new(&environment);
    let init = InitConfig::from_settings(&settings);
    let config = storage::Config::from_settings(&settings);
    let (init, config) = settings.finish(init.zip(config))?;
    if matches!(command, StorageCommand::S3Keys) {
        let keys = config.s3_keys();
        say(&format!("access key id:     {}", keys.access_key_id));
        let secret = keys.secret_access_key.expose();
        say(&format!("secret access key: {secret}"));
        return Ok(());
    }
    init.telemetry.install();
    let database = Database::open_or_join(init.database).await?;
    let outcome = on_database(&config, command).await;
    database.close().await;
    outcome
}

async fn on_database(config: &storage::Config, command: &StorageCommand) -> Result<(), BoxError> {
    match command {
        StorageCommand::Fsck { repair } => {
            let unreferenced = if *repair {
                Unreferenced::Delete
            } else {
                Unreferenced::Count
            };
            let mut bar = Bar::new();
            let report = fsck::run(config, unreferenced, |seen, total| {
                bar.draw(seen, total, "");
            });
            let report = report.await?;
            bar.end();
            tell(&report, unreferenced)
        }
        StorageCommand::Migrate { to } => {
            let to = match to {
                Target::File => Backend::File,
                Target::S3 => Backend::S3,
            };
            copy(config, to).await
        }
        StorageCommand::Usage => {
            for (bucket, owner, objects, bytes) in storage::usage(config).await? {
                let owner = owner.as_deref().unwrap_or("-");
                say(&format!(
                    "{bytes:>15} bytes {objects:>9} objects  {bucket}  {owner}"
                ));
            }
            Ok(())
        }
        StorageCommand::S3Keys => Ok(()),
    }
}

fn tell(report: &Report, unreferenced: Unreferenced) -> Result<(), BoxError> {
    for broken in &report.broken {
        for object in &broken.objects {
            say(&format!("{object}: {}", broken.problem));
        }
    }
    let whole = report.whole;
    say(&format!(
        "{whole} versions are whole, {} are not",
        report.broken.len()
    ));
    if report.unhashed > 0 {
        say(&format!(
            "{} have no hash to check them by",
            report.unhashed
        ));
    }
    let left = report.unreferenced.orphans + report.unreferenced.drafts;
    match unreferenced {
        Unreferenced::Count if left > 0 => {
            say(&format!(
                "{left} files belong to nothing: --repair deletes them"
            ));
        }
        Unreferenced::Count => {}
        Unreferenced::Delete => say(&format!("{left} files belonged to nothing and are gone")),
    }
    if report.broken.is_empty() {
        Ok(())
    } else {
        Err("some objects are damaged: restore them from a backup, or delete them".into())
    }
}

async fn copy(config: &storage::Config, to: Backend) -> Result<(), BoxError> {
    let mut bar = Bar::new();
    let done = migrate::run(config, to, |progress| {
        let mebibytes = progress.bytes / (1024 * 1024);
        let note = format!("{} copied, {mebibytes} MiB", progress.copied);
        bar.draw(progress.seen, progress.total, &note);
    });
    let done = done.await?;
    bar.end();
    say(&format!(
        "{} versions copied, {} there already or gone",
        done.copied,
        { done.seen - done.copied - done.broken }
    ));
    if done.broken > 0 {
        let broken = done.broken;
        return Err(format!("{broken} versions are damaged and were not copied").into());
    }
    if to != config.backend() {
        let name = match to {
            Backend::File => "file",
            Backend::S3 => "s3",
        };
        say("What is uploaded until the service stops is not there yet: stop it, run this again,");
        say(&format!("set STORAGE_BACKEND={name}, and start it."));
    }
    Ok(())
}

/// A bar on a terminal; nothing anywhere else.
struct Bar {
    drawn: Option<Instant>,
    shows: bool,
}

impl Bar {
    fn new() -> Self {
        Self {
            drawn: None,
            shows: std::io::stderr().is_terminal(),
        }
    }

    fn draw(&mut self, seen: u64, total: u64, note: &str) {
        let due = self.drawn.is_none_or(|at| at.elapsed() >= DRAWN_EVERY);
        if !self.shows || !(due || seen == total) {
            return;
        }
        self.drawn = Some(Instant::now());
        let filled = (seen * BAR).checked_div(total).unwrap_or(BAR).min(BAR);
        let bar: String = (0..BAR)
            .map(|at| if at < filled { '#' } else { '.' })
            .collect();
        // A terminal that is gone shows nothing.
        let _ = write!(std::io::stderr(), "\r[{bar}] {seen}/{total} {note} ");
    }

    fn end(&self) {
        if self.shows {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn say(line: &str) {
    // Where nobody reads any more, nobody is told.
    let _ = writeln!(std::io::stdout(), "{line}");
}
