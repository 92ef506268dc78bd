"""Worker side: the layers of the cage, and the rights that a child gives up before the first student line runs.

The zygote prepares a :class:`Plan` once (a Landlock ruleset, a compiled seccomp filter, what this platform lacks and
why); each child enters it with a few system calls. The order matters: steps that need privileges come first; the filter,
which forbids the system calls of the other layers, comes last. No layer is a hard dependency: doctor.py probes what really
holds.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
import stat
import struct
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.sandbox.names import LAYERS
from autograder.sandbox.process import LINUX, die_with_parent, hide_from_debuggers, libc, prctl
from autograder.sandbox.worker_side import syscalls

GIB = 1 << 30
SPARE_MEMORY = 2 * GIB
# In a container with a memory limit: reserved for the judge and for copy-on-write pages; the least that a child gets.
KEPT_MEMORY, LEAST_MEMORY = 96 << 20, 64 << 20
CPU_SECONDS = 900
SCRATCH_FILE = 8 << 20
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
SECCOMP_MODE_FILTER = 2
# What root needs to give workers and their folders to another user, and to kill them: capability -> its bit.
TO_CHANGE_USER = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7}
CAPABILITY_VERSION_3 = 0x20080522


@dataclass
class Plan:
    """What every child enters. ``off``: layer -> why it is not available here."""

    ruleset: int = -1
    filter: bytes = b""
    drop_user: bool = False
    readable: tuple[Path, ...] = ()
    scratch: bool = False
    disk: bool = False  # whether a scratch folder is a file system of its own
    off: dict[str, str] = field(default_factory=dict)


def prepare(hidden: Path, allowed: list[str], without: list[str], no_disk: str = "not for this process") -> Plan:
    """Build the plan in the zygote, after its imports.

    ``hidden``: the tree that no child may see, except for this Python's own folders and the ``allowed`` ones in it; an
    engine installed in site-packages hides nothing there. ``without``: layers to leave out. ``no_disk``: why scratch folders
    cannot be file systems of their own; '' if they can.
    """
    plan = Plan(disk=not no_disk, off={"tmpfs": no_disk} if no_disk else {})
    if not LINUX:
        plan.off = dict.fromkeys(LAYERS[LAYERS.index("user") :], f"not on {sys.platform}")
        return plan
    readable = readable_paths(hidden, [Path(sys.prefix), *map(Path, allowed)])
    plan.readable = tuple(readable)
    obstacle = "left out" if "user" in without else _obstacle_to_changing_user(readable)
    plan.drop_user = not obstacle
    if obstacle:
        plan.off["user"] = obstacle
    for layer, build in (("landlock", _plan_landlock), ("seccomp", _plan_seccomp)):
        try:
            if layer in without:
                raise OSError("left out")
            build(plan, readable)
        except Exception as error:
            plan.off[layer] = str(error) or type(error).__name__
    return plan


def _obstacle_to_changing_user(readable: list[Path]) -> str:
    """Why children cannot run as a user of their own here; '' if they can."""
    if os.geteuid() != 0:
        return "not root"
    if missing := [name for name, bit in TO_CHANGE_USER.items() if not int(_status("CapEff"), 16) >> bit & 1]:
        return f"root without {', '.join(missing)}"
    closed = [path for path in readable if path.exists() and not open_to_all(path)]
    return f"{closed[0]} cannot be read by another user" if closed else ""


def readable_paths(hidden: Path, allowed: list[Path]) -> list[Path]:
    """What Python and torch read while student code runs: the interpreter, its libraries and the system's."""
    own_paths = {Path(p) for p in sysconfig.get_paths().values()}
    paths = {Path(p) for p in (sys.prefix, sys.base_prefix, *filter(None, sys.path))} | own_paths

    def shows_hidden(path: Path) -> bool:
        if hidden in own_paths:
            return False
        exempt = any(folder == path or folder in path.parents for folder in allowed)
        return path in hidden.parents or (not exempt and (path == hidden or hidden in path.parents))

    system = [
        "/usr/lib",
        "/lib",
        "/lib64",
        "/usr/share/zoneinfo",
        "/etc/ld.so.cache",
        "/etc/localtime",
        "/proc/cpuinfo",  # this and the next: half precision depends on the processor
        "/sys/devices/system/cpu",
    ]
    return sorted({*(p for p in paths if p.is_dir() and not shows_hidden(p)), *map(Path, system)})


