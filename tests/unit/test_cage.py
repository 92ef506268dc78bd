"""The cage: scratch folders that cannot break the grader, users that no two workers share, signals that nobody can aim."""

import contextlib
import errno
import os
import signal
import struct
import sys
import tempfile
from pathlib import Path

import pytest

from autograder.core.assignment import Limits
from autograder.core.errors import GraderError
from autograder.judging.run import require_isolation
from autograder.sandbox import process
from autograder.sandbox.judge_side import doctor
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.worker_side import arguments, cage, own_disk, scratch, users
from support.hostile_runs import SYSTEM_PYTHON, same_version
from support.programs import program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the cage's layers are Linux's")
LIBRARIES = (str(Path(pytest.__file__).parents[1]),)
LIMITS = Limits(statement_seconds=900, call_seconds=900)


def attempted(code: str) -> str:
    indented = code.replace("\n", "\n    ")
    return f"try:\n    {indented}\nexcept OSError:\n    pass\n"


def nested(depth: int) -> str:
    return f"here = os.getcwd()\nfor _ in range({depth}): os.mkdir('d' * 250); os.chdir('d' * 250)\n"


# --- the folder ----------------------------------------------------------------------------------------------------

# Run in an empty folder, with ``os``.
CLUTTER = {
    "names that removal would give": "for a in range(12):\n  os.makedirs(f'd{a}/x/y')\n"
    "  for b in range(25): os.makedirs(f'd{a}.{b}/z')",
    "names of 255 bytes in each other": "os.makedirs('/'.join('n' * 255 for _ in range(10)))",
    "names that are not UTF-8": "os.makedirs(b'\\xff\\xfe/\\x80/\\n\\\\'); open(b'\\xff\\xfe/\\xc3', 'w').close()",
    "folders that nobody may enter": "os.makedirs('a/b'); os.mkdir('a/c', 0); os.mkdir('d', 0)",
    "folders that nobody may list": "os.mkdir('a', 0o300); os.mkdir('a/b', 0o300); open('a/b/c', 'w').close()",
    "folders that nobody may change": "os.mkdir('a'); os.umask(0o222); os.mkdir('a/b'); os.mkdir('a/c', 0o500)",
    "files without any right": "os.umask(0o777); open('a', 'w').close(); os.mkdir('b')",
    "a tree deeper than any path": nested(900) + "os.chdir(here)",
    "thousands of entries": "for n in range(5000): open(str(n), 'w').close()",
    "a file where a folder was": "os.mkdir('a'); os.mkdir('a/b'); os.rename('a/b', 'b'); open('a/b', 'w').close()",
    "names that look like options or parents": "for n in ('-rf', '...', ' ', '*', '..a'): os.makedirs(f'{n}/{n}')",
    "a pipe and a socket": "import socket; os.mkfifo('p'); s = socket.socket(socket.AF_UNIX); s.bind('s')",
    "a file that is still open": "import builtins; builtins.kept = [open('a', 'w')]; os.mkdir('b'); os.open('b', os.O_RDONLY)",
}


def cluttered(folder: str, code: str, uid: int = -1) -> None:
    """Run it in that folder, in a process of its own, as that user."""
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            os.chdir(folder)
            if uid >= 0:
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            os.umask(0o022)
            exec(code, {"os": os})
            status = 0
        os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0, "the clutter could be made"


@pytest.mark.many(of=9)
@pytest.mark.parametrize("who", ["ours", "another user's", "removed by an ordinary user"])
@pytest.mark.parametrize("what", CLUTTER)
def test_a_folder_is_removed_whatever_is_in_it(tmp_path, monkeypatch, what, who):
    if who != "ours" and os.geteuid() != 0:
        pytest.skip("needs root")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    uid = users.FIRST_UID if who != "ours" else -1
    for parent in tmp_path.parents:
        if uid >= 0 and parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o011)
    tmp_path.chmod(0o777)
    folder = scratch.make(uid)
    cluttered(folder, CLUTTER[what], uid)
    if who == "removed by an ordinary user":
        cluttered(str(tmp_path), f"from autograder.sandbox.worker_side import scratch\nscratch.remove({folder!r})", uid)
    else:
        assert scratch.remove(folder)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_removed_raises_nothing(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    (folder / "a" / "b").mkdir(parents=True)
    monkeypatch.setattr(os, "rmdir", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.EBUSY, "busy")))
    assert scratch.remove(str(folder)) is False
    monkeypatch.undo()
    assert scratch.remove(str(folder)) is True and scratch.remove(str(folder)) is True


