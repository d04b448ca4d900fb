//! Where links may lead.

use common::Settings;
use url::Url;

use crate::domain::glob::Glob;
use crate::domain::links::LinkRules;

/// Reads `GOTRUE_SITE_URL` and `GOTRUE_URI_ALLOW_LIST`, or the names of Supabase's own file,
/// `SITE_URL` and `ADDITIONAL_REDIRECT_URLS`.
pub(super) fn read(settings: &Settings<'_>) -> Option<LinkRules> {
    let external = settings.text_or("API_EXTERNAL_URL", "http://localhost:8000");
    let (name, text) =
        first(settings, ["GOTRUE_SITE_URL", "SITE_URL"]).unwrap_or(("API_EXTERNAL_URL", external));
    let site_url = Url::parse(&text)
        .map_err(|_| settings.reject(name, "is not an absolute URL"))
        .ok();
    let lists = ["GOTRUE_URI_ALLOW_LIST", "ADDITIONAL_REDIRECT_URLS"];
    let (name, list) = first(settings, lists).unwrap_or(("GOTRUE_URI_ALLOW_LIST", String::new()));
    let mut allowed = Vec::new();
    for pattern in patterns(&list) {
        match Glob::parse(pattern) {
            Ok(glob) => allowed.push(glob),
            Err(error) => settings.reject(name, format!("has a pattern in which {error}")),
        }
    }
    Some(LinkRules {
        site_url: site_url?,
        allowed,
    })
}

fn first(settings: &Settings<'_>, names: [&'static str; 2]) -> Option<(&'static str, String)> {
    names
        .into_iter()
        .find_map(|name| Some((name, settings.text(name)?)))
}

/// The patterns of a list; a comma within braces does not part two.
fn patterns(list: &str) -> Vec<&str> {
    let mut depth = 0;
    list.split(|character| {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|pattern| !pattern.is_empty())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::patterns;

    #[test]
    fn commas_within_braces_part_nothing() {
        let list = "https://{a,b}.example.com/**, app://callback,";
        assert_eq!(
            patterns(list),
            ["https://{a,b}.example.com/**", "app://callback"]
        );
    }
}