def open_to_all(path: Path) -> bool:
    """Whether a user without any rights can read this path."""
    try:
        real = path.resolve()
        return all(parent.stat().st_mode & stat.S_IXOTH for parent in real.parents) and bool(real.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def with_scratch(plan: Plan) -> Plan:
    """The same plan for workers that get a writable folder: they share another filter, and each makes its own ruleset.

    Where neither Landlock nor its own user would confine a worker to its folder, it still may not write anywhere.
    """
    confined = plan.ruleset >= 0 or plan.drop_user
    return replace(plan, scratch=True, filter=syscalls.compiled(scratch=True) if plan.filter and confined else plan.filter)


def _status(name: str) -> str:
    """A field of /proc/self/status: ``CapEff``, capabilities as hexadecimal bits; ``VmData``, private memory in kB."""
    match = re.search(rf"^{name}:\s+(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    if match is None:
        raise OSError(f"no {name} in /proc/self/status")
    return match.group(1)


def _plan_landlock(plan: Plan, readable: list[Path], scratch: str = "") -> None:
    """Allow reading below ``readable`` and writing to /dev/null and below ``scratch``; no TCP, no signals to the outside."""
    from landlockpy import AccessFS, Ruleset, Scope

    rules = Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET)
    for path in readable:
        if path.exists():
            rules.allow_path(str(path), AccessFS.READ_FILE | (AccessFS.READ_DIR if path.is_dir() else AccessFS.NONE))
    rules.allow_path(os.devnull, AccessFS.READ_FILE | AccessFS.WRITE_FILE)
    if scratch:
        rules.allow_path(
            scratch,
            AccessFS.READ_FILE
            | AccessFS.READ_DIR
            | AccessFS.WRITE_FILE
            | AccessFS.TRUNCATE
            | AccessFS.REFER
            | AccessFS.MAKE_REG
            | AccessFS.MAKE_DIR
            | AccessFS.REMOVE_FILE
            | AccessFS.REMOVE_DIR,
        )
    plan.ruleset = os.dup(rules.fileno())  # outlives the Ruleset object


def _plan_seccomp(plan: Plan, _: list[Path]) -> None:
    plan.filter = syscalls.compiled()


def enter(plan: Plan, keep: int, uid: int, scratch: str = "") -> None:
    """Enter the cage, as the user ``uid`` if the plan says so; keep only the descriptor ``keep`` and the folder ``scratch``.

    Raises OSError if a layer fails.
    """
    os.setsid()
    _close_descriptors(keep, plan.ruleset)
    os.environ.clear()
    os.chdir(scratch or "/")
    if scratch:
        os.environ.update(HOME=scratch, TMPDIR=scratch)
        tempfile.tempdir = scratch
        if plan.ruleset >= 0:
            os.close(plan.ruleset)
            _plan_landlock(plan, list(plan.readable), scratch)
    _limits(plan)
    first_to_go()
    if plan.drop_user:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    if not LINUX:
        return
    die_with_parent()  # again: a change of user clears it
    _drop_capabilities()
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    hide_from_debuggers()
    if plan.ruleset >= 0:
        if libc.syscall(446, plan.ruleset, 0):  # landlock_restrict_self, the same number on every architecture
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
        os.close(plan.ruleset)
    if plan.filter:
        _install(plan.filter)


def first_to_go(score: int = 1000) -> None:
    """Out of memory, the kernel kills this process, or one forked from it, and not the grader.

    An ordinary user may say so only in a process that it may also debug: the zygote does, for all its children.
    """
    if LINUX:
        _write("/proc/self/oom_score_adj", str(score))


def _close_descriptors(*keep: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    low = 3
    for descriptor in sorted(d for d in keep if d >= 3):
        if low < descriptor:  # never call os.closerange(n, n): CPython 3.11 closes everything for (0, 0)
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, 65536)


def _limits(plan: Plan) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: SCRATCH_FILE if plan.scratch else 0,
        resource.RLIMIT_NOFILE: 128,
        resource.RLIMIT_CPU: CPU_SECONDS,
    }
    if LINUX:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limits[resource.RLIMIT_AS] = max(3 * GIB, pages * os.sysconf("SC_PAGE_SIZE") + SPARE_MEMORY)
        if (left := memory_left()) is not None:
            # Under this limit student code gets a MemoryError; without it, the kernel would have to kill.
            held = int(_status("VmData")) << 10
            limits[resource.RLIMIT_DATA] = held + max(LEAST_MEMORY, min(SPARE_MEMORY, left - KEPT_MEMORY))
        # What the kernel counts for a user: workers of the same user, and the user, need their share.
        limits |= {resource.RLIMIT_MEMLOCK: 0, resource.RLIMIT_MSGQUEUE: 0, resource.RLIMIT_SIGPENDING: 64}
        limits |= {resource.RLIMIT_NICE: 0, resource.RLIMIT_RTPRIO: 0}
        if plan.drop_user:  # counted per user, so only where each child has its own
            limits[resource.RLIMIT_NPROC] = 64
    for which, value in limits.items():
        hard = resource.getrlimit(which)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (allowed, allowed))


def memory_left(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that this container may still use, by its control group (version 2 or 1); None without a limit."""
    for limit, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most = int((root / limit).read_text())
            if most >= 1 << 50:  # version 1 writes "none" as a huge number
                return None
            table = dict(line.split() for line in (root / limit).with_name("memory.stat").read_text().splitlines())
            return most - int((root / used).read_text()) + int(table.get(cache, 0))
        except (OSError, ValueError):
            continue
    return None


def _drop_capabilities() -> None:
    """Empty all capability sets; matters where the user stays root."""
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    if libc.capset(header, bytes(24)):
        raise OSError(ctypes.get_errno(), "capset")


def _install(program: bytes) -> None:
    """Install a compiled seccomp filter on this process's only thread; needs no_new_privs."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]

    compiled = Program(len(program) // 8, program)
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(compiled), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp filter")


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError:
        pass
