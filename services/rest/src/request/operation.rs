//! The operations of one transaction, `[{method, path, headers?, body?}]`, and their results.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::error::TransactionError;
use crate::idempotency::KeptAnswer;

/// The key of an object that stands for a value of an earlier result.
const REFERENCE: &str = "$result";

/// Headers that belong to the request as a whole.
const OF_THE_WHOLE: [&str; 10] = [
    "accept",
    "accept-profile",
    "content-encoding",
    "content-length",
    "content-profile",
    "content-type",
    "idempotency-key",
    "prefer",
    "range",
    "transfer-encoding",
];
/// Headers that say who asks, which an operation does not change.
const NOT_OF_OPERATIONS: [&str; 4] = ["authorization", "apikey", "cookie", "idempotency-key"];

/// Headers of a result that clients ask for.
const SHOWN: [&str; 5] = [
    "content-location",
    "content-range",
    "content-type",
    "location",
    "preference-applied",
];

/// A request as it would be sent by itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    method: String,
    /// The path and query below `/rest/v1`.
    path: String,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Box<RawValue>>,
}

/// Reads the list of operations: 1 to `most` of them.
pub(crate) fn parse(body: &[u8], most: usize) -> Result<Vec<Operation>, TransactionError> {
    let list: Vec<Operation> =
        serde_json::from_slice(body).map_err(|error| TransactionError::Body(error.to_string()))?;
    match list.len() {
        0 => Err(TransactionError::Body("it has no operation".to_owned())),
        count if count > most => Err(TransactionError::TooMany { count, most }),
        _ => Ok(list),
    }
}

impl Operation {
    /// The operation as a request of its own, inside that of `whole`.
    pub(crate) fn parts(&self, whole: &Parts) -> Result<Parts, TransactionError> {
        let refused = TransactionError::Operation;
        let method = self.method.to_uppercase().parse::<Method>();
        let method = method.map_err(|_| refused("its method is none"))?;
        if !self.path.starts_with('/') {
            return Err(refused("its path does not begin with a slash"));
        }
        let uri = Uri::try_from(self.path.as_str());
        let uri = uri.map_err(|_| refused("its path is none: encode it as in a URL"))?;
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = method;
        parts.uri = uri;
        parts.headers = self.headers(&whole.headers)?;
        Ok(parts)
    }

