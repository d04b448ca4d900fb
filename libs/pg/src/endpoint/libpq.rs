//! Connection strings as libpq reads them
//! (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>): a URL or
//! `keyword=value`, and what neither says from `PGHOST`, `PGPORT`, `PGUSER`, … Of several hosts the
//! first is taken.

use std::collections::HashMap;
use std::path::PathBuf;

use common::{Secret, Settings};

use super::{Endpoint, EndpointError, TlsMode, decode};

/// Where Debian's Postgres has its socket.
const SOCKET_DIRECTORY: &str = "/var/run/postgresql";

/// libpq's keywords that have a meaning here, and the variables they default to.
const VARIABLES: [(&str, &str); 7] = [
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
];

type Keywords = HashMap<String, String>;

impl Endpoint {
    /// Reads a connection string; the environment behind `settings` says what it leaves open.
    pub fn from_libpq(text: &str, settings: &Settings<'_>) -> Result<Self, EndpointError> {
        let mut words = ["postgres://", "postgresql://"]
            .iter()
            .find_map(|scheme| text.trim().strip_prefix(scheme))
            .map_or_else(|| keywords(text), url)?;
        for (keyword, variable) in VARIABLES {
            if !words.contains_key(keyword)
                && let Some(value) = settings.text(variable)
            {
                words.insert(keyword.to_owned(), value);
            }
        }
        let account = || settings.text("USER").or_else(|| settings.text("LOGNAME"));
        let user = words.remove("user").or_else(account);
        let user = user.ok_or(EndpointError::User)?;
        let host = words.remove("host").or_else(|| words.remove("hostaddr"));
        let host = host.unwrap_or_else(default_host);
        let port = words.get("port").map_or("5432", String::as_str);
        let tls: Option<TlsMode> = words.get("sslmode").map(|mode| mode.parse()).transpose()?;
        Ok(Self {
            port: first(port).parse().map_err(|_| EndpointError::Port)?,
            database: words.remove("dbname").unwrap_or_else(|| user.clone()),
            user,
            password: words.remove("password").map(Secret::from),
            tls: tls.unwrap_or_else(|| TlsMode::for_host(first(&host))),
            root_certificate: words.remove("sslrootcert").map(PathBuf::from),
            host: first(&host).to_owned(),
            socket_directory: None,
        })
    }
}

fn default_host() -> String {
    let host = if std::path::Path::new(SOCKET_DIRECTORY).is_dir() {
        SOCKET_DIRECTORY
    } else {
        "localhost"
    };
    host.to_owned()
}

fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or(list)
}

/// `user:password@host:port/dbname?keyword=value`. Not by the rules of URLs: every part may be
/// missing, and a host may be a list.
fn url(text: &str) -> Result<Keywords, EndpointError> {
    let (text, parameters) = text.split_once('?').unwrap_or((text, ""));
    let (authority, database) = text.split_once('/').unwrap_or((text, ""));
    let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let place = first(place);
    let is_address = place.starts_with('[');
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !is_address || host.ends_with(']') => (host, port),
        Some(_) | None => (place, ""),
    };
    let mut words = Keywords::new();
    let parts = [
        ("user", user),
        ("password", password),
        ("host", host.trim_matches(['[', ']'])),
        ("port", port),
        ("dbname", database),
    ];
    let parameters = parameters
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    for (keyword, value) in parts.into_iter().chain(parameters) {
        if !value.is_empty() {
            words.insert(decode(keyword)?, decode(value)?);
        }
    }
    Ok(words)
}

/// `host=localhost user = 'a b' password='it\'s'`.
fn keywords(text: &str) -> Result<Keywords, EndpointError> {
    let mut words = Keywords::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (keyword, after) = rest.split_once('=').ok_or(EndpointError::Syntax)?;
        let keyword = keyword.trim();
        if keyword.is_empty() || keyword.contains(char::is_whitespace) {
            return Err(EndpointError::Syntax);
        }
        let (value, after) = value(after.trim_start())?;
        if !value.is_empty() {
            words.insert(keyword.to_owned(), value);
        }
        rest = after.trim_start();
    }
    Ok(words)
}