FULL = {
    "below PATH_MAX": nested(20) + "for n in range(10): open(str(n), 'wb').write(bytes(8 << 20))\nos.chdir(here)",
    "in a folder that nobody may list": "os.mkdir('a', 0o300)\nfor n in range(10): open(f'a/{n}', 'wb').write(bytes(8 << 20))",
    "by its number of entries": "for n in range(1100): open(str(n), 'w').close()",
    "by its number of folders": "for n in range(40):\n  for m in range(30): os.makedirs(f'{n}/{m}')",
    "by its depth": nested(150) + "os.chdir(here)",
}


@pytest.mark.many(of=3)
@pytest.mark.parametrize("how", FULL)
def test_a_folder_is_too_full_however_it_was_filled(tmp_path, monkeypatch, how):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder, open_before = scratch.make(-1), len(os.listdir("/proc/self/fd"))
    assert not scratch.too_full(folder)
    cluttered(folder, FULL[how])
    assert scratch.too_full(folder) and len(os.listdir("/proc/self/fd")) == open_before
    assert scratch.remove(folder)


EVASIONS = {
    "files that are open and have no name": "held.append(os.open(n, os.O_RDWR | os.O_CREAT)); "
    "wrote = os.write(held[-1], block); os.unlink(n)",
    "files that are mapped and have no name": "fd = os.open(n, os.O_RDWR | os.O_CREAT); wrote = os.write(fd, block); "
    "held.append(mmap.mmap(fd, 4096)); os.close(fd); os.unlink(n)",
    "files written through a mapping": "fd = os.open(n, os.O_RDWR | os.O_CREAT); os.ftruncate(fd, len(block)); "
    "held.append(mmap.mmap(fd, len(block))); held[-1][:] = block; wrote = len(block); os.unlink(n)",
    "unnamed files": "held.append(os.open('.', os.O_RDWR | os.O_TMPFILE)); wrote = os.write(held[-1], block)",
    "files replaced while they are open": "held.append(os.open('a', os.O_RDWR | os.O_CREAT)); "
    "wrote = os.write(held[-1], block); "
    "os.close(os.open('b', os.O_CREAT)); os.rename('b', 'a')",
}


@pytest.fixture(scope="module")
def disks():
    with ZygoteClient(()) as zygote:
        if "tmpfs" in zygote.wait():
            pytest.skip(f"no file systems here: {zygote.wait()['tmpfs']}")
        yield zygote


@pytest.mark.parametrize("how", EVASIONS)
def test_a_disk_of_its_own_counts_what_has_no_name(disks, how):
    code = f"""
import mmap, os
held, block = [], b'x' * (7 << 20)
def f():
    written = 0
    try:
        for k in range(25):
            n = f'f{{k}}'
            {EVASIONS[how]}
            written += wrote
    except OSError:
        pass
    return written
"""
    with Worker(disks.branch((), True), LIMITS) as worker:
        worker.load(program(code))
        if how == "files written through a mapping":  # no room behind the mapping: SIGBUS
            with pytest.raises(WorkerError, match="died"):
                worker.call("f", [], {})
        else:
            assert worker.call("f", [], {}) <= own_disk.MAX_BYTES


def test_its_mounts_are_seen_by_nobody_else_and_leave_nothing(disks):
    mounts = Path("/proc/self/mounts").read_text()
    with Worker(disks.branch((), True), LIMITS) as worker:
        worker.load(program("def f():\n    open('a', 'w').write('x')\n    import os\n    return os.getcwd()"))
        folder = Path(worker.call("f", [], {}))
        assert folder.is_dir() and not any(folder.iterdir())
        assert Path("/proc/self/mounts").read_text() == mounts
    assert not folder.exists()


@pytest.mark.many(of=3)
@pytest.mark.parametrize("without", [(), ("tmpfs",), ("landlock",), ("tmpfs", "landlock")])
def test_workers_leave_nothing_behind_and_break_nothing(without, tmp_path):
    python, paths = (SYSTEM_PYTHON, LIBRARIES) if same_version() else (sys.executable, ())
    code, mark = (
        "import os\nhome = os.getcwd()\n",
        f"left-by-a-worker-{tmp_path.name}-{os.getpid()}",
    )  # other tests leave some, too
    for place in scratch.PUBLIC:
        code += attempted(f"os.makedirs('{place}/{mark}/x'); open('{place}/{mark}-too', 'w')")
    for clutter in CLUTTER.values():
        code += attempted(f"os.chdir(home)\n{clutter}")
    code += "os.chdir(home)\ndef f(): return 1"
    with ZygoteClient((), python, paths, without) as zygote:
        zygote.wait()
        branch = zygote.branch((), True)
        for _ in range(2):
            with Worker(branch, LIMITS) as worker, contextlib.suppress(WorkerError):  # a folder that is too full
                worker.load(program(code))
                worker.call("f", [], {})
            with Worker(branch, LIMITS) as worker:
                worker.load(program("import os\ndef f(): return os.listdir()"))
                assert worker.call("f", [], {}) == []
        prefix = f"worker-{branch.pid}-"
    left = [name for place in {*scratch.PUBLIC, tempfile.gettempdir()} if os.path.isdir(place) for name in os.listdir(place)]
    assert not [name for name in left if name.startswith((prefix, mark))]


