"""Mutated scripts, notebooks, archives, rosters, PDFs and worker replies, and what must hold for each."""

import contextlib
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import hypothesis
import jsonschema
import nbformat
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.batch.roster import read_roster
from autograder.checks.writeup.pages import read_pdf
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.core.trees import pack
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.judging.reading import Reader
from autograder.judging.results import ResultsFile
from autograder.judging.writeup import CAGED_PROGRAM
from autograder.sandbox import protocol
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from support.pdfs import pdf
from support.project import DATA, ROOT, SCHEMA
from support.zips import tarred, zipped

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
FORMS = {
    "A2S1.py": S1,
    "A2S1.ipynb": NOTEBOOK,
    "A2S2.py": (DATA / "right_s2.py").read_text(),
    "A2S3.py": (DATA / "right_s3.py").read_text(),
    "percent A2S1.py": "# %% [markdown]\n# ## 1.2\n# %%\n" + S1.replace("\nquery", "\n# %%\nquery"),
    "converted A2S1.py": "# In[1]:\n" + S1.replace("\nquery", "\n# In[ ]:\nquery"),
    "bricks A2S1.py": "# Databricks notebook source\n# COMMAND ----------\n# MAGIC %md ## 1.2\n# COMMAND ----------\n" + S1,
    "marimo A2S1.py": "import marimo\napp = marimo.App()\n\n@app.cell\ndef _():\n    query121 = 1\n    return\n",
    "quarto A2S1.qmd": f"# 1.2\n```{{python}}\n{S1}\n```\n",
    "A2S1.py.txt": ">>> " + S1.replace("\n", "\n>>> "),
}
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


spots = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["cut", "set", "repeat"]), st.integers(0, 255), st.integers(1, 60)), max_size=8
)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def changed(data: bytes, changes) -> bytes:
    for where, kind, byte, length in changes:
        at = int(where * len(data))
        if kind == "set":
            data = data[:at] + bytes([byte]) + data[at + 1 :]
        else:
            data = data[:at] + data[at : at + length] * (3 if kind == "repeat" else 0) + data[at + length :]
    return data


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
    """A grader with short deadlines, so that mutated loops do not slow the fuzzing down, and a folder."""
    assignment = load_assignment(ROOT / "assignment", statement_seconds=0.3, call_seconds=0.3, total_seconds=3600.0)
    with ZygoteClient(assignment.preload) as zygote:
        yield Grader(assignment, read_references(references), zygote), tmp_path_factory.mktemp("fuzz")


def graded(hasty, name: str, data: bytes) -> None:
    """What is handed in ends in a valid results.json or one line, and costs little to read."""
    grader, path = hasty[0], fresh(hasty[1]) / name
    path.write_bytes(data)
    results, refusal = ResultsFile(hasty[1] / "results.json", grader.assignment, "517"), ""
    with reading(grader, path.parent) as reader:
        try:
            grade(grader, reader, results.write)
        except GraderError as error:
            refusal = str(error)
            results.refuse(refusal)
    assert "\n" not in refusal
    tree = json.loads((hasty[1] / "results.json").read_text())
    FORMAT.validate(tree)
    assert tree["score"] <= 18 and "Traceback" not in json.dumps(tree)


def read(hasty, name: str, data: bytes) -> None:
    """The same for reading and slicing alone, of all sections."""
    grader, path = hasty[0], fresh(hasty[1]) / name
    path.write_bytes(data)
    with reading(grader, path.parent) as reader, one_line_at_most():
        sections, notes = reader.sections
        for id, found in sections.items():
            questions = [q for q in grader.assignment.questions if q.section.id == id]
            if found.plan:
                assert found.plan.program(questions).wire() and isinstance(found.plan.touched, list)
        assert not any("grader itself failed" in note for note in notes), notes


def fresh(folder: Path) -> Path:
    """An empty folder for what is handed in."""
    inside = folder / "handed in"
    shutil.rmtree(inside, ignore_errors=True)
    inside.mkdir()
    return inside


@contextlib.contextmanager
def one_line_at_most() -> Iterator[None]:
    refusal = ""
    try:
        yield
    except GraderError as error:
        refusal = str(error)
    assert "\n" not in refusal and "grader itself failed" not in refusal


@contextlib.contextmanager
def reading(grader: Grader, path: Path) -> Iterator[Reader]:
    """A reader whose process has to cost little, as the system measured it when it ended."""
    shared = psutil.Process().memory_info().rss
    with Reader(grader.assignment, path) as reader:
        yield reader
    assert reader.used < MOST_SECONDS and reader.peak - shared < MOST_BYTES


