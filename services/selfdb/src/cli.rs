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
    /// Deploy and operate functions
    Functions(FunctionsArgs),
}

/// The arguments of `selfdb functions`.
#[derive(Debug, Args)]
pub struct FunctionsArgs {
    /// The env file of the instance; its key opens the API
    #[arg(long, value_name = "FILE", global = true)]
    pub env_file: Option<PathBuf>,
    /// Ask this address instead of the env file's gateway
    #[arg(long, value_name = "URL", global = true)]
    pub url: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: FunctionsCommand,
}

/// The commands of `selfdb functions`.
#[derive(Debug, Subcommand)]
pub enum FunctionsCommand {
    /// List functions and how they fare
    List,
    /// Deploy functions out of a folder; all of it unless some are named
    Deploy(DeployArgs),
    /// Deploy what changes in a folder, as it changes
    Serve(ServeFunctionsArgs),
    /// Delete a function and its versions
    Delete {
        /// The function
        name: String,
    },
    /// List the versions of a function
    Versions {
        /// The function
        name: String,
    },
    /// Have an earlier version serve again
    Rollback {
        /// The function
        name: String,
        /// The version's number
        version: i32,
    },
    /// Show what a function has printed
    Logs(LogsArgs),
    /// Call a function
    Invoke(InvokeArgs),
    /// Write the files of a function into a folder
    Download(DownloadArgs),
    /// Set what functions find in their environment
    Secrets(SecretsArgs),
}

/// The arguments of `selfdb functions deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The functions
    pub names: Vec<String>,
    /// The folder they lie in
    #[arg(long, value_name = "FOLDER", default_value = "functions")]
    pub folder: PathBuf,
    /// Answer callers without a token
    #[arg(long)]
    pub no_verify_jwt: bool,
    /// Check types as well
    #[arg(long)]
    pub check: bool,
}

/// The arguments of `selfdb functions serve`.
#[derive(Debug, Args)]
pub struct ServeFunctionsArgs {
    /// The folder
    #[arg(default_value = "functions")]
    pub folder: PathBuf,
}

/// The arguments of `selfdb functions logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The function
    pub name: String,
    /// Go on with what it prints from now on
    #[arg(short, long)]
    pub follow: bool,
    /// How many of the last lines
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
}

/// The arguments of `selfdb functions invoke`.
#[derive(Debug, Args)]
pub struct InvokeArgs {
    /// The function, with what comes behind it in the URL
    pub name: String,
    /// The HTTP method
    #[arg(long, default_value = "POST")]
    pub method: String,
    /// The body, as JSON
    #[arg(long)]
    pub data: Option<String>,
}

/// The arguments of `selfdb functions download`.
#[derive(Debug, Args)]
pub struct DownloadArgs {
    /// The function
    pub name: String,
    /// Another version than the one that serves
    #[arg(long)]
    pub version: Option<i32>,
    /// The folder to write into
    #[arg(long, value_name = "FOLDER", default_value = "functions")]
    pub output: PathBuf,
}

/// The arguments of `selfdb functions secrets`.
#[derive(Debug, Args)]
pub struct SecretsArgs {
    /// Of this function alone
    #[arg(long, value_name = "NAME", global = true)]
    pub function: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: SecretsCommand,
}

/// The commands of `selfdb functions secrets`.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// List them, with their values masked
    List,
    /// Set some
    Set {
        /// NAME=VALUE
        #[arg(required = true)]
        variables: Vec<String>,
    },
    /// Remove some
    Unset {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
    },
}

/// Where a command's configuration comes from.
#[derive(Debug, Args)]
pub struct EnvArgs {
    /// The env file; its values come before the environment's
    #[arg(long, value_name = "FILE", global = true)]
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
