//! What one process may connect to: said twice, to Deno by hosts and to the kernel by ports.

use std::net::{IpAddr, SocketAddr};

use super::networks;
use crate::config::ProcessConfig;
use crate::domain::egress::{Egress, Host, Target};

/// The name behind which the bootstrap finds the platform, over a unix socket. It resolves to
/// nothing.
const PLATFORM: &str = "selfdb.internal:80";

/// Where a process may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    /// What is named for it alone; `None` where the public internet is open.
    named: Option<Vec<String>>,
    /// TCP ports, whoever is there.
    pub(super) ports: Vec<u16>,
    /// Whether of IPv6, too.
    pub(super) ipv6: bool,
    /// Open although they lie in a closed network.
    holes: Vec<SocketAddr>,
}

impl Reach {
    /// Of a process with the list `egress`, where it has one, and a way to `database`.
    pub(super) fn new(
        config: &ProcessConfig,
        egress: Option<&Egress>,
        database: Option<SocketAddr>,
    ) -> Self {
        let mut reach = Self {
            named: None,
            ports: config.egress_ports.clone(),
            ipv6: config.egress_ipv6 || database.is_some_and(|database| database.is_ipv6()),
            holes: database.into_iter().collect(),
        };
        if let Some(egress) = egress {
            reach.narrow(config, egress);
        }
        reach.ports.extend(database.map(|database| database.port()));
        reach.ports.sort_unstable();
        reach.ports.dedup();
        reach
    }

    fn narrow(&mut self, config: &ProcessConfig, egress: &Egress) {
        let mut named = vec![PLATFORM.to_owned()];
        named.extend(self.holes.iter().map(ToString::to_string));
        self.ports.clear();
        for target in &egress.0 {
            for port in ports(target, config) {
                named.push(format!("{}:{port}", target.host));
                self.ports.push(port);
                let place = address(target).map(|address| SocketAddr::new(address, port));
                let open = place.filter(|place| config.egress_private.contains(place));
                self.holes.extend(open);
            }
        }
        self.named = Some(named);
    }

    /// Deno's flags; `sockets` are its own, by their paths.
    pub(super) fn flags(&self, sockets: &[&str]) -> [String; 2] {
        let allowed = match &self.named {
            Some(named) => {
                let sockets = sockets.iter().map(|socket| format!("unix:{socket}"));
                let all: Vec<String> = named.iter().cloned().chain(sockets).collect();
                format!("--allow-net={}", all.join(","))
            }
            None => "--allow-net".to_owned(),
        };
        let denied = networks::denied(&self.ports, &self.holes);
        [allowed, format!("--deny-net={denied}")]
    }
}

/// Why a version with the list `egress` is not started: it names what stays closed.
pub(super) fn check(config: &ProcessConfig, egress: &Egress) -> Result<(), String> {
    let closed = egress.0.iter().find(|target| {
        let Some(address) = address(target).filter(|address| networks::is_closed(*address)) else {
            return false;
        };
        let mut ports = ports(target, config).into_iter();
        !ports.all(|port| {
            config
                .egress_private
                .contains(&SocketAddr::new(address, port))
        })
    });
    match closed {
        Some(target) => Err(format!(
            "egress in deno.json names {}, which lies in a private network: whoever runs the platform opens it by FUNCTIONS_EGRESS_PRIVATE",
            target.host
        )),
        None => Ok(()),
    }
}

fn ports(target: &Target, config: &ProcessConfig) -> Vec<u16> {
    match target.port {
        Some(port) => vec![port.get()],
        None => config.egress_ports.clone(),
    }
}

fn address(target: &Target) -> Option<IpAddr> {
    match &target.host {
        Host::Address(address) => Some(*address),
        Host::Name(_) => None,
    }
}