def job(count: int, seed: int | None, *strategies):
    """A decorator that calls a function with so many examples of the strategies; ``seed``: other ones than always."""
    unhurried = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    options = settings(
        max_examples=count, deadline=None, database=None, derandomize=seed is None, suppress_health_check=unhurried
    )
    seeded = hypothesis.seed(seed) if seed is not None else lambda function: function
    return lambda function: seeded(options(given(*strategies)(function)))()


def fuzz_script(hasty, count, seed=None):
    job(count, seed, edits)(lambda changes: graded(hasty, "A2S1.py", encoded(mutate(S1, changes))))


def fuzz_notebook(hasty, count, seed=None):
    job(count, seed, edits)(lambda changes: graded(hasty, "A2S1.ipynb", encoded(mutate(NOTEBOOK, changes))))


def fuzz_reading(hasty, count, seed=None):
    """Scripts and notebooks of all sections, in all forms that are read."""
    job(count, seed, st.sampled_from(sorted(FORMS)), edits)(
        lambda name, changes: read(hasty, name, encoded(mutate(FORMS[name], changes)))
    )


def fuzz_archives(hasty, count, seed=None):
    """Zips and tars, also in each other, with bytes changed, cut and repeated."""
    whole = {"A2S1.py": S1, "hw/A2S2.ipynb": NOTEBOOK, "own.py": "x = 1\n"}
    archives = {"a.zip": zipped(whole), "a.tar.gz": tarred(whole), "a.tar": tarred(whole, "w:")}
    archives |= {"b.zip": zipped(archives), "b.tgz": tarred(archives)}
    job(count, seed, st.sampled_from(sorted(archives)), spots)(
        lambda name, changes: read(hasty, name, changed(archives[name], changes))
    )


def fuzz_rosters(hasty, count, seed=None):
    """Rosters, sheets and Gradescope's metadata beside a class of two."""
    rows = 'Name,SID,Email,Sections\nAda B,1,ada@x.edu,CSE 447 A\n"Bob, C",2,bob@x.edu,\n'
    people = "submission_1:\n  :submitters:\n  - :name: Ada\n    :email: ada@x.edu\n  :created_at: 2026-01-02 03:04:05 Z\n"
    folder = hasty[1] / "class"
    for name in ("submission_1", "submission_2"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "A2S1.py").write_text(S1)

    @job(count, seed, edits, edits)
    def run(changes, others):
        (folder / "submission_metadata.yml").write_bytes(encoded(mutate(people, changes)))
        (hasty[1] / "roster.csv").write_bytes(encoded(mutate(rows, others)))
        with one_line_at_most():
            read_roster(folder, hasty[1] / "roster.csv", hasty[0].assignment.courses)


def fuzz_pdfs(hasty, count, seed=None):
    """Write-ups with bytes changed: pages or the name of a problem, within the limits of the process that reads them."""
    page = pdf(["Section 1.2.1", "The query points along the key.", "Attention selects."])

    @job(count, seed, spots)
    def run(changes):
        tree = read_pdf(changed(page, changes), CAGED_PROGRAM)
        assert set(tree) in ({"problem"}, {"pages", "text", "lines"})


def fuzz_frames(hasty, count, seed=None):
    """Replies of a malicious worker: mutated bytes at the judge's end of the pipe."""
    reply = {"bound": {"f": "function"}, "failures": [], "snapshots": [{"name": "q", "index": 0, "value": [1.5, None]}]}
    honest = pack({"id": 1, "ok": reply})

    @job(count, seed, spots, st.integers(0, len(honest)), st.binary(max_size=40))
    def run(changes, cut, tail):
        ours, theirs = socket.socketpair()
        client = mock.Mock(fork=lambda folder: (0, ours))
        worker = Worker(client, hasty[0].assignment.limits)
        worker.ready = True  # what says so is no student code yet

        def answer():
            protocol.receive(theirs, 1 << 20, 600)  # a reply that arrives before the request is refused unread
            theirs.sendall(changed(honest, changes)[:cut] + tail)
            theirs.close()

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with mock.patch("secrets.randbelow", return_value=1), contextlib.suppress(WorkerError):
                worker.load({"statements": [{"code": "", "cell": 0, "line": 1}]})
        finally:
            thread.join()
            ours.close()


FUZZERS = {
    fuzz_script: 2500,
    fuzz_notebook: 2500,
    fuzz_reading: 8000,
    fuzz_archives: 3000,
    fuzz_rosters: 1500,
    fuzz_pdfs: 500,
    fuzz_frames: 2000,
}  # how many of each in the long run: 20,000
