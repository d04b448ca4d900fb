//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// SelfDB: Postgres, auth, REST, realtime, storage and functions in one small process.
#[derive(Debug, Parser)]
#[command(name = "selfdb", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the platform: Postgres, the gateway, the console and every service
    Serve(EnvArgs),
    /// Prepare the database (roles, schemas, migrations, the first admin) and exit
    Init(EnvArgs),
    /// Write the env file with random secrets, or complete one that has none yet
    Env(EnvFileArgs),
    /// Say whether the platform answers, and wait for it if asked to
    Status(StatusArgs),
    /// List, add, rotate or remove the keys that tokens are signed with
    Keys(KeysArgs),
    /// Check, move and count stored objects
    Storage(StorageArgs),
}

/// Where a command's configuration comes from.
#[derive(Debug, Args)]
pub struct EnvArgs {
    /// The env file; its values come before the environment's
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
}

/// The arguments of `selfdb env`.
#[derive(Debug, Args)]
pub struct EnvFileArgs {
    /// The env file to write
    #[arg(long, value_name = "FILE", default_value = ".env")]
    pub env_file: PathBuf,
    /// The file a new one is made from
    #[arg(long, value_name = "FILE", default_value = ".env.example")]
    pub example: PathBuf,
}

/// The arguments of `selfdb status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub env: EnvArgs,
    /// Ask this address instead of the gateway's /ready
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Seconds to wait until the platform is ready
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait: u64,
}

/// The arguments of `selfdb keys`.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// The env file that holds the keys
    #[arg(long, value_name = "FILE", default_value = ".env", global = true)]
    pub env_file: PathBuf,
    /// What to do with them.
    #[command(subcommand)]
    pub command: KeysCommand,
}

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Show each key's name, algorithm and whether it signs
    List,
    /// Make a key whose tokens are accepted, for a later rotation of several machines
    Add,
    /// Sign with the key that was added last, or with a new one; the old one stays valid
    Rotate,
    /// Refuse the tokens of a key from now on
    Remove {
        /// The key's name
        id: String,
    },
}

/// The arguments of `selfdb storage`.
#[derive(Debug, Args)]
pub struct StorageArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub env: EnvArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: StorageCommand,
}

/// What `selfdb storage` does.
#[derive(Debug, Subcommand)]
pub enum StorageCommand {
    /// Read every object and compare it with its hash, and look for files of no object
    Fsck {
        /// Delete files that have belonged to no object for an hour
        #[arg(long)]
        repair: bool,
    },
    /// Copy every object to the other backend, checking hashes; run again, it goes on
    Migrate {
        /// Where to
        #[arg(long, value_enum)]
        to: Target,
    },
    /// Print how much each owner keeps in each bucket
    Usage,
    /// Print the key pair with which S3 clients act as the service
    S3Keys,
}

/// Where objects can be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// The file system
    File,
    /// The S3 server of the configuration
    S3,
}