/// One value, quoted or not, and what comes after it. A backslash takes the next character as it
/// is.
fn value(text: &str) -> Result<(String, &str), EndpointError> {
    let quoted = text.strip_prefix('\'');
    let text = quoted.unwrap_or(text);
    let mut value = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => value.extend(characters.next()),
            '\'' if quoted.is_some() => return Ok((value, characters.as_str())),
            space if quoted.is_none() && space.is_whitespace() => {
                return Ok((value, characters.as_str()));
            }
            other => value.push(other),
        }
    }
    if quoted.is_some() {
        return Err(EndpointError::Syntax);
    }
    Ok((value, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::EnvironmentMap;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Endpoint, EndpointError> {
        let environment: EnvironmentMap = environment.iter().copied().collect();
        Endpoint::from_libpq(text, &Settings::new(&environment))
    }

    fn shown(text: &str, environment: &[(&str, &str)]) -> String {
        let endpoint = read(text, environment).expect("a connection string");
        let Endpoint {
            host,
            port,
            database,
            user,
            password,
            tls,
            ..
        } = endpoint;
        let password = password.map(|password| password.expose().to_owned());
        format!(
            "{user}:{password:?}@{host}:{port}/{database} {}",
            tls.as_str()
        )
    }

    #[test]
    fn both_forms_say_the_same() {
        let expected = "authenticator:Some(\"my secret\")@localhost:5433/postgres disable";
        for text in [
            "postgres://authenticator:my%20secret@localhost:5433/postgres",
            "postgresql://localhost:5433/postgres?user=authenticator&password=my%20secret",
            "host=localhost port=5433 user=authenticator password='my secret' dbname=postgres",
            r"host = localhost port= 5433 user =authenticator password=my\ secret dbname=postgres",
        ] {
            assert_eq!(shown(text, &[]), expected, "{text}");
        }
    }

    #[test]
    fn the_environment_says_the_rest() {
        let environment = [
            ("PGHOST", "db.example"),
            ("PGPORT", "6543"),
            ("PGUSER", "me"),
            ("PGPASSWORD", "pw"),
            ("PGDATABASE", "app"),
            ("PGSSLMODE", "require"),
        ];
        let whole = "me:Some(\"pw\")@db.example:6543/app require";
        assert_eq!(shown("postgresql://", &environment), whole);
        assert_eq!(shown("", &environment), whole);
        let other = "you:Some(\"pw\")@db.example:6543/other require";
        assert_eq!(shown("postgres://you@/other", &environment), other);
        assert_eq!(shown("user=you dbname=other", &environment), other);
    }

    #[test]
    fn sockets_addresses_and_lists() {
        let socket = "me:None@/run/pg:5432/me disable";
        assert_eq!(shown("postgres://me@%2Frun%2Fpg", &[]), socket);
        assert_eq!(shown("host=/run/pg user=me", &[]), socket);
        assert_eq!(
            shown("postgres://me@[::1]:5433", &[]),
            "me:None@::1:5433/me disable"
        );
        assert_eq!(
            shown("postgres://me@[::1]", &[]),
            "me:None@::1:5432/me disable"
        );
        assert_eq!(
            shown("postgres://me@a:1,b:2/x", &[]),
            "me:None@a:1/x prefer"
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (text, error) in [
            ("nonsense", EndpointError::Syntax),
            ("user='me", EndpointError::Syntax),
            ("a b=c", EndpointError::Syntax),
            ("host=x", EndpointError::User),
            ("user=me port=x", EndpointError::Port),
            ("user=me sslmode=x", EndpointError::TlsMode),
            ("postgres://%ff@host", EndpointError::Encoding),
        ] {
            assert_eq!(read(text, &[]).map(|_| ()), Err(error), "{text}");
        }
    }
}