    fn headers(&self, whole: &HeaderMap) -> Result<HeaderMap, TransactionError> {
        let refused = TransactionError::Operation;
        let mut headers = whole.clone();
        for name in OF_THE_WHOLE {
            headers.remove(name);
        }
        for (name, value) in &self.headers {
            let name: HeaderName = name
                .parse()
                .map_err(|_| refused("it has a header whose name is none"))?;
            if NOT_OF_OPERATIONS.contains(&name.as_str()) {
                return Err(refused(
                    "its headers cannot say who asks, nor have a key of their own",
                ));
            }
            let value = value
                .as_str()
                .and_then(|text| HeaderValue::try_from(text).ok());
            let value = value.ok_or(refused("it has a header whose value is no text"))?;
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// The bytes of the body: JSON as it came, with values of earlier results where it refers to
    /// them; of another content type what the JSON string says.
    pub(crate) fn body(&self, results: &Results) -> Result<Bytes, TransactionError> {
        let Some(raw) = self.body.as_deref().map(RawValue::get) else {
            return Ok(Bytes::new());
        };
        let typed = self.headers.iter();
        let mut typed = typed.filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let is_json =
            typed.all(|(_, value)| value.as_str().is_some_and(|text| text.contains("json")));
        if !is_json {
            let text: String = serde_json::from_str(raw).map_err(|_| {
                TransactionError::Operation("its body is no JSON string, as its content type needs")
            })?;
            return Ok(Bytes::from(text));
        }
        if !raw.contains(REFERENCE) {
            return Ok(Bytes::copy_from_slice(raw.as_bytes()));
        }
        let mut body: Value =
            serde_json::from_str(raw).map_err(|error| TransactionError::Body(error.to_string()))?;
        results.resolve(&mut body)?;
        Ok(Bytes::from(body.to_string()))
    }
}

/// What the operations so far came to.
#[derive(Debug)]
pub(crate) struct Results {
    /// Each a JSON object.
    texts: Vec<String>,
    bytes: usize,
    most_bytes: usize,
}

impl Results {
    /// With none yet, of at most so many bytes in all.
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self {
            texts: Vec::new(),
            bytes: 0,
            most_bytes,
        }
    }

    /// Adds the next.
    pub(crate) fn add(&mut self, answer: &KeptAnswer) -> Result<(), TransactionError> {
        let shown = answer.headers.iter();
        let shown = shown.filter(|(name, _)| SHOWN.contains(&name.as_str()));
        let headers: Map<String, Value> = shown
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        let is_json = headers
            .get("content-type")
            .and_then(Value::as_str)
            .is_some_and(|media| media.contains("json"));
        let body = String::from_utf8(answer.body.to_vec());
        let body = body.map_err(|_| TransactionError::Operation("its answer is no text"))?;
        let body = match (body.is_empty(), is_json) {
            (true, _) => "null".to_owned(),
            (false, true) => body,
            (false, false) => Value::from(body).to_string(),
        };
        let (status, headers) = (answer.status, json!(headers));
        let text = format!("{{\"status\":{status},\"headers\":{headers},\"body\":{body}}}");
        self.bytes += text.len();
        if self.bytes > self.most_bytes {
            return Err(TransactionError::ResultsTooLarge(self.most_bytes));
        }
        self.texts.push(text);
        Ok(())
    }

    /// All of them, as a JSON list.
    pub(crate) fn into_text(self) -> String {
        format!("[{}]", self.texts.join(","))
    }

    /// Puts values of results in the place of what refers to them: `{"$result": "/0/body/0/id"}`.
    fn resolve(&self, value: &mut Value) -> Result<(), TransactionError> {
        match value {
            Value::Object(fields) => {
                let pointer = fields.get(REFERENCE).and_then(Value::as_str);
                match pointer {
                    Some(pointer) if fields.len() == 1 => *value = self.find(pointer)?,
                    Some(_) | None => {
                        for field in fields.values_mut() {
                            self.resolve(field)?;
                        }
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.resolve(item)?;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        Ok(())
    }

    /// The value at a JSON pointer (RFC 6901) into the list of results.
    fn find(&self, pointer: &str) -> Result<Value, TransactionError> {
        let missing = || TransactionError::Reference(pointer.to_owned());
        let rest = pointer.strip_prefix('/').ok_or_else(missing)?;
        let (index, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let text = index
            .parse()
            .ok()
            .and_then(|index: usize| self.texts.get(index));
        let result: Value =
            serde_json::from_str(text.ok_or_else(missing)?).map_err(|_| missing())?;
        result.pointer(rest).cloned().ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let mut results = Results::new(1000);
        let answer = KeptAnswer {
            status: 201,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from_static(br#"[{"id":7,"a/b":null}]"#),
        };
        results.add(&answer).expect("room");
        results
    }

    fn body(text: &str) -> Result<Bytes, TransactionError> {
        let list = format!(r#"[{{"method":"post","path":"/t","body":{text}}}]"#);
        parse(list.as_bytes(), 1)?[0].body(&results())
    }

    #[test]
    fn bodies_refer_to_earlier_results() {
        let resolved = body(r#"[{"a":{"$result":"/0/body/0/id"},"b":{"$result":"/0/status"}}]"#);
        assert_eq!(resolved.expect("a body"), r#"[{"a":7,"b":201}]"#);
        let null = body(r#"{"a":{"$result":"/0/body/0/a~1b"}}"#);
        assert_eq!(null.expect("a body"), r#"{"a":null}"#);
        for missing in ["/1/body", "/0/body/1", "0", "", "/x"] {
            let refused = body(&format!(r#"{{"a":{{"$result":"{missing}"}}}}"#));
            assert_eq!(
                refused,
                Err(TransactionError::Reference(missing.to_owned()))
            );
        }
    }

    #[test]
    fn what_refers_to_nothing_stays_as_it_came() {
        let text = r#"{"a": 12345678901234567890.10,  "b": 1.0}"#;
        assert_eq!(body(text).expect("a body"), text);
        let beside = r#"{"$result":"/9","b":1}"#;
        assert_eq!(body(beside).expect("a body"), beside);
    }
}
