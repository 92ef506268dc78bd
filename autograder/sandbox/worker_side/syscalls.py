"""Worker side: the seccomp filter, as a list of the system calls that student code is denied.

Denied calls fail with EPERM, so that ordinary code sees an ordinary PermissionError. libseccomp compiles the filter once,
in the zygote; a child installs the bytes. ``arguments`` goes before them.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Any

from autograder.sandbox.worker_side import arguments

# Grouped by what they would give access to.
DENIED = {
    "network": "socket socketpair connect bind listen accept accept4 sendmsg sendmmsg recvmsg recvmmsg setsockopt",
    "processes": "fork vfork execve execveat ptrace process_vm_readv process_vm_writev process_madvise kill tkill "
    "rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_getfd pidfd_send_signal tgkill kcmp setsid setpgid "
    "unshare setns setpriority ioprio_set sched_setscheduler sched_setattr sched_setaffinity prlimit64 setrlimit",
    "files": "truncate link linkat symlink symlinkat mknod mknodat chmod fchmod fchmodat fchmodat2 chown fchown lchown "
    "fchownat utime utimes utimensat futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr "
    "fallocate memfd_create memfd_secret name_to_handle_at open_by_handle_at inotify_init inotify_init1 "
    "fanotify_init fanotify_mark flock copy_file_range sendfile splice tee vmsplice",
    "scratch files": "creat ftruncate rename renameat renameat2 unlink unlinkat mkdir mkdirat rmdir",
    "kernel": "mount umount2 mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick pivot_root chroot bpf "
    "perf_event_open keyctl add_key request_key io_uring_setup io_uring_enter io_uring_register userfaultfd "
    "init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff personality "
    "acct quotactl syslog settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname "
    "iopl ioperm lookup_dcookie nfsservctl vhangup landlock_create_ruleset seccomp quotactl_fd process_mrelease "
    "io_setup io_destroy io_submit io_getevents io_pgetevents mlock mlock2 mlockall",
    "shared memory": "shmget shmat shmctl semget semctl semop semtimedop msgget msgsnd msgrcv msgctl mq_open mq_unlink "
    "mq_timedsend mq_timedreceive mq_notify",
    "identity": "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset",
}
# Newer variants whose arguments are in memory, which a filter cannot read: libraries fall back to the older calls.
UNKNOWN = "clone3 openat2"
CLONE_THREAD = 0x00010000
PR_SET_DUMPABLE, PR_SET_PDEATHSIG = 4, 1


def compiled(scratch: bool = False) -> bytes:
    """The filter as BPF instructions for this architecture. Raises OSError or ImportError if libseccomp is missing.

    With ``scratch``, files may be created, written and removed; Landlock or the user decides where.
    """
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    deny = seccomp.ERRNO(errno.EPERM)
    for kind, names in DENIED.items():
        for name in names.split() if not (scratch and kind == "scratch files") else ():
            _rule(rules, deny, name)
    for name in UNKNOWN.split():
        _rule(rules, seccomp.ERRNO(errno.ENOSYS), name)
    for name, position in (("open", 1), ("openat", 2)):
        for flag in (arguments.O_ASYNC, *(arguments.WRITING if not scratch else ())):
            _rule(rules, deny, name, seccomp.Arg(position, seccomp.MASKED_EQ, flag, flag))
    _rule(rules, deny, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
    for option in (PR_SET_DUMPABLE, PR_SET_PDEATHSIG):
        _rule(rules, deny, "prctl", seccomp.Arg(0, seccomp.MASKED_EQ, 0xFFFFFFFF, option))
    calls = [seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) for name in ("fcntl", "ioctl")]
    reading, writing = os.pipe()  # which holds 64 kB, whatever limits there are on files; a filter has two
    with open(reading, "rb") as written:
        with open(writing, "wb") as file:
            rules.export_bpf(file)
        return arguments.program(*calls) + written.read()


def _rule(rules: Any, action: Any, name: str, *conditions: Any) -> None:
    """Add one rule; a system call unknown to this architecture or libseccomp needs none."""
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        rules.add_rule(action, name, *conditions)
