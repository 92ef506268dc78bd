"""What a worker sends is counted before it is decoded: no frame and no call of a right helper costs the judge much memory."""

import contextlib
import math
import os
import socket
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_worker import program, trees

from autograder.core.assignment import Limits
from autograder.core.trees import TreeError, pack, unpack
from autograder.sandbox import protocol
from autograder.sandbox.judge_side.bounds import Most, check_frame, most_for
from autograder.sandbox.judge_side.replies import checked_error, loaded_of
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from support import share
from support.frames import TOO_MUCH, arrays, body, entry
from support.project import ROOT, TESTS


@pytest.mark.parametrize("what", TOO_MUCH)
def test_more_than_any_answer_holds_is_refused_before_it_is_decoded(what):
    with pytest.raises(TreeError):
        check_frame(TOO_MUCH[what])


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', '[{"$array":"0"},{"$array":"0"}]', '{"$array":["0"]}', '{"$array":"1"}', '{"$array":{"a":1}}']
)
def test_a_key_and_an_array_appear_once(text):
    with pytest.raises(TreeError):
        unpack(body(text, arrays({"0": entry()}, bytes(4))))


@given(trees)
def test_what_an_honest_worker_packs_is_within_the_bounds(tree):
    check_frame(pack(tree)[4:])


@pytest.mark.parametrize(
    "value",
    [
        [1.5] * 100_000,
        '\U0001f600 \\ " [[[{{{' * 1000,
        [float("nan"), float("inf"), -1e-300, 2**62],
        ["9" * 5000],
        {"a": [[[]]]},
    ],
)
def test_ordinary_values_are_within_the_bounds(value):
    check_frame(pack({"id": 1, "ok": value})[4:])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process took at most")
def test_no_frame_costs_the_judge_more_than_300_megabytes():
    done = subprocess.run(
        [sys.executable, "-m", "support.frames", "300"],
        capture_output=True,
        text=True,
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 300 * 1024, done.stdout


DEEP = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["index", "0", "²", "value"]),
    lambda t: (
        st.lists(t, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "message", "where", "name", "index", "value"]), t, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=share.number(300))
@given(st.fixed_dictionaries({"failures": DEEP, "snapshots": DEEP, "bound": DEEP}) | DEEP)
def test_a_reply_to_load_is_of_its_types_or_breaks_the_protocol(reply):
    try:
        loaded = loaded_of(reply, 3)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        return
    assert all(type(k) is str and type(v) is str for k, v in loaded.bound.items())
    assert all(type(f["index"]) is int and 0 <= f["index"] < 3 and type(f["message"]) is str for f in loaded.failures)


@given(DEEP)
def test_a_report_of_an_exception_is_of_its_types(report):
    error = checked_error(report)
    assert error["type"].isidentifier() and type(error["message"]) is str
    assert all(cell.isascii() and cell.isdigit() and type(line) is int for cell, line in error["where"])


FORGED = {
    "an id that is an array": {"id": np.ones(2), "ok": 1},
    "an id that is true": {"id": True, "ok": 1},
    "a done that is an array": {"id": 1, "done": np.zeros(2)},
    "a result that is no dict": {"id": 1, "ok": np.ones(3)},
    "an error without a type": {"id": 1, "error": [[1]]},
    "places that are infinite": {"id": 1, "error": {"type": "E", "message": 3, "where": [["²", 1e999], [1, 2], 5]}},
    "an index that is infinite": {"id": 1, "ok": {"bound": {}, "snapshots": [], "failures": [{"index": float("inf")}]}},
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_reply_is_the_workers_fault_alone(grader, what, monkeypatch):
    monkeypatch.setattr("secrets.randbelow", lambda _: 1)  # what the forger cannot know, guessed right
    body = pack(FORGED[what])
    forge = f"""
import gc, socket, time
for sock in [o for o in gc.get_objects() if isinstance(o, socket.socket)]:
    sock.sendall({body!r})
    break
time.sleep(600)
"""
    with Worker(grader.zygote, grader.assignment.limits) as worker, pytest.raises(WorkerError) as error:
        worker.load(program(forge))
    assert error.value.kind == ("exception" if "error" in FORGED[what] else "protocol"), error.value


@pytest.mark.parametrize(
    "values",
    [
        [12000],
        [np.array(12000)],
        [-(10**9)],
        [np.ones((10**4, 1)), np.ones((10**4, 1))],
        [np.ones(10**8, dtype="u1")],
        [np.ones((20_000, 0)), np.ones((0, 20_000))],
        [[[0.0] * 2000, [0.0] * 2000]],
        [np.ones((300, 1, 1)), np.ones((300, 1)), np.ones(300)],
    ],
)
def test_what_might_take_much_memory_is_not_computed_for_a_worker(values):
    assert not Most().allows(values)


@pytest.mark.parametrize(
    "values", [["text" * 10**6], [[{"a": 12000}]], [10**400], [[[1], [1, 2] * 2000]], [{"$object": "set"}], [np.array(["a"])]]
)
def test_what_is_long_or_cannot_travel_is_not_computed_for_a_worker(values):
    with contextlib.suppress(TypeError, ValueError):
        assert not Most().allows(values)


@pytest.mark.parametrize(
    "values",
    [
        [64],
        [np.ones((2, 4, 50, 32)), 768, 12],
        [np.ones((100, 16)), np.ones((100, 16))],
        [[1, 0], [1, 1]],
        [True],
        ["text"],
        [None, {"a": [1]}, [[1], [1, 2]]],
    ],
)
def test_ordinary_arguments_are(values):
    assert Most().allows(values)


def test_right_helpers_compute_as_much_as_the_cases_need(grader):
    for tree in (grader.references["public"], grader.inputs(0)):
        cases = [case for groups in tree["cases"].values() for cases in groups.values() for case in cases]
        cases = [case for case in cases if case["expected"] is not None]
        most = most_for(cases)
        assert most.number <= 1024 and most.elements < 1 << 20 and most.product <= 1 << 24
        assert all(
            most.allows([*case["args"], *case["kwargs"].values()][:2]) and most.allows([case["expected"]]) for case in cases
        )


def test_an_error_does_not_keep_the_frame_that_it_is_about():
    worker = Worker.__new__(Worker)
    ours, theirs = socket.socketpair()
    worker.zygote, worker.limits, worker.pid, worker.sock = None, Limits(), 0, ours
    worker.requests, worker.request, worker.alive, worker.answers, worker.asked, worker.deadline = 0, 0, True, {}, 0, math.inf
    worker.loads, worker.used, worker.ready = 0, 0.0, True
    frame = TOO_MUCH["numbers"]

    def reply():
        protocol.receive(theirs, 1 << 20, 600)
        theirs.sendall(struct.pack("<I", len(frame)) + frame)

    thread = threading.Thread(target=reply)
    thread.start()
    with pytest.raises(WorkerError) as error:
        worker.call("f", [], {})
    thread.join()
    assert error.value.kind == "protocol" and error.value.__context__ is None