def test_what_others_remove_meanwhile_saves_no_file_of_a_worker(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    entries = list(os.scandir(tmp_path))
    monkeypatch.setattr(scratch, "PUBLIC", (str(tmp_path),))
    monkeypatch.setattr(scratch.os, "scandir", lambda _: entries)
    (tmp_path / entries[0].name).unlink()
    scratch.remove_files_of(os.geteuid())
    assert os.listdir(tmp_path) == []


# --- users ---------------------------------------------------------------------------------------------------------


def test_no_user_is_claimed_twice_and_a_claim_ends_with_its_descriptor(monkeypatch):
    monkeypatch.setattr(users, "UIDS", 3)
    claims = [users.claim() for _ in range(3)]
    assert len({uid for uid, _ in claims}) == 3
    with pytest.raises(OSError, match="in use"):
        users.claim()
    os.close(claims[1][1])
    uid, claim = users.claim()
    assert uid == claims[1][0]
    for held in (claims[0][1], claims[2][1], claim):
        os.close(held)


@pytest.mark.slow
def test_workers_of_two_graders_at_once_have_different_users():
    if os.geteuid() != 0 or not same_version():
        pytest.skip("needs root and a Python that another user can read")
    with contextlib.ExitStack() as stack:
        uids = []
        zygotes = [stack.enter_context(ZygoteClient((), SYSTEM_PYTHON, LIBRARIES)) for _ in range(2)]
        for zygote in [*zygotes, *(z.branch((), True) for z in zygotes), *(z.clone() for z in zygotes)]:
            for _ in range(3):
                worker = stack.enter_context(Worker(zygote, LIMITS))
                worker.load(program("import os\ndef f(): return os.getuid()"))
                uids.append(worker.call("f", [], {}))
        assert len(set(uids)) == len(uids) == 18 and all(uid >= users.FIRST_UID for uid in uids)


@pytest.mark.slow
def test_workers_of_one_user_cannot_touch_each_other(grader):
    with Worker(grader.zygote, LIMITS) as one, Worker(grader.zygote, LIMITS) as other:
        one.load(program("def f(): return 1"))
        other.load(
            program(f"""
import os, resource, signal
def f():
    done, pid = [], {one.pid}
    for attempt in (lambda: os.kill(pid, 0), lambda: os.kill(-1, 0), lambda: os.killpg(pid, 0),
                    lambda: os.listdir(f'/proc/{{pid}}/fd'),
                    lambda: os.sched_setaffinity(pid, [0]), lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
                    lambda: resource.prlimit(pid, resource.RLIMIT_AS, (1, 1)), lambda: open(f'/proc/{{pid}}/mem', 'rb'),
                    lambda: open(f'/proc/{{pid}}/maps').read(), lambda: open(f'/proc/{{pid}}/oom_score_adj', 'w'),
                    lambda: os.setpriority(os.PRIO_USER, 0, 19), lambda: os.pidfd_open(pid),
                    lambda: os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))):
        try:
            attempt()
            done.append(True)
        except OSError:
            done.append(False)
    return done
""")
        )
        assert not any(other.call("f", [], {})) and one.call("f", [], {}) == 1


# --- signals -------------------------------------------------------------------------------------------------------

ARMED = """
import fcntl, os, socket, struct, time
def f(owner):
    pipe = 3
    for attempt in (lambda: fcntl.fcntl(pipe, fcntl.F_SETOWN, owner), lambda: fcntl.fcntl(pipe, 10, 9),
                    lambda: fcntl.fcntl(pipe, 15, struct.pack('ii', 1, owner)),
                    lambda: fcntl.ioctl(pipe, 0x8901, struct.pack('i', owner)),
                    lambda: fcntl.ioctl(pipe, 0x8902, struct.pack('i', owner)),
                    lambda: fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC),
                    lambda: fcntl.ioctl(pipe, 0x5452, struct.pack('i', 1))):
        try:
            attempt()
        except OSError:
            pass
    return [fcntl.fcntl(pipe, fcntl.F_GETFL) & os.O_ASYNC]
"""


def test_the_judge_gets_no_signal_when_it_writes_to_a_worker():
    received = []
    before = {number: signal.signal(number, lambda n, _: received.append(n)) for number in (signal.SIGIO, signal.SIGUSR1)}
    try:
        with ZygoteClient((), without=("landlock", "user")) as zygote, Worker(zygote, LIMITS) as worker:
            worker.load(program(ARMED.replace("10, 9", f"10, {int(signal.SIGUSR1)}")))
            assert worker.call("f", [os.getpid()], {}) == [0]
            assert worker.call("f", [os.getpid()], {}) == [0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert received == []


ALLOWED_FCNTL = {0: 0, 1: 0, 2: 1, 3: 0, 4: 0x800, 5: 0, 6: 0, 7: 0, 1030: 0, 1032: 0}
REFUSED_FCNTL = {8: 1, 10: 9, 15: 0, 1024: 0, 1026: 1 << 31, 1031: 1 << 20, 1033: 1, 4: 0x2800, 1036: 0, 99: 0}
ALLOWED_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
REFUSED_IOCTL = (0x5452, 0x8901, 0x8902, 0x5412, 0x541C, 0x540E, 0x5423, 0x40086602, 0x401C5820, 0x40049409, 0xC0045877)


def decided(code: bytes, number: int, command: int = 0, value: int = 0) -> int:
    """What the program returns for this system call; 0 where it lets it pass on."""
    steps = list(struct.iter_unpack("<HBBI", code))
    data = struct.pack("<iIQQQQQQQ", number, 0, 0, 5, command | 0xDEAD << 32, value, 0, 0, 0)[:64]
    place, register = 0, 0
    while place < len(steps):
        kind, yes, no, operand = steps[place]
        place += 1
        if kind == arguments.LOAD:
            (register,) = struct.unpack_from("<I", data, operand)
        elif kind == arguments.RETURN:
            return operand & 0xFFFF
        else:
            tests = {arguments.EQUAL: register == operand, arguments.AT_LEAST: register >= operand}
            place += yes if tests.get(kind, bool(register & operand)) else no
    return 0


@pytest.mark.parametrize("fcntl, ioctl", [(72, 16), (25, 29)], ids=["x86-64", "aarch64"])
def test_the_filter_lets_only_harmless_commands_pass_on_either_architecture(fcntl, ioctl):
    code = arguments.program(fcntl, ioctl)
    assert not any(decided(code, fcntl, *pair) for pair in ALLOWED_FCNTL.items())
    assert all(decided(code, fcntl, *pair) == errno.EPERM for pair in REFUSED_FCNTL.items())
    assert not any(decided(code, ioctl, command, 0x2000) for command in ALLOWED_IOCTL)
    assert all(decided(code, ioctl, command) == errno.EPERM for command in REFUSED_IOCTL)
    others = [n for n in range(450) if n not in (fcntl, ioctl)]
    assert not any(decided(code, n, 8) for n in others)
    assert all(decided(code, n) == errno.ENOSYS for n in (450, 452, 463, 469, 1000, 0x40000048))


@pytest.mark.parametrize("probe", ["write outside its folder", "write in its own folder"])
def test_hidden_references_are_not_loaded_beside_a_worker_whose_folder_does_not_hold(grader, tmp_path, monkeypatch, probe):
    code = "open('x', 'w')" if probe == "write outside its folder" else "open('/x/y', 'w')"
    monkeypatch.setitem(doctor.SCRATCH_PROBES, probe, code)
    lines = []
    with pytest.raises(GraderError, match="cannot be kept apart"):
        require_isolation(grader, tmp_path, lines.append)
    assert any(line.startswith(f"scratch probe {probe}") for line in lines)


def test_workers_of_an_ordinary_user_are_killed_before_the_grader():
    """The zygote says so while it may, and its children inherit it."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become an ordinary user")
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            process.prctl(process.PR_SET_DUMPABLE, 1)  # as a program that this user starts is
            cage.first_to_go(900)
            process.hide_from_debuggers()
            if os.fork() == 0:
                cage.first_to_go()
                os.write(writing, Path("/proc/self/oom_score_adj").read_bytes())
        finally:
            os._exit(0)
    os.close(writing)
    assert os.read(reading, 100) == b"900\n"
    os.close(reading)
    os.waitpid(pid, 0)
