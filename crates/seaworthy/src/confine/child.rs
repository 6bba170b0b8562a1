//! The confined side: lock the doors, read one layer, answer, end.

use std::io::{self, Write};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope,
};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::set_no_new_privs;
use seaworthy_scan::{Inline, LayerReader};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

use super::wire::{RECORDS, REFUSED};

/// The first argument that makes this binary a confined reader.
pub(crate) const ROLE: &str = "confined-layer-reader";

/// Address space of a child, in bytes. The largest things it holds are one
/// archive member and a zstd window of 128 MiB each.
const ADDRESS_SPACE: u64 = 1024 * 1024 * 1024;

/// Processor time of a child, in seconds: a hundred times what the largest
/// layers of public images need.
const PROCESSOR_SECONDS: u64 = 900;

/// Reads one layer from standard input and answers on standard output.
///
/// # Errors
///
/// When the process cannot be confined as far as every kernel allows, or the
/// answer cannot be written. Both end the process without an answer.
pub(crate) fn run() -> anyhow::Result<()> {
    lock()?;
    let (kind, body) = match Inline::default().read_layer(&mut io::stdin().lock()) {
        Ok(records) => (RECORDS, records.encode()),
        Err(error) => (REFUSED, error.to_string().into_bytes()),
    };
    let mut answer = io::stdout().lock();
    answer.write_all(&[kind])?;
    answer.write_all(&body)?;
    answer.flush()?;
    Ok(())
}

/// Gives up everything the reading does not need. Limits must hold; Landlock
/// and seccomp hold where the kernel and the architecture have them.
fn lock() -> anyhow::Result<()> {
    let exactly = |value: u64| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    setrlimit(Resource::As, exactly(ADDRESS_SPACE))?;
    setrlimit(Resource::Cpu, exactly(PROCESSOR_SECONDS))?;
    setrlimit(Resource::Core, exactly(0))?;
    setrlimit(Resource::Fsize, exactly(0))?;
    set_no_new_privs(true)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    restrict_files_and_network()?;
    // No descriptor can be opened from here on; the three streams are enough.
    setrlimit(Resource::Nofile, exactly(3))?;
    filter_system_calls()?;
    Ok(())
}

fn restrict_files_and_network() -> anyhow::Result<()> {
    let newest = ABI::V6;
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(newest))?
        .handle_access(AccessNet::from_all(newest))?
        .scope(Scope::from_all(newest))?
        .create()?
        .restrict_self()?;
    Ok(())
}

/// Allows reading, writing, memory and ending; every other call is refused with
/// "operation not permitted".
fn filter_system_calls() -> anyhow::Result<()> {
    let Ok(architecture) = TargetArch::try_from(std::env::consts::ARCH) else {
        return Ok(());
    };
    let rules = allowed_calls()
        .into_iter()
        .map(|call| (call, Vec::new()))
        .collect();
    let refused = SeccompAction::Errno(rustix::io::Errno::PERM.raw_os_error().cast_unsigned());
    let filter = SeccompFilter::new(rules, refused, SeccompAction::Allow, architecture)?;
    let program: BpfProgram = filter.try_into()?;
    match seccompiler::apply_filter(&program) {
        Ok(()) => Ok(()),
        // A kernel without seccomp: the other walls stand.
        Err(seccompiler::Error::Seccomp(error)) if error.raw_os_error() == Some(22) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What reading three streams and managing memory takes, on every architecture.
fn allowed_calls() -> [i64; 28] {
    [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_lseek,
        libc::SYS_ppoll,
        libc::SYS_brk,
        libc::SYS_mmap,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_sched_yield,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        // How the allocator ends a process that has no memory left.
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_tgkill,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ]
}
