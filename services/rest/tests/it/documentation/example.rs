//! One example: what is asked, and what the answer must be like.

use std::fmt::Write as _;

use http::Method;
use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use testkit::TestResponse;

use crate::api::NOT_IN_URIS;

#[derive(Default)]
pub(super) struct Example {
    name: String,
    pub(super) method: Method,
    pub(super) path: String,
    /// Who asks; empty is an administrator.
    pub(super) caller: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    status: u16,
    /// Headers of the answer; an empty value stands for none.
    answered: Vec<(String, String)>,
    /// The body of the answer, where the page speaks of it.
    answer: String,
}

pub(super) fn parse(text: &str) -> Vec<Example> {
    let blocks = text.split("\n### ").skip(1);
    blocks.map(example).collect()
}

fn example(block: &str) -> Example {
    let (asked, answered) = block.split_once("\nHTTP ").expect("an answer");
    let mut lines = asked.lines();
    let mut example = Example {
        name: lines.next().unwrap_or_default().to_owned(),
        ..Example::default()
    };
    let request = lines.next().unwrap_or_default();
    let (method, path) = request.split_once(' ').expect("a request");
    example.method = method.parse().expect("a method");
    example.path = utf8_percent_encode(path, NOT_IN_URIS).to_string();
    (example.headers, example.body) = message(lines);
    if let Some(at) = example.headers.iter().position(|(name, _)| name == "as") {
        example.caller = example.headers.remove(at).1;
    }
    if !example.body.is_empty()
        && !example
            .headers
            .iter()
            .any(|(name, _)| name == "content-type")
    {
        let json = ("content-type".to_owned(), "application/json".to_owned());
        example.headers.push(json);
    }
    let mut lines = answered.lines();
    let status = lines.next().and_then(|status| status.get(..3));
    example.status = status
        .and_then(|status| status.parse().ok())
        .expect("a status");
    (example.answered, example.answer) = message(lines);
    example
}

/// Headers up to an empty line, and the rest.
fn message<'l>(mut lines: impl Iterator<Item = &'l str>) -> (Vec<(String, String)>, String) {
    let mut headers = Vec::new();
    for line in lines.by_ref() {
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let body: Vec<&str> = lines.collect();
    (headers, body.join("\n").trim_end().to_owned())
}

impl Example {
    /// What is otherwise than it must be; empty where nothing is.
    pub(super) fn compare(&self, response: &TestResponse) -> String {
        let mut wrong = String::new();
        if response.status != self.status {
            let _ = writeln!(wrong, "  status {}, not {}", response.status, self.status);
        }
        for (name, wanted) in &self.answered {
            let there = response.header(name).unwrap_or_default();
            if there != wanted {
                let _ = writeln!(wrong, "  {name}: {there}, not {wanted}");
            }
        }
        let text = response.text();
        if !self.is_answered_by(&text) {
            let _ = writeln!(wrong, "  {text}\n  is not\n  {}", self.answer);
        }
        if !wrong.is_empty() {
            let asked = format!("{}\n  {} {}\n", self.name, self.method, self.path);
            wrong.insert_str(0, &asked);
            let _ = writeln!(wrong, "  (it said {text})\n");
        }
        wrong
    }

    fn is_answered_by(&self, text: &str) -> bool {
        match self.answer.as_str() {
            "" => true,
            "-" => text.is_empty(),
            parts if parts.starts_with("~ ") => {
                let mut parts = parts.lines().filter_map(|line| line.strip_prefix("~ "));
                parts.all(|part| text.contains(part))
            }
            whole => {
                let json = |text: &str| serde_json::from_str::<Value>(text).ok();
                text == whole || json(text).is_some_and(|there| json(whole) == Some(there))
            }
        }
    }
}
