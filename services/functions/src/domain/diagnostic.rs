//! What is wrong with a function's code, and where.

use serde::Serialize;

/// How much it matters: an error keeps code from being deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// Which look at the code found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Check {
    /// The text cannot be read as code.
    Parse,
    /// A rule of `deno lint`.
    Lint,
    /// A module cannot be imported.
    Graph,
    /// TypeScript's types do not fit.
    Types,
    /// The module does not load.
    Start,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Diagnostic {
    pub(crate) severity: Severity,
    pub(crate) check: Check,
    /// The rule of the linter, or TypeScript's number.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// Relative to the function's root.
    pub(crate) file: Option<String>,
    /// From 1 on.
    pub(crate) line: Option<u32>,
    /// From 1 on.
    pub(crate) column: Option<u32>,
}

impl Diagnostic {
    /// An error without a place.
    pub(crate) fn error(check: Check, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            check,
            code: None,
            message: message.into(),
            hint: None,
            file: None,
            line: None,
            column: None,
        }
    }

    /// Of what a module said when it did not load: its message, and the first place it names.
    pub(crate) fn of_start(said: &str) -> Self {
        let is_place = |line: &&str| line.trim_start().starts_with("at ");
        let is_excerpt = |line: &str| line.trim() == "|";
        let message: Vec<&str> = said
            .lines()
            .take_while(|line| !is_place(line) && !is_excerpt(line))
            .collect();
        let found = Self::error(Check::Start, message.join("\n"));
        let place = said.lines().find(is_place).and_then(|line| {
            let line = line.trim().trim_start_matches("at ").trim_end_matches(')');
            line.rsplit([' ', '(']).next()
        });
        match place {
            Some(place) => found.at(place, ""),
            None => found,
        }
    }

    /// At `place`: a `file:` URL under `root`, with `:line:column` behind it where known.
    pub(crate) fn at(mut self, place: &str, root: &str) -> Self {
        let place = place.trim();
        let mut parts = place.rsplitn(3, ':');
        let (last, before, rest) = (parts.next(), parts.next(), parts.next());
        let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        let numbered = number(last).zip(number(before)).zip(rest);
        let file = match numbered {
            Some(((column, line), file)) => {
                (self.line, self.column) = (Some(line), Some(column));
                file
            }
            None => place,
        };
        let path = file.strip_prefix("file://").unwrap_or(file);
        let path = path.strip_prefix(root).unwrap_or(path);
        self.file = Some(path.trim_start_matches('/').to_owned());
        self
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_said_when_it_did_not_load_has_a_place() {
        let said = "SyntaxError: Expected '}'\n  |\n1 | export {\n  |  ~\n    at a.ts:1:23";
        let found = Diagnostic::of_start(said);
        assert_eq!(found.message, "SyntaxError: Expected '}'");
        assert_eq!(
            (found.file.as_deref(), found.line, found.column),
            (Some("a.ts"), Some(1), Some(23))
        );
        let found = Diagnostic::of_start("Error: no\nreally\n    at async load (a/b.ts:3:4)\n");
        assert_eq!(
            (found.message.as_str(), found.file.as_deref(), found.line),
            ("Error: no\nreally", Some("a/b.ts"), Some(3))
        );
        assert_eq!(Diagnostic::of_start("it took too long").file, None);
    }

    #[test]
    fn places_are_relative_to_the_function() {
        let at = |place| Diagnostic::error(Check::Types, "x").at(place, "/run/code");
        let found = at("file:///run/code/a/index.ts:3:14");
        assert_eq!(
            (found.file.as_deref(), found.line, found.column),
            (Some("a/index.ts"), Some(3), Some(14))
        );
        let found = at("file:///run/code/a.ts");
        assert_eq!((found.file.as_deref(), found.line), (Some("a.ts"), None));
    }
}
