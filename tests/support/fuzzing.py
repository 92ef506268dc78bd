"""Mutated scripts, notebooks and worker replies, and what must hold for each."""

import json
import math
import socket
import threading

import jsonschema
import nbformat
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.core.trees import pack
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.judging.reading import Reader
from autograder.judging.results import ResultsFile
from autograder.sandbox import protocol
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from support.project import DATA, ROOT, SCHEMA

MOST_SECONDS, MOST_BYTES = 10.0, 250 << 20  # of the process that reads a submission, without what it shares with this one
FORMAT = jsonschema.Draft202012Validator(SCHEMA)
S1 = (DATA / "right_s1.py").read_text()
NOTEBOOK = nbformat.writes(
    nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("## 1.2 Selecting"),
            *(nbformat.v4.new_code_cell(part) for part in S1.split("\n\n") if part.strip()),
        ]
    )
)
SNIPPETS = [
    "(",
    ")",
    '"""',
    "'",
    "\\",
    "\n    ",
    "%%time\n",
    "!ls\n",
    "def ",
    "key",
    "m_key",
    "query121 = ",
    "while True: pass\n",
    "\t",
    "\r",
    "\ufeff",
    "\u202e",
    "\0",
    "1e999",
    "[" * 40,
    "{",
    "}",
    "lambda: ",
    "import os\n",
    "# %%\n",
    "# In[1]:\n",
    "# 1.4.2\n",
    "global x\n",
    "@",
    ":=",
    "\\N{x}",
    "f'{'",
    "async ",
    "del key\n",
    "from x import *\n",
    "exec('q=1')\n",
    "raise SystemExit\n",
    "9" * 30,
]
edits = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from(["cut", "insert", "swap", "repeat"]), st.sampled_from(SNIPPETS), st.integers(1, 60)
    ),
    min_size=1,
    max_size=6,
)


def mutate(text: str, changes) -> str:
    for where, kind, snippet, length in changes:
        at = int(where * len(text))
        if kind == "cut":
            text = text[:at] + text[at + length :]
        elif kind == "insert":
            text = text[:at] + snippet + text[at:]
        elif kind == "swap":
            middle, end = at + length, at + 2 * length
            text = text[at:] + text[:at] if length < 5 else text[:at] + text[middle:end] + text[at:middle] + text[end:]
        else:
            text = text[:at] + text[at : at + length] * 3 + text[at:]
    return text


@pytest.fixture(scope="session")
def hasty(references, tmp_path_factory):
    """A grader with short deadlines, so that mutated loops do not slow the fuzzing down."""
    assignment = load_assignment(ROOT / "assignment", statement_seconds=0.3, call_seconds=0.3, total_seconds=3600.0)
    with ZygoteClient(assignment.preload) as zygote:
        yield Grader(assignment, read_references(references), zygote), tmp_path_factory.mktemp("fuzz")


def holds(hasty, name: str, data: bytes) -> None:
    grader, folder = hasty
    for old in folder.glob("A2S1.*"):
        old.unlink()
    (folder / name).write_bytes(data)
    shared, reader = psutil.Process().memory_info().rss, Reader(grader.assignment, folder / name)
    results, refusal = ResultsFile(folder / "results.json", grader.assignment, "517"), ""
    try:
        with reader:
            grade(grader, reader, results.write)
    except GraderError as error:
        refusal = str(error)
        results.refuse(refusal)
    assert "\n" not in refusal
    assert reader.used < MOST_SECONDS and reader.peak - shared < MOST_BYTES  # measured by the system when the process ended
    tree = json.loads((folder / "results.json").read_text())
    FORMAT.validate(tree)
    assert tree["score"] <= 18 and "Traceback" not in json.dumps(tree)


def job(count):
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    )


def fuzz_script(hasty, count):
    job(count)(given(edits)(lambda changes: holds(hasty, "A2S1.py", mutate(S1, changes).encode("utf-8", "surrogatepass"))))()


def fuzz_notebook(hasty, count):
    job(count)(
        given(edits)(lambda changes: holds(hasty, "A2S1.ipynb", mutate(NOTEBOOK, changes).encode("utf-8", "surrogatepass")))
    )()


def fuzz_frames(hasty, count):
    """Replies of a malicious worker: mutated bytes at the judge's end of the pipe."""
    honest = pack(
        {
            "id": 1,
            "ok": {"bound": {"f": "function"}, "failures": [], "snapshots": [{"name": "q", "index": 0, "value": [1.5, None]}]},
        }
    )

    @job(count)
    @given(
        st.lists(st.tuples(st.integers(0, len(honest) - 1), st.integers(0, 255)), max_size=8),
        st.integers(0, len(honest)),
        st.binary(max_size=40),
    )
    def run(changes, cut, tail):
        body = bytearray(honest)
        for at, byte in changes:
            body[at] = byte
        worker = Worker.__new__(Worker)
        ours, theirs = socket.socketpair()
        worker.zygote, worker.limits, worker.pid, worker.sock = None, hasty[0].assignment.limits, 0, ours
        worker.requests, worker.alive, worker.answers, worker.asked, worker.deadline = 0, True, {}, 0, math.inf

        def reply():
            protocol.receive(theirs, 1 << 20, 600)  # a reply that arrives before the request is refused unread
            theirs.sendall(bytes(body[:cut]) + tail)
            theirs.close()

        thread = threading.Thread(target=reply)
        thread.start()
        try:
            worker.load({"statements": [{"code": "", "cell": 0, "line": 1}]})
        except WorkerError:
            pass
        finally:
            thread.join()
            ours.close()

    run()
