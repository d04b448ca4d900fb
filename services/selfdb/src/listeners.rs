//! The addresses of the platform, bound before anything is started, so that a port that is taken
//! is reported next to every other mistake.

use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};

use common::Settings;
use tokio::net::TcpListener;

/// A listener that was bound while the configuration was read.
#[derive(Debug)]
pub struct Bound(StdListener);

impl Bound {
    /// The listener, ready for the runtime it is called in.
    pub fn into_tokio(self) -> std::io::Result<TcpListener> {
        TcpListener::from_std(self.0)
    }
}

/// Binds `host` at the port of setting `name`; a port that cannot be had is an error of that
/// setting.
pub fn bind(settings: &Settings<'_>, host: IpAddr, name: &str, default: u16) -> Option<Bound> {
    let address = SocketAddr::new(host, settings.port(name, default));
    let listener = StdListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    match listener {
        Ok(listener) => Some(Bound(listener)),
        Err(error) => {
            settings.reject(name, taken(address, &error));
            None
        }
    }
}

/// Checks that `host` can be listened on at the port of setting `name`, without keeping it.
pub fn probe(settings: &Settings<'_>, host: IpAddr, name: &str, default: u16) {
    drop(bind(settings, host, name, default));
}

fn taken(address: SocketAddr, error: &std::io::Error) -> String {
    format!("{address} cannot be listened on ({error}): choose a free port, or stop what holds it")
}
