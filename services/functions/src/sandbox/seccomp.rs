//! System calls that no function needs, refused by the kernel: those that reach into other
//! processes, make new ones, change the machine, or have been ways out of sandboxes. What is left is
//! much, since a JavaScript engine with a network stack uses much; files and ports are Landlock's.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use super::SandboxSpec;

/// `EPERM`: programs take it for what it is.
const REFUSED: u32 = 1;
/// `ENOSYS`: the C library makes threads by another call then.
const UNKNOWN: u32 = 38;

#[rustfmt::skip]
const CALLS: &[i64] = &[
    // Other processes.
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_kcmp,
    libc::SYS_pidfd_getfd, libc::SYS_process_madvise,
    // Namespaces and mounts.
    libc::SYS_unshare, libc::SYS_setns, libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root,
    libc::SYS_chroot, libc::SYS_open_tree, libc::SYS_move_mount, libc::SYS_fsopen,
    libc::SYS_fsconfig, libc::SYS_fsmount, libc::SYS_fspick, libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at, libc::SYS_name_to_handle_at, libc::SYS_fanotify_init,
    // The kernel itself.
    libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_userfaultfd, libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_init_module,
    libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_kexec_load, libc::SYS_reboot,
    libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_acct, libc::SYS_quotactl, libc::SYS_syslog,
    libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_adjtimex, libc::SYS_clock_adjtime,
    libc::SYS_sethostname, libc::SYS_setdomainname,
    // Keys of other programs.
    libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl,
];

/// Makes a process or a thread by a structure in memory, where no filter looks.
const CLONE_BY_STRUCTURE: i64 = libc::SYS_clone3;
/// Make a process and nothing else.
#[cfg(target_arch = "x86_64")]
const FORKS: &[i64] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const FORKS: &[i64] = &[];

const FAMILIES: [i32; 3] = [libc::AF_UNIX, libc::AF_INET, libc::AF_NETLINK];
const PROTOCOLS: [i32; 3] = [0, libc::IPPROTO_TCP, libc::IPPROTO_UDP];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Refuses these calls to this process, and to all it becomes.
pub(super) fn restrict(spec: &SandboxSpec) -> Result<(), Error> {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else {
        return Ok(());
    };
    let always = |calls: &[i64]| calls.iter().map(|call| (*call, Vec::new())).collect();
    apply(always(&[CLONE_BY_STRUCTURE]), UNKNOWN, arch)?;
    let mut rules: Rules = always(CALLS);
    rules.append(&mut always(FORKS));
    rules.insert(libc::SYS_clone, vec![makes_a_process()?]);
    rules.insert(libc::SYS_socket, unusual_sockets(spec.ipv6)?);
    apply(rules, REFUSED, arch)
}

fn apply(rules: Rules, error: u32, arch: TargetArch) -> Result<(), Error> {
    let refuse = SeccompAction::Errno(error);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?;
    let program = BpfProgram::try_from(filter)?;
    seccompiler::apply_filter(&program)
}

/// Threads are made, processes are not: whatever is run would only have to be shut in as well.
fn makes_a_process() -> Result<SeccompRule, Error> {
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    let is_none = SeccompCmpOp::MaskedEq(thread);
    let flags = SeccompCondition::new(0, SeccompCmpArgLen::Qword, is_none, 0)?;
    Ok(SeccompRule::new(vec![flags])?)
}

/// Sockets of other families (a virtual machine's host is one `AF_VSOCK` away), and protocols that
/// Landlock's ports do not hold for (`IPPROTO_MPTCP` is TCP to everybody else).
fn unusual_sockets(ipv6: bool) -> Result<Vec<SeccompRule>, Error> {
    let none_of = |argument: u8, usual: &[i32]| {
        let differs = usual.iter().map(|one| {
            let one = u64::from(one.unsigned_abs());
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, one)
        });
        SeccompRule::new(differs.collect::<Result<_, _>>()?)
    };
    let mut families = FAMILIES.to_vec();
    if ipv6 {
        families.push(libc::AF_INET6);
    }
    Ok(vec![none_of(0, &families)?, none_of(2, &PROTOCOLS)?])
}
