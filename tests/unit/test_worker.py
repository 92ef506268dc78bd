"""The pipe between judge and worker: the judge trusts nothing that it reads from it."""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.core.trees import TreeError, pack, unpack
from autograder.sandbox import protocol
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from support.programs import program

leaves = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text()
arrays = hnp.arrays(st.sampled_from(["f4", "f8", "i8", "u1", "?"]), hnp.array_shapes(min_dims=0, max_dims=4, max_side=4))
keys = st.text().filter(lambda k: k != "$array")
trees = st.recursive(leaves | arrays, lambda t: st.lists(t, max_size=4) | st.dictionaries(keys, t, max_size=4))


def same(a, b):
    if isinstance(a, np.ndarray):
        alike = isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape
        return alike and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return a == b and type(a) is type(b)


@given(trees)
def test_packing_and_unpacking_changes_nothing(tree):
    assert same(tree, unpack(pack(tree)[4:]))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_frame_raise_only_tree_error(data):
    with contextlib.suppress(TreeError):
        unpack(data)


@settings(deadline=None)
@given(trees, st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_is_an_error_or_another_tree_but_never_a_crash(tree, position, byte):
    body = bytearray(pack(tree)[4:])
    body[position % len(body)] = byte
    with contextlib.suppress(TreeError):
        unpack(bytes(body))


@pytest.mark.parametrize(
    "body",
    [
        struct.pack("<I", 10**6) + b"{}",
        struct.pack("<I", 2) + b"{}" + b"\xff" * 64,
        struct.pack("<I", 100_000) + b"[" * 100_000,
        struct.pack("<I", 5001) + b"1" * 5001,
        struct.pack("<I", 14) + b'{"$array": "9"}'[:14],
        b"",
        b"\0",
    ],
)
def test_malformed_frames_are_refused(body):
    with pytest.raises(TreeError):
        unpack(body)


def test_a_frame_over_the_limit_is_refused_before_it_is_read():
    ours, theirs = socket.socketpair()
    theirs.sendall(struct.pack("<I", 1 << 31))
    with pytest.raises(protocol.FrameError, match="over the limit"):
        protocol.receive(ours, 1 << 20, 600)


def test_a_slow_drip_does_not_outlast_the_deadline():
    ours, theirs = socket.socketpair()
    stop, still_dripping = threading.Event(), []

    def drip():
        for _ in range(12_000):
            theirs.send(b"\1")
            if stop.wait(0.05):
                still_dripping.append(True)
                return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(protocol.FrameTimeout):
            protocol.receive(ours, 1 << 30, 0.4)
    finally:
        stop.set()
        thread.join()
    assert still_dripping, "it gave up at the deadline, not because the data stopped"


@pytest.fixture
def worker(grader):
    with Worker(grader.zygote, grader.assignment.limits) as made:
        yield made


FORGERIES = {
    "an unasked frame": "send(sock, {'id': 2, 'ok': 1})",
    "a wrong id": "send(sock, {'id': 99, 'ok': 1})",
    "an ask without stubs": "send(sock, {'id': 2, 'ask': {'name': 'f', 'args': [], 'kwargs': {}}})",
    "a done in a call": "send(sock, {'id': 2, 'done': 1})",
    "a huge length": "sock.sendall(b'\\xff' * 8)",
    "rubbish": "sock.sendall(b'\\x08\\0\\0\\0rubbish!')",
    "a list": "send(sock, [1, 2])",
    "no answer but a closed pipe": "sock.close()",
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_worker_that_sends_unrequested_frames_gains_nothing(worker, what):
    forge = f"""
def f():
    import gc, json, socket, struct
    def send(sock, tree):
        text = json.dumps(tree).encode()
        sock.sendall(struct.pack("<II", 4 + len(text), len(text)) + text)
    for sock in [o for o in gc.get_objects() if isinstance(o, socket.socket)]:
        {FORGERIES[what]}
    return 'honest'
"""
    worker.load(program(forge))
    with pytest.raises(WorkerError) as error:  # noqa: PT012  # either of the two calls may be the one that notices
        worker.call("f", [], {})
        worker.call("f", [], {})
    assert error.value.kind in ("died", "protocol")


def test_the_environment_and_descriptors_of_a_worker_are_empty(worker):
    worker.load(
        program("""
import fcntl, os
def f():
    found = []
    for number in range(1024):
        try:
            fcntl.fcntl(number, fcntl.F_GETFD)
            found.append(number)
        except OSError:
            pass
    return [dict(os.environ), found, os.getcwd()]
""")
    )
    environment, descriptors, folder = worker.call("f", [], {})
    assert environment == {} and folder == "/"
    assert descriptors[:3] == [0, 1, 2] and len(descriptors) == 4  # /dev/null three times and the pipe


@pytest.mark.parametrize(
    "expression, kind",
    [
        ("torch.zeros(2).to_sparse()", np.ndarray),
        ("torch.zeros(2, dtype=torch.bfloat16)", np.ndarray),
        ("torch.zeros(2, device='meta')", dict),
        ("torch.zeros(1).expand(10**9)", dict),
        ("torch.zeros(1).expand(1000, 1000)[:, ::7]", np.ndarray),
        ("torch.nn.Parameter(torch.zeros(2))", np.ndarray),
        ("type('T', (torch.Tensor,), {})([1.0])", np.ndarray),
        ("10**5000", dict),
        ("'x' * 10**6", str),
        ("[[[[[[[[[[[[1]]]]]]]]]]]]", list),
        ("torch.zeros(2, dtype=torch.complex64)", dict),
        ("lambda: 0", dict),
        ("{1: 2}", dict),
        ("numpy.float32(3)", np.ndarray),
        ("torch.quantize_per_tensor(torch.zeros(2), 1, 0, torch.qint8)", dict),
    ],
)
def test_every_kind_of_value_arrives_as_plain_data(worker, expression, kind):
    worker.load(program(f"import torch, numpy\ndef f():\n    return {expression}"))
    assert isinstance(worker.call("f", [], {}), kind)


def test_a_statement_that_ends_the_process_is_named(worker):
    with pytest.raises(WorkerError) as error:
        worker.load(program("a = 1", "import os", "os._exit(0)", "f = 3"))
    assert (error.value.kind, error.value.statement) == ("died", 2)


def test_after_many_statements_that_hang_the_others_get_little_time_and_what_is_right_counts(grader, monkeypatch):
    monkeypatch.setattr("autograder.sandbox.judge_side.worker.PATIENCE", 2)
    monkeypatch.setattr("autograder.sandbox.judge_side.worker.HURRIED_SECONDS", 0.25)
    hanging = ["while True: pass", "import time\ntime.sleep(3600)"] * 3
    with Worker(grader.zygote, replace(grader.assignment.limits, statement_seconds=0.5)) as worker:
        loaded = worker.load(program(*hanging, "f = 3", report=("f",)))
    assert [failure["message"] for failure in loaded.failures] == ["no answer within 0.5 s"] * 2 + [
        "no answer within 0.25 s"
    ] * 4
    assert loaded.bound == {"f": "value"}


def test_children_are_gone_when_their_worker_is_closed(grader):
    import psutil

    with ZygoteClient((), without=("seccomp",)) as client:  # with it, there is no fork
        worker = Worker(client, grader.assignment.limits)
        worker.load(program("import os, time\nif os.fork() == 0:\n    time.sleep(600)"))
        family = psutil.Process(worker.pid).children(recursive=True)
        worker.close()
        assert family and not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a process waited")
def test_a_busy_machine_causes_no_timeout(grader):
    limits = replace(grader.assignment.limits, call_seconds=1.0)
    # Each burner has its own session, as the system may share processors by session; it exits with this process.
    burn = "import os\nparent = os.getppid()\nprint(flush=True)\nwhile os.getppid() == parent: pass"
    with Worker(grader.zygote, limits) as worker:
        worker.load(
            program("""
import time
def f():  # longer than the limit, whatever the machine's load; of the processor it gets a part
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        pass
    return 'done'
""")
        )
        burners = [
            subprocess.Popen([sys.executable, "-c", burn], stdout=subprocess.PIPE, start_new_session=True)
            for _ in range(4 * os.cpu_count())
        ]
        try:
            assert all(burner.stdout.readline() for burner in burners), "all burners are running"
            assert worker.call("f", [], {}) == "done"
        finally:
            for burner in burners:
                burner.kill()
                burner.communicate()


def test_a_clone_of_the_zygote_serves_another_judge_and_exits_with_its_control_socket(grader):
    import psutil

    before = set(psutil.Process(grader.zygote.process.pid).children(recursive=True))
    limits = grader.assignment.limits
    with grader.zygote.clone() as clone, Worker(clone, limits) as one, Worker(grader.zygote, limits) as other:
        for worker in (one, other):
            worker.load(program("f = lambda: 1"))
            assert worker.call("f", [], {}) == 1
        other.close()
        assert one.call("f", [], {}) == 1, "reaping in one must not touch the other's children"
    deadline = time.monotonic() + 600

    def lives(process):
        try:
            return process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def living():
        return [p for p in set(psutil.Process(grader.zygote.process.pid).children(recursive=True)) - before if lives(p)]

    while living() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not living()


OURS_LEFT = """import sys
def is_ours(name, module):
    return name.partition(".")[0] == "autograder" or "/autograder/" in str(getattr(module, "__file__", "")) or "(" in name
f = [name for name, module in list(sys.modules.items()) if is_ours(name, module)]"""


@pytest.mark.parametrize("others", [(), ("multiprocessing.spawn", "json.tool"), ("autograder.checks.smallest",)])
def test_no_module_of_the_engine_is_left_for_student_code_whatever_is_imported_before_the_fork(grader, others):
    with contextlib.ExitStack() as stack:
        for branch in (grader.zygote.branch(others, False), grader.zygote.branch(others, True)):
            for _ in range(2):  # what the first fork has found serves the second
                worker = stack.enter_context(Worker(branch, grader.assignment.limits))
                loaded = worker.load(program(OURS_LEFT, watch=("f",)))
                assert [value for _, _, value in loaded.snapshots] == [[]], loaded
