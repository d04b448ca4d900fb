//! Every parameter of the configuration: its name in the file, and what the environment and the
//! database call it.

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    /// In a file: `db-anon-role`.
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// Its value where nothing sets it; empty for none.
    pub(super) default: &'static str,
    /// Whether the database may set it.
    pub(super) place: Place,
    /// A name it had before.
    pub(super) alias: Option<&'static str>,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Flag,
    Number,
    Text,
    List,
    RolePath,
    /// A text that only who starts the server may see.
    Secret,
}

/// Where a parameter may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where the server is started.
    Start,
    /// There, and in the database.
    Database,
}

const fn parameter(
    key: &'static str,
    kind: Kind,
    default: &'static str,
    place: Place,
) -> Parameter {
    Parameter {
        key,
        kind,
        default,
        place,
        alias: None,
    }
}

const HOISTED: &str =
    "statement_timeout,plan_filter.statement_cost_limit,default_transaction_isolation";

use Kind::{Flag, List, Number, RolePath, Secret, Text};
use Place::{Database, Start};

/// All of them, in the order they are told in.
pub(super) const PARAMETERS: [Parameter; 42] = [
    parameter("db-aggregates-enabled", Flag, "false", Database),
    parameter("db-anon-role", Text, "", Database),
    parameter("db-channel", Text, "pgrst", Start),
    parameter("db-channel-enabled", Flag, "true", Start),
    parameter("db-extra-search-path", List, "public", Database),
    parameter("db-hoisted-tx-settings", List, HOISTED, Database),
    parameter("db-max-rows", Number, "", Database).once("max-rows"),
    parameter("db-plan-enabled", Flag, "false", Database),
    parameter("db-pool", Number, "10", Start),
    parameter("db-pool-acquisition-timeout", Number, "10", Start),
    parameter("db-pool-max-lifetime", Number, "1800", Start),
    parameter("db-pool-max-idletime", Number, "30", Start).once("db-pool-timeout"),
    parameter("db-pool-automatic-recovery", Flag, "true", Start),
    parameter("db-pre-request", Text, "", Database).once("pre-request"),
    parameter("db-prepared-statements", Flag, "true", Database),
    parameter("db-root-spec", Text, "", Database).once("root-spec"),
    parameter("db-schemas", List, "public", Database).once("db-schema"),
    parameter("db-config", Flag, "true", Start),
    parameter("db-pre-config", Text, "", Database),
    parameter("db-tx-end", Text, "commit", Database),
    parameter("db-uri", Secret, "postgresql://", Start),
    parameter("jwt-aud", Text, "", Database),
    parameter("jwt-role-claim-key", RolePath, ".role", Database).once("role-claim-key"),
    parameter("jwt-secret", Secret, "", Database),
    parameter("jwt-secret-is-base64", Flag, "false", Database).once("secret-is-base64"),
    parameter("jwt-cache-max-entries", Number, "1000", Database),
    parameter("jwt-cache-max-lifetime", Number, "0", Database),
    parameter("log-level", Text, "error", Start),
    parameter("log-query", Text, "disabled", Start),
    parameter("openapi-mode", Text, "follow-privileges", Database),
    parameter("openapi-security-active", Flag, "false", Database),
    parameter("openapi-server-proxy-uri", Text, "", Database),
    parameter("server-cors-allowed-origins", List, "", Database),
    parameter("server-host", Text, "!4", Start),
    parameter("server-port", Number, "3000", Start),
    parameter("server-reuseport", Flag, "false", Start),
    parameter("server-trace-header", Text, "", Database),
    parameter("server-timing-enabled", Flag, "false", Database),
    parameter("server-unix-socket", Text, "", Start),
    parameter("server-unix-socket-mode", Text, "660", Start),
    parameter("admin-server-host", Text, "", Start),
    parameter("admin-server-port", Number, "", Start),
];

impl Parameter {
    const fn once(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// In the environment: `PGRST_DB_ANON_ROLE`.
    pub(super) fn variable(&self) -> String {
        variable(self.key)
    }

    /// In the database: `pgrst.db_anon_role`.
    pub(super) fn setting(&self) -> String {
        format!("pgrst.{}", self.key.replace('-', "_"))
    }
}

/// What the environment calls the parameter `key`.
pub(super) fn variable(key: &str) -> String {
    format!("PGRST_{}", key.replace('-', "_").to_ascii_uppercase())
}
