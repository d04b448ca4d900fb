//! The way to Postgres, for code that names `SUPABASE_DB_URL`: to one address and port, and no
//! further. Any other function's process has no such way, whatever it tries.

use std::io;
use std::net::SocketAddr;

use common::Secret;
use pg::Endpoint;

/// Where the database is, and what a function logs in with.
#[derive(Debug, Clone)]
pub(super) struct DatabaseWay {
    pub(super) address: SocketAddr,
    pub(super) url: Secret,
}

/// Finds the address of `endpoint`. The URL names it too: a name could lead elsewhere later.
pub(super) async fn find(endpoint: &Endpoint) -> io::Result<DatabaseWay> {
    let place = (endpoint.host.as_str(), endpoint.port);
    let found: Vec<SocketAddr> = tokio::net::lookup_host(place).await?.collect();
    let v4 = found.iter().find(|address| address.is_ipv4());
    let address = v4.or(found.first()).copied();
    let address = address.ok_or_else(|| io::Error::other("the database's name has no address"))?;
    let endpoint = Endpoint {
        host: address.ip().to_string(),
        ..endpoint.clone()
    };
    Ok(DatabaseWay {
        address,
        url: endpoint.url(),
    })
}
