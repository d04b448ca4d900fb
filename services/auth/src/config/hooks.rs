//! What the operator's own code is asked about, as Postgres functions or by signed HTTP.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::Settings;
use pg::QualifiedIdent;
use url::Url;

use crate::hooks::{HookName, HookSecret};

/// A hook that is enabled.
#[derive(Debug, Clone)]
pub struct HookConfig {
    /// Which one.
    pub name: HookName,
    /// Who is asked.
    pub target: HookTarget,
}

/// Who is asked.
#[derive(Debug, Clone)]
pub enum HookTarget {
    /// A function of the database: takes and answers `jsonb`.
    Function(QualifiedIdent),
    /// A server.
    Http {
        /// Where it is.
        url: Url,
        /// What requests to it are signed with: each of them.
        secrets: Vec<HookSecret>,
    },
}

/// Reads `GOTRUE_HOOK_<NAME>_{ENABLED,URI,SECRETS}`.
pub(super) fn read(settings: &Settings<'_>) -> Vec<HookConfig> {
    let hooks = HookName::ALL.into_iter();
    hooks.filter_map(|name| read_one(settings, name)).collect()
}

fn read_one(settings: &Settings<'_>, name: HookName) -> Option<HookConfig> {
    let setting = |what: &str| format!("GOTRUE_HOOK_{}_{what}", name.setting());
    if !settings.flag(&setting("ENABLED"), false) {
        return None;
    }
    let variable = setting("URI");
    let uri = settings.required_text(&variable)?;
    let Ok(url) = Url::parse(&uri) else {
        settings.reject(&variable, "is not an absolute URI");
        return None;
    };
    let target = match url.scheme() {
        "pg-functions" => function(settings, &variable, &url)?,
        "http" | "https" => {
            let secrets = secrets(settings, &setting("SECRETS"))?;
            HookTarget::Http { url, secrets }
        }
        _ => {
            settings.reject(
                &variable,
                "must begin with pg-functions://, https:// or http://",
            );
            return None;
        }
    };
    Some(HookConfig { name, target })
}

/// `pg-functions://postgres/<schema>/<function>`.
fn function(settings: &Settings<'_>, variable: &str, url: &Url) -> Option<HookTarget> {
    let parts: Vec<&str> = url.path().trim_matches('/').split('/').collect();
    let [schema, function] = parts.as_slice() else {
        settings.reject(
            variable,
            "must be pg-functions://postgres/<schema>/<function>",
        );
        return None;
    };
    let name = QualifiedIdent::new(schema, function)
        .map_err(|_| settings.reject(variable, "names no function"));
    Some(HookTarget::Function(name.ok()?))
}

/// `v1,whsec_<base64>`, one or more, separated by `|`.
fn secrets(settings: &Settings<'_>, variable: &str) -> Option<Vec<HookSecret>> {
    let text = settings.required_text(variable)?;
    let read = |secret: &str| {
        let key = secret.trim().strip_prefix("v1,whsec_")?;
        let key = STANDARD.decode(key).ok()?;
        (key.len() >= 16).then(|| HookSecret::new(key))
    };
    let secrets: Option<Vec<HookSecret>> = text.split('|').map(read).collect();
    if secrets.is_none() {
        settings.reject(variable, "must be v1,whsec_<base64 of 16 bytes or more>");
    }
    secrets
}
