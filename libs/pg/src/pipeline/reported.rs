//! The settings a server reports by itself. A function may change its session for good; where
//! such a change shows here, the connection is not used for another request.

use std::io;

use postgres_protocol::message::backend::ParameterStatusBody;

#[derive(Debug, Default)]
pub(super) struct Reported {
    settings: Vec<Setting>,
}

#[derive(Debug)]
struct Setting {
    name: Box<str>,
    at_start: Box<str>,
    now: Box<str>,
}

impl Reported {
    /// Notes a report.
    pub(super) fn note(&mut self, body: &ParameterStatusBody) -> io::Result<()> {
        let (name, value) = (body.name()?, body.value()?);
        let known = self.settings.iter_mut().find(|known| &*known.name == name);
        if let Some(setting) = known {
            setting.now = value.into();
        } else {
            self.settings.push(Setting {
                name: name.into(),
                at_start: value.into(),
                now: value.into(),
            });
        }
        Ok(())
    }

    /// Takes what has been reported so far as how the session should be.
    pub(super) fn settle(&mut self) {
        for setting in &mut self.settings {
            setting.at_start.clone_from(&setting.now);
        }
    }

    /// Whether a setting is no longer what it was when the session began.
    pub(super) fn has_drifted(&self) -> bool {
        let drifted = |setting: &Setting| setting.now != setting.at_start;
        self.settings.iter().any(drifted)
    }
}
