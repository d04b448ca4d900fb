//! An env file as lines, so that completing it keeps comments and order.

use std::fmt;

/// The lines of an env file.
#[derive(Debug, Clone)]
pub(super) struct EnvLines(Vec<String>);

impl EnvLines {
    /// Splits `text` into lines.
    pub(super) fn parse(text: &str) -> Self {
        Self(text.lines().map(str::to_owned).collect())
    }

    /// The value of `name`, without quotes; `None` where it is absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().rev().find_map(|line| value_of(line, name))?;
        let value = value.trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then_some(value)
    }

    /// Sets `name` where it stands, or in a line at the end.
    pub(super) fn set(&mut self, name: &str, value: impl fmt::Display) {
        let line = format!("{name}={value}");
        match self
            .0
            .iter_mut()
            .rev()
            .find(|line| value_of(line, name).is_some())
        {
            Some(old) => *old = line,
            None => self.0.push(line),
        }
    }
}

fn value_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    line.strip_prefix(name)?.trim_start().strip_prefix('=')
}

impl fmt::Display for EnvLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
