//! How much memory a running instance that does nothing keeps resident.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Environment as _, EnvironmentMap};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The env file of the running instance
    #[arg(long, value_name = "FILE", default_value = ".env")]
    env_file: PathBuf,
    /// How long it must have been left alone before it is looked at
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// One process, as `/proc/<pid>` shows it.
struct Process {
    pid: u32,
    parent: u32,
    name: String,
    resident_kib: u64,
    proportional_kib: u64,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let smaps = fs::read_to_string(folder.join("smaps_rollup")).unwrap_or_default();
        let parent = field(&status, "PPid:")?;
        Some(Self {
            pid,
            parent: u32::try_from(parent).ok()?,
            name: program(&folder)?,
            resident_kib: field(&status, "VmRSS:").unwrap_or(0),
            proportional_kib: field(&smaps, "Pss:").unwrap_or(0),
        })
    }
}

/// What one process keeps resident, in MiB.
pub(crate) fn resident_mib(pid: u32) -> f64 {
    let kib = Process::read(pid).map_or(0, |process| process.resident_kib);
    #[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
    let mib = kib as f64 / 1024.0;
    mib
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn program(folder: &Path) -> Option<String> {
    let command = fs::read_to_string(folder.join("cmdline")).ok()?;
    let program = Path::new(command.split('\0').next()?).file_name()?;
    Some(program.to_string_lossy().into_owned())
}

/// Waits, then prints each process of the platform's own: the instance and the services it
/// started, without Postgres and Deno.
pub(crate) async fn run(arguments: &Arguments) {
    let environment = EnvironmentMap::from_file(&arguments.env_file).expect("an env file");
    let data = environment.var("DATA_DIR").expect("DATA_DIR");
    let pid = fs::read_to_string(Path::new(&data).join("selfdb.pid"));
    let pid: u32 = pid
        .expect("a running instance")
        .trim()
        .parse()
        .expect("a process");
    tokio::time::sleep(Duration::from_secs(arguments.seconds)).await;

    let numbers = fs::read_dir("/proc").expect("/proc");
    let numbers = numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let ours = numbers.filter_map(Process::read).filter(|process| {
        process.pid == pid || (process.parent == pid && process.name.starts_with("selfdb-"))
    });
    let ours: Vec<_> = ours.collect();
    print(&ours);
}

#[expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "the table is the point"
)]
fn print(processes: &[Process]) {
    println!("| process | resident MiB | proportional MiB |");
    println!("|---|---:|---:|");
    let mib = |kib: u64| format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024);
    for process in processes {
        let (resident, proportional) = (mib(process.resident_kib), mib(process.proportional_kib));
        println!("| {} | {resident} | {proportional} |", process.name);
    }
    let resident = processes.iter().map(|process| process.resident_kib).sum();
    let proportional = processes
        .iter()
        .map(|process| process.proportional_kib)
        .sum();
    println!("| together | {} | {} |", mib(resident), mib(proportional));
}
