//! `application/vnd.pgrst.plan+json; for="text/csv"; options=analyze|buffers`: not the answer, but
//! how Postgres makes it.

use std::fmt;

use super::MediaType;

/// What is asked of Postgres' planner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Explain {
    /// The media type of the answer that is explained.
    pub shown: MediaType,
    pub form: ExplainForm,
    /// In the order of [`ExplainOption::ALL`].
    pub options: Vec<ExplainOption>,
}

/// In which form the plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ExplainForm {
    Text,
    Json,
}

/// An option of Postgres' `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ExplainOption {
    Analyze,
    Verbose,
    Settings,
    Buffers,
    Wal,
}

impl ExplainForm {
    pub(super) fn of(essence: &str) -> Option<Self> {
        match essence {
            "application/vnd.pgrst.plan" | "application/vnd.pgrst.plan+text" => Some(Self::Text),
            "application/vnd.pgrst.plan+json" => Some(Self::Json),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl ExplainOption {
    const ALL: [Self; 5] = [
        Self::Analyze,
        Self::Verbose,
        Self::Settings,
        Self::Buffers,
        Self::Wal,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Analyze => "analyze",
            Self::Verbose => "verbose",
            Self::Settings => "settings",
            Self::Buffers => "buffers",
            Self::Wal => "wal",
        }
    }
}

impl Explain {
    /// Reads the parameters; those that are not known are ignored.
    pub(super) fn parse<'p>(form: ExplainForm, parameters: impl Iterator<Item = &'p str>) -> Self {
        let mut explain = Self {
            shown: MediaType::Json,
            form,
            options: Vec::new(),
        };
        for parameter in parameters {
            if let Some(shown) = parameter.strip_prefix("for=") {
                explain.shown = MediaType::parse(shown.trim_matches('"'));
            } else if let Some(options) = parameter.strip_prefix("options=") {
                let asked = |known: &ExplainOption| {
                    let mut asked = options.split('|');
                    asked.any(|option| option.trim() == known.as_str())
                };
                explain.options = ExplainOption::ALL.into_iter().filter(asked).collect();
            }
        }
        explain
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (form, shown) = (self.form.as_str(), &self.shown);
        write!(f, "application/vnd.pgrst.plan+{form}; for=\"{shown}\"")?;
        for (position, option) in self.options.iter().enumerate() {
            let separator = if position == 0 { "; options=" } else { "|" };
            write!(f, "{separator}{}", option.as_str())?;
        }
        Ok(())
    }
}
