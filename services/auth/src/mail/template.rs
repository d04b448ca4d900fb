//! Templates in the notation GoTrue's users write: `{{ .Token }}`, `{{ .Data.name }}`,
//! `{{ if .Data.name }}…{{ else }}…{{ end }}`. What is filled in is escaped for HTML.

use serde_json::Value;

/// The deepest that conditions nest.
const MAX_DEPTH: usize = 16;

/// A text with places to be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Vec<String>),
    If {
        condition: Vec<String>,
        then: Vec<Part>,
        otherwise: Vec<Part>,
    },
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// An opening `{{` without its `}}`.
    #[error("an action is not closed")]
    Unclosed,
    /// Something between the braces that is not understood.
    #[error("the action {0:?} is not known: use {{{{ .Name }}}}, if, else, end")]
    Unknown(String),
    /// An `if` without `end`, or the reverse.
    #[error("an if has no end, or an end no if")]
    Unbalanced,
}

/// Whether what is filled in is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// For HTML.
    Html,
    /// Not at all: for subjects and text messages.
    Nothing,
}

impl Template {
    /// A text of nothing.
    pub(super) fn empty() -> Self {
        Self(Vec::new())
    }

    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut rest = text;
        let (parts, ending) = parse(&mut rest, MAX_DEPTH)?;
        match ending {
            Ending::Text => Ok(Self(parts)),
            Ending::Else | Ending::End => Err(TemplateError::Unbalanced),
        }
    }

    /// The text with `variables` filled in; what is not there is left out.
    pub(super) fn render(&self, variables: &Value, escape: Escape) -> String {
        let mut text = String::new();
        render(&self.0, variables, escape, &mut text);
        text
    }

    /// The text with `variables` filled in as they are.
    pub fn render_plain(&self, variables: &Value) -> String {
        self.render(variables, Escape::Nothing)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Text,
    Else,
    End,
}

fn parse(rest: &mut &str, depth: usize) -> Result<(Vec<Part>, Ending), TemplateError> {
    if depth == 0 {
        return Err(TemplateError::Unbalanced);
    }
    let mut parts = Vec::new();
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
        let (before, after, action) = trimmed(before, after, action);
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        *rest = after;
        match action {
            "end" => return Ok((parts, Ending::End)),
            "else" => return Ok((parts, Ending::Else)),
            _ => parts.push(part(action, rest, depth)?),
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Text((*rest).to_owned()));
        *rest = "";
    }
    Ok((parts, Ending::Text))
}

/// `{{-` and `-}}` take the space around them away.
fn trimmed<'a>(before: &'a str, after: &'a str, action: &'a str) -> (&'a str, &'a str, &'a str) {
    let (before, action) = match action.strip_prefix('-') {
        Some(action) => (before.trim_end(), action),
        None => (before, action),
    };
    let (after, action) = match action.strip_suffix('-') {
        Some(action) => (after.trim_start(), action),
        None => (after, action),
    };
    (before, after, action.trim())
}

fn part(action: &str, rest: &mut &str, depth: usize) -> Result<Part, TemplateError> {
    let Some(condition) = action.strip_prefix("if ") else {
        return Ok(Part::Value(path(action)?));
    };
    let condition = path(condition.trim())?;
    let (then, mut ending) = parse(rest, depth - 1)?;
    let mut otherwise = Vec::new();
    if ending == Ending::Else {
        (otherwise, ending) = parse(rest, depth - 1)?;
    }
    if ending != Ending::End {
        return Err(TemplateError::Unbalanced);
    }
    Ok(Part::If {
        condition,
        then,
        otherwise,
    })
}

fn path(text: &str) -> Result<Vec<String>, TemplateError> {
    let unknown = || TemplateError::Unknown(text.to_owned());
    let names = text.strip_prefix('.').ok_or_else(unknown)?.split('.');
    let is_name = |name: &str| {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        !name.is_empty() && name.chars().all(is_part)
    };
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.iter().all(|name| is_name(name)) {
        Ok(names)
    } else {
        Err(unknown())
    }
}

fn render(parts: &[Part], variables: &Value, escape: Escape, text: &mut String) {
    for part in parts {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Value(path) => write(find(variables, path), escape, text),
            Part::If {
                condition,
                then,
                otherwise,
            } => {
                let branch = if holds(find(variables, condition)) {
                    then
                } else {
                    otherwise
                };
                render(branch, variables, escape, text);
            }
        }
    }
}

fn find<'a>(variables: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter()
        .try_fold(variables, |value, name| value.get(name))
}

fn holds(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(value)) => *value,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
    }
}

fn write(value: Option<&Value>, escape: Escape, text: &mut String) {
    let plain = match value {
        None | Some(Value::Null) => return,
        Some(Value::String(plain)) => plain.clone(),
        Some(other) => other.to_string(),
    };
    if escape == Escape::Nothing {
        text.push_str(&plain);
        return;
    }
    for character in plain.chars() {
        match character {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '"' => text.push_str("&#34;"),
            '\'' => text.push_str("&#39;"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(text: &str) -> String {
        let template = Template::parse(text).expect(text);
        let data = json!({ "name": "<b>Ada</b>", "admin": true, "none": "" });
        let variables = json!({ "Token": "123456", "Data": data });
        template.render(&variables, Escape::Html)
    }

    #[test]
    fn values_are_filled_in_and_escaped() {
        assert_eq!(rendered("a {{ .Token }} b {{.Token}}"), "a 123456 b 123456");
        assert_eq!(rendered("{{ .Data.name }}"), "&lt;b&gt;Ada&lt;/b&gt;");
        assert_eq!(rendered("x {{- .Data.missing -}} y"), "xy");
        let chosen = "{{ if .Data.admin }}A{{ else }}B{{ end }}{{ if .Data.none }}C{{ end }}";
        assert_eq!(rendered(chosen), "A");
        assert_eq!(
            rendered("{{ if .Data.x }}{{ if .Y }}1{{ end }}{{ else }}2{{ end }}"),
            "2"
        );
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in [
            "{{ .Token",
            "{{ Token }}",
            "{{ range .X }}",
            "{{ if .X }}",
            "{{ end }}",
            "{{ .a..b }}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
