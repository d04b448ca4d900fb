//! The configuration file: `key = value`, one a line, with `#` before comments. A value is a text
//! in quotes, a number, or `true` and `false`. In a text `$(NAME)` is the environment's value of
//! `NAME`, and `$$` a dollar.

use common::Environment;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct FileError {
    line: usize,
    problem: &'static str,
}

/// All keys of `text` with their values, in order.
pub(super) fn parse(
    text: &str,
    environment: &dyn Environment,
) -> Result<Vec<(String, String)>, FileError> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = entry(line, environment);
        entries.push(read.map_err(|problem| FileError {
            line: index + 1,
            problem,
        })?);
    }
    Ok(entries)
}

fn entry(line: &str, environment: &dyn Environment) -> Result<(String, String), &'static str> {
    let (key, value) = line.split_once('=').ok_or("has no key = value")?;
    let (key, value) = (key.trim(), value.trim());
    let is_key = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    if key.is_empty() || !key.chars().all(is_key) {
        return Err("has a key that is no name");
    }
    let value = match value.strip_prefix('"') {
        Some(rest) => interpolated(&quoted(rest)?, environment)?,
        None => bare(value)?,
    };
    Ok((key.to_owned(), value))
}

/// A number or a switch, with nothing but a comment behind it.
fn bare(value: &str) -> Result<String, &'static str> {
    let value = value.split('#').next().unwrap_or_default().trim();
    let is_switch = ["true", "false", "on", "off"].contains(&value);
    if is_switch || value.parse::<f64>().is_ok() {
        return Ok(value.to_owned());
    }
    Err("has a text without quotes: use key = \"value\"")
}

/// The text up to the closing quote, without its escapes.
fn quoted(rest: &str) -> Result<String, &'static str> {
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters
            .next()
            .ok_or("has a text whose quotes do not close")?
        {
            '"' => break,
            '\\' => text.push(escape(&mut characters)?),
            other => text.push(other),
        }
    }
    let behind = characters.as_str().trim();
    if behind.is_empty() || behind.starts_with('#') {
        return Ok(text);
    }
    Err("has something behind its value")
}

fn escape(characters: &mut std::str::Chars<'_>) -> Result<char, &'static str> {
    const UNKNOWN: &str = "has an escape that is not known";
    match characters.next().ok_or(UNKNOWN)? {
        plain @ ('"' | '\\') => Ok(plain),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'b' => Ok('\u{8}'),
        'u' => {
            let digits: String = characters.by_ref().take(4).collect();
            let number = u32::from_str_radix(&digits, 16).map_err(|_| UNKNOWN)?;
            char::from_u32(number).ok_or(UNKNOWN)
        }
        _ => Err(UNKNOWN),
    }
}

fn interpolated(text: &str, environment: &dyn Environment) -> Result<String, &'static str> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            whole.push('$');
            rest = after;
        } else if let Some((name, after)) = after
            .strip_prefix('(')
            .and_then(|inside| inside.split_once(')'))
        {
            let value = environment.var(name);
            whole.push_str(&value.ok_or("names a variable that is not set")?);
            rest = after;
        } else {
            return Err("has a dollar by itself: use $$ or $(NAME)");
        }
    }
    whole.push_str(rest);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::EnvironmentMap;

    fn read(text: &str) -> Result<Vec<(String, String)>, FileError> {
        let environment = EnvironmentMap::from_iter([("MY_SECRET", "hush")]);
        parse(text, &environment)
    }

    #[test]
    fn a_file_as_documented() {
        let text = r#"
            # postgrest.conf
            db-uri       = "postgres://user:pass@host:5432/dbname"
            jwt-secret = "{ \"alg\":\"RS256\" }" # a key
            jwt-secret-is-base64 = false
            server-port = 3000 # a port
            app.settings.secret = "$(MY_SECRET)$$"
            db-anon-role="anon"
        "#;
        let entries = read(text).expect("a file");
        let entries: Vec<_> = entries
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!(
            entries,
            [
                "db-uri=postgres://user:pass@host:5432/dbname",
                r#"jwt-secret={ "alg":"RS256" }"#,
                "jwt-secret-is-base64=false",
                "server-port=3000",
                "app.settings.secret=hush$",
                "db-anon-role=anon",
            ]
        );
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, problem) in [
            ("\nnonsense", "line 2: has no key = value"),
            (
                "a = b",
                "line 1: has a text without quotes: use key = \"value\"",
            ),
            ("a = \"b", "line 1: has a text whose quotes do not close"),
            ("a = \"b\" c", "line 1: has something behind its value"),
            (
                "a = \"$x\"",
                "line 1: has a dollar by itself: use $$ or $(NAME)",
            ),
            (
                "a = \"$(NOT_SET)\"",
                "line 1: names a variable that is not set",
            ),
            ("a b = 1", "line 1: has a key that is no name"),
        ] {
            assert_eq!(read(text).expect_err(text).to_string(), problem);
        }
    }
}
