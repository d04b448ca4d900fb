//! Landlock: the kernel's own answer to which files and ports a process may touch, whatever the
//! program believes it checks itself (static imports in Deno ask for no permission).

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, NetPort, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope, path_beneath_rules,
};

use super::SandboxSpec;

/// Files, TCP, and signals to other domains. A kernel that knows less enforces what it knows.
const WANTED: ABI = ABI::V6;

/// What a dynamically linked program with DNS reads; nothing of it is anybody's secret.
const SYSTEM_READ: &[&str] = &[
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/etc/ld.so.cache",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/ssl/certs",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/dev/random",
];

const SYSTEM_WRITE: &[&str] = &["/dev/null", "/dev/urandom"];

/// Restricts this process, and all it becomes, to what `spec` names.
pub(super) fn restrict(spec: &SandboxSpec) -> Result<(), RulesetError> {
    let run = AccessFs::from_read(WANTED);
    let read = run & !AccessFs::Execute;
    let write = AccessFs::from_all(WANTED) & !AccessFs::Execute;
    let ports = spec.connect_ports.iter();
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM_READ, run))?
        .add_rules(path_beneath_rules([&spec.program], run))?
        .add_rules(path_beneath_rules(&spec.read, read))?
        .add_rules(path_beneath_rules(SYSTEM_WRITE, write))?
        .add_rules(path_beneath_rules(&spec.write, write))?
        .add_rules(
            ports.map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp))),
        )?
        .restrict_self()?;
    Ok(())
}

/// Whether this machine's kernel enforces Landlock for files and TCP.
pub fn is_enforced() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V4))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(ABI::V4)))
        .and_then(Ruleset::create)
        .is_ok()
}
