//! What one route says.

/// A service behind the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ServiceName {
    Auth,
    Rest,
    Realtime,
    Storage,
    Functions,
}

impl ServiceName {
    pub(crate) const ALL: [Self; 5] = [
        Self::Auth,
        Self::Rest,
        Self::Realtime,
        Self::Storage,
        Self::Functions,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Rest => "rest",
            Self::Realtime => "realtime",
            Self::Storage => "storage",
            Self::Functions => "functions",
        }
    }

    /// Its place in [`ServiceName::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// What the gateway itself asks for before it hands a request on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    /// An API key, whatever else is there: the rule of Supabase's dialect.
    Key,
    /// A user's token, or an API key: the rule of `/api/v1`.
    KeyOrUser,
    /// Nothing: the service decides by bucket, by function, or by what the path carries.
    Service,
}

/// A page of the gateway's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Index,
    Live,
    Ready,
    Health,
    Metrics,
}

/// Which path the service is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathRule {
    /// The path without this prefix.
    Strip(&'static str),
    /// The path as it is.
    Keep,
    /// GraphQL is the function `graphql` in the schema `graphql_public`.
    GraphQl,
}

/// Where a request is handed on to, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forward {
    pub(crate) service: ServiceName,
    pub(crate) access: Access,
    pub(crate) path: PathRule,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Page(Page),
    Forward(Forward),
}

#[derive(Debug, Clone, Copy)]
enum Scope {
    /// The path alone.
    Exact,
    /// The path and everything below it.
    Tree,
}

/// A path, and what serves it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) path: &'static str,
    scope: Scope,
    pub(crate) target: Target,
}

impl Route {
    pub(crate) fn matches(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(self.path) else {
            return false;
        };
        match (self.scope, self.target) {
            (Scope::Exact, _) => rest.is_empty(),
            (Scope::Tree, Target::Forward(forward)) if forward.strips() => {
                // A service's own nouns have one public path, with its own rule of access.
                is_below(rest) && !rest.strip_prefix("/api/v1").is_some_and(is_below)
            }
            (Scope::Tree, _) => is_below(rest),
        }
    }
}

fn is_below(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

impl Forward {
    fn strips(self) -> bool {
        matches!(self.path, PathRule::Strip(_))
    }
}

const fn route(path: &'static str, scope: Scope, forward: Forward) -> Route {
    Route {
        path,
        scope,
        target: Target::Forward(forward),
    }
}

/// A page of the gateway's own.
pub(super) const fn page(path: &'static str, page: Page) -> Route {
    Route {
        path,
        scope: Scope::Exact,
        target: Target::Page(page),
    }
}

/// One path under a prefix that needs a key, which does not.
pub(super) const fn open(path: &'static str, prefix: &'static str, service: ServiceName) -> Route {
    let forward = Forward {
        service,
        access: Access::Service,
        path: PathRule::Strip(prefix),
    };
    route(path, Scope::Exact, forward)
}

/// One open path that the service knows by its full name.
pub(super) const fn root(path: &'static str, service: ServiceName) -> Route {
    let forward = Forward {
        service,
        access: Access::Service,
        path: PathRule::Keep,
    };
    route(path, Scope::Exact, forward)
}

/// Everything under a prefix; a key is needed.
pub(super) const fn keyed(prefix: &'static str, service: ServiceName) -> Route {
    let forward = Forward {
        service,
        access: Access::Key,
        path: PathRule::Strip(prefix),
    };
    route(prefix, Scope::Tree, forward)
}

/// Everything under a prefix; the service decides.
pub(super) const fn passed(prefix: &'static str, service: ServiceName) -> Route {
    let forward = Forward {
        service,
        access: Access::Service,
        path: PathRule::Strip(prefix),
    };
    route(prefix, Scope::Tree, forward)
}

/// GraphQL, which the REST service answers.
pub(super) const fn graphql(path: &'static str, service: ServiceName) -> Route {
    let forward = Forward {
        service,
        access: Access::Key,
        path: PathRule::GraphQl,
    };
    route(path, Scope::Exact, forward)
}

/// A noun of `/api/v1`, which the service knows by its full path.
pub(super) const fn noun(path: &'static str, service: ServiceName, access: Access) -> Route {
    let forward = Forward {
        service,
        access,
        path: PathRule::Keep,
    };
    route(path, Scope::Tree, forward)
}
