//! Where links and redirects may lead: to the site and to what its operator listed, whatever a
//! request asks for.

use url::Url;

use crate::domain::glob::Glob;

/// The longest address that is looked at, in bytes.
const MAX_BYTES: usize = 2_048;

/// Where links may lead.
#[derive(Debug, Clone)]
pub struct LinkRules {
    /// Where they lead unless a request asks for another place.
    pub site_url: Url,
    /// Which other places may be asked for.
    pub allowed: Vec<Glob>,
}

impl LinkRules {
    /// The place that was asked for, where it is allowed, else the site.
    pub fn choose(&self, asked: Option<&str>) -> Url {
        asked
            .and_then(|asked| self.allowed(asked))
            .unwrap_or_else(|| self.site_url.clone())
    }

    /// The place that was asked for, where it is allowed.
    pub fn allowed(&self, asked: &str) -> Option<Url> {
        let readable = asked.len() <= MAX_BYTES && !asked.chars().any(char::is_control);
        let url = Url::parse(asked).ok().filter(|_| readable)?;
        let has_login = !url.username().is_empty() || url.password().is_some();
        if has_login || asked.contains('\\') {
            return None;
        }
        let listed = || {
            let mut plain = url.clone();
            plain.set_fragment(None);
            self.allowed.iter().any(|glob| {
                let without_slash = plain.as_str().trim_end_matches('/');
                glob.matches(plain.as_str()) || glob.matches(without_slash)
            })
        };
        (self.is_site(&url) || (is_known_host(&url) && listed())).then_some(url)
    }

    /// A page of the site itself, on whatever port.
    fn is_site(&self, url: &Url) -> bool {
        let same_scheme = url.scheme() == self.site_url.scheme();
        let is_web = matches!(url.scheme(), "http" | "https");
        let same_host = url.host().is_some() && url.host() == self.site_url.host();
        (same_scheme && is_web && same_host) || *url == self.site_url
    }
}

/// Of numeric addresses, only this machine's own may be listed; what a script would run, never.
fn is_known_host(url: &Url) -> bool {
    if matches!(
        url.scheme(),
        "javascript" | "data" | "vbscript" | "file" | "blob"
    ) {
        return false;
    }
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(_)) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> LinkRules {
        let allowed = [
            "https://*.example.org/**",
            "app://callback",
            "http://127.0.0.1:*/**",
        ];
        let allowed = allowed.map(|pattern| Glob::parse(pattern).expect(pattern));
        LinkRules {
            site_url: Url::parse("https://example.com/app").expect("a URL"),
            allowed: allowed.into(),
        }
    }

    #[test]
    fn only_the_site_and_what_is_listed_are_led_to() {
        let cases = [
            ("https://example.com/welcome?x=1#y", true),
            ("https://example.com:8443/", true),
            ("https://a.example.org/x/y", true),
            ("app://callback", true),
            ("http://127.0.0.1:3000/cb", true),
            ("http://example.com/", false),
            ("https://evil.com/", false),
            ("https://example.com.evil.com/", false),
            ("https://evil.com/?x=https://example.com/", false),
            ("https://example.com@evil.com/", false),
            ("https://user@example.com/", false),
            ("https://evil.com\\@example.com/", false),
            ("//evil.com", false),
            ("/relative", false),
            ("javascript://example.com/%0aalert(1)", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("https://example.com/\r\nset-cookie: a=b", false),
            ("https://example.com/\tx", false),
            ("http://192.0.2.7/", false),
            ("http://2130706433.evil.com/", false),
            ("", false),
        ];
        for (asked, expected) in cases {
            assert_eq!(rules().allowed(asked).is_some(), expected, "{asked:?}");
        }
        assert_eq!(
            rules().choose(Some("https://evil.com/")).as_str(),
            "https://example.com/app"
        );
        assert_eq!(rules().choose(None).as_str(), "https://example.com/app");
    }
}
