//! The command line: `selfdb-rest [options] [file]`.

use std::ffi::OsString;
use std::path::PathBuf;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Serve.
    Run,
    /// Tell the whole configuration.
    DumpConfig,
    /// Tell the schema cache.
    DumpSchema,
    /// Ask a running server whether it is ready.
    Ready,
    /// Tell a text.
    Tell(Text),
}

/// A text that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Help,
    Version,
    Example,
}

/// The command line, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) command: Command,
    /// The configuration file.
    pub(super) file: Option<PathBuf>,
}

/// A command line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArgumentError {
    #[error("unknown option {0}; see --help")]
    Unknown(String),
    #[error("there is more than one configuration file; see --help")]
    Files,
    #[error("only one of --dump-config, --dump-schema and --ready can be given")]
    Commands,
}

impl Arguments {
    /// Reads the arguments behind the program's name.
    pub(super) fn read(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, ArgumentError> {
        let mut read = Self {
            command: Command::Run,
            file: None,
        };
        for argument in arguments {
            let command = match argument.to_str() {
                Some("-h" | "--help") => Command::Tell(Text::Help),
                Some("-v" | "--version") => Command::Tell(Text::Version),
                Some("-e" | "--example") => Command::Tell(Text::Example),
                Some("--dump-config") => Command::DumpConfig,
                Some("--dump-schema") => Command::DumpSchema,
                Some("--ready") => Command::Ready,
                Some(option) if option.starts_with('-') => {
                    return Err(ArgumentError::Unknown(option.to_owned()));
                }
                Some(_) | None if read.file.is_none() => {
                    read.file = Some(PathBuf::from(argument));
                    continue;
                }
                Some(_) | None => return Err(ArgumentError::Files),
            };
            read.command = match (&read.command, command) {
                // What tells a text does nothing else.
                (Command::Tell(_), _) => read.command,
                (_, command @ Command::Tell(_)) | (Command::Run, command) => command,
                _ => return Err(ArgumentError::Commands),
            };
        }
        Ok(read)
    }
}

impl Text {
    /// The text itself.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Help => HELP,
            Self::Version => concat!("selfdb-rest ", env!("CARGO_PKG_VERSION"), "\n"),
            Self::Example => include_str!("example.conf"),
        }
    }
}

const HELP: &str = "\
Usage: selfdb-rest [-v|--version] [-e|--example] [--dump-config | --dump-schema | --ready] [FILENAME]

  A REST API over an existing Postgres database, in PostgREST's protocol

Available options:
  -h,--help                Show this help text
  -v,--version             Show the version
  -e,--example             Show an example configuration file
  --dump-config            Show the loaded configuration and exit
  --dump-schema            Show the loaded schema as JSON and exit
  --ready                  Ask the admin server's /ready and exit
  FILENAME                 Path to a configuration file
";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Arguments, ArgumentError> {
        Arguments::read(arguments.iter().map(OsString::from))
    }

    #[test]
    fn a_command_and_a_file() {
        let file = Some(PathBuf::from("a.conf"));
        let run = Arguments {
            command: Command::Run,
            file: file.clone(),
        };
        assert_eq!(read(&["a.conf"]), Ok(run));
        let dump = Arguments {
            command: Command::DumpConfig,
            file,
        };
        assert_eq!(read(&["--dump-config", "a.conf"]), Ok(dump.clone()));
        assert_eq!(read(&["a.conf", "--dump-config"]), Ok(dump));
        let help = read(&["--ready", "-h"]).expect("help");
        assert_eq!(help.command, Command::Tell(Text::Help));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(
            read(&["--dump"]),
            Err(ArgumentError::Unknown("--dump".to_owned()))
        );
        assert_eq!(read(&["a", "b"]), Err(ArgumentError::Files));
        assert_eq!(
            read(&["--ready", "--dump-config"]),
            Err(ArgumentError::Commands)
        );
    }
}
