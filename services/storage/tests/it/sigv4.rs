//! Signing requests as S3's clients do (Signature Version 4), for tests of what no client can be
//! made to send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Clock as _, SystemClock};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use testkit::TestRequest;
use time::macros::format_description;

use crate::stage::Stage;

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
const PATH: &AsciiSet = &ENCODED.remove(b'/');

/// Who signs.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) access_key: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    pub(crate) habit: Habit,
}

/// What becomes of a path before the bucket's when it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// It is part of the path.
    Usual,
    /// s3cmd takes it for the end of the host's name.
    S3cmd,
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

fn sign(key: &[u8], message: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

impl Signer {
    /// The key pair that acts as the service.
    pub(crate) fn service(stage: &Stage) -> Self {
        let config = Stage::config(&stage.db, &[]);
        let keys = config.s3_keys();
        Self {
            access_key: keys.access_key_id.clone(),
            secret: keys.secret_access_key.expose().to_owned(),
            token: None,
            habit: Habit::Usual,
        }
    }

    /// The anon key and a session token.
    pub(crate) fn session(stage: &Stage, token: &str) -> Self {
        Self {
            access_key: "any".to_owned(),
            secret: stage.anon.clone(),
            token: Some(token.to_owned()),
            habit: Habit::Usual,
        }
    }

    fn key(&self, date: &str) -> Vec<u8> {
        let first = format!("AWS4{}", self.secret).into_bytes();
        ["us-east-1", "s3", "aws4_request"]
            .iter()
            .fold(sign(&first, date), |key, word| sign(&key, word))
    }

    /// A signed request for `/s3{path}` with `query`, of which the gateway took off its prefix.
    pub(crate) fn request(
        &self,
        stage: &Stage,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: &[u8],
    ) -> TestRequest {
        let now = SystemClock.now();
        let stamp = now
            .format(format_description!(
                "[year][month][day]T[hour][minute][second]Z"
            ))
            .expect("a date");
        let date: String = stamp.chars().take(8).collect();
        let hash = hex(&Sha256::digest(body));
        let uri = format!("/s3{}", utf8_percent_encode(path, PATH));
        let query = canonical(query);
        let mut headers = vec![
            ("host", "localhost:8000".to_owned()),
            ("x-amz-content-sha256", hash.clone()),
            ("x-amz-date", stamp.clone()),
        ];
        if let Some(token) = &self.token {
            headers.push(("x-amz-security-token", token.clone()));
        }
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let (more_host, before, path) = match self.habit {
            Habit::Usual => ("", "/storage/v1", &*uri),
            Habit::S3cmd => ("/storage/v1/s3", "", uri.trim_start_matches("/s3")),
        };
        let lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| {
                let more = if *name == "host" { more_host } else { "" };
                format!("{name}:{value}{more}\n")
            })
            .collect();
        let lines = lines.concat();
        let whole = format!("{method}\n{before}{path}\n{query}\n{lines}\n{names}\n{hash}");
        let scope = format!("{date}/us-east-1/s3/aws4_request");
        let digest = hex(&Sha256::digest(whole));
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}");
        let signature = hex(&sign(&self.key(&date), &text));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key
        );
        let target = if query.is_empty() {
            uri
        } else {
            format!("{uri}?{query}")
        };
        let mut request = stage.service.request(method, &target);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        request
            .header("content-length", &body.len().to_string())
            .header("authorization", &authorization)
            .header("x-forwarded-prefix", "/storage/v1")
            .body(body.to_vec())
    }

    /// The path and query of a URL that does `method` for a minute.
    pub(crate) fn presigned(&self, method: &Method, path: &str) -> String {
        let now = SystemClock.now();
        let stamp = now
            .format(format_description!(
                "[year][month][day]T[hour][minute][second]Z"
            ))
            .expect("a date");
        let date: String = stamp.chars().take(8).collect();
        let scope = format!("{date}/us-east-1/s3/aws4_request");
        let credential = format!("{}/{scope}", self.access_key);
        let mut query = vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", credential.as_str()),
            ("X-Amz-Date", stamp.as_str()),
            ("X-Amz-Expires", "60"),
            ("X-Amz-SignedHeaders", "host"),
        ];
        query.extend(
            self.token
                .as_deref()
                .map(|token| ("X-Amz-Security-Token", token)),
        );
        let query = canonical(&query);
        let uri = format!("/s3{}", utf8_percent_encode(path, PATH));
        let whole = format!(
            "{method}\n/storage/v1{uri}\n{query}\nhost:localhost:8000\n\nhost\nUNSIGNED-PAYLOAD"
        );
        let digest = hex(&Sha256::digest(whole));
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}");
        let signature = hex(&sign(&self.key(&date), &text));
        format!("{uri}?{query}&X-Amz-Signature={signature}")
    }

    /// The fields of a form that uploads `key` to `bucket`.
    pub(crate) fn form(&self, bucket: &str, key: &str) -> Vec<(String, String)> {
        let now = SystemClock.now();
        let stamp = now
            .format(format_description!(
                "[year][month][day]T[hour][minute][second]Z"
            ))
            .expect("a date");
        let date: String = stamp.chars().take(8).collect();
        let credential = format!("{}/{date}/us-east-1/s3/aws4_request", self.access_key);
        let mut fields = vec![
            ("key".to_owned(), key.to_owned()),
            ("x-amz-algorithm".to_owned(), "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential".to_owned(), credential),
            ("x-amz-date".to_owned(), stamp),
        ];
        let token = self.token.iter().cloned();
        fields.extend(token.map(|token| ("x-amz-security-token".to_owned(), token)));
        let mut conditions: Vec<_> = fields
            .iter()
            .map(|(name, value)| serde_json::json!({ name: value }))
            .collect();
        conditions.push(serde_json::json!({ "bucket": bucket }));
        conditions.push(serde_json::json!(["content-length-range", 1, 100]));
        let ends = "2999-01-01T00:00:00Z";
        let policy = serde_json::json!({ "expiration": ends, "conditions": conditions });
        let policy = STANDARD.encode(policy.to_string());
        let signature = hex(&sign(&self.key(&date), &policy));
        fields.push(("policy".to_owned(), policy));
        fields.push(("x-amz-signature".to_owned(), signature));
        fields
    }
}

fn canonical(query: &[(&str, &str)]) -> String {
    let mut pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| {
            let encoded = utf8_percent_encode(value, ENCODED);
            format!("{}={encoded}", utf8_percent_encode(name, ENCODED))
        })
        .collect();
    pairs.sort();
    pairs.join("&")
}
