"""student.zip leaks nothing, a planted leak of any kind is found, and it works unpacked in an empty folder."""

from __future__ import annotations

import base64
import json
import os
import shutil
import zipfile

import nbformat
import pytest

from autograder.authoring import release
from autograder.authoring.bundle import as_json, smallest
from autograder.checks.values import to_json
from autograder.core.errors import GraderError
from autograder.core.files import MARK
from autograder.core.loading import load_assignment
from autograder.core.references import read_references, unpacked
from autograder.judging.writeup import outline
from support.pdfs import complete, pdf
from support.project import ROOT
from support.student_zip import commands_of, run

ASSIGNMENT = load_assignment(ROOT / "assignment")


@pytest.fixture(scope="module")
def secrets(settings, references):
    return release.collect(ASSIGNMENT, settings["solutions"], read_references(references), settings["build"])


def notebook(*sources):
    return nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])).encode()


def carried(name, text):
    return notebook(f'BUNDLE = "{base64.b85encode(smallest(as_json({name: text}))).decode()}"')


def test_there_is_something_to_keep_secret(secrets):
    assert len(secrets.lines) > 100 and len(secrets.arrays) > 100
    assert {"the seed", "a path of the staff"} <= set(secrets.texts.values())


@pytest.mark.slow
def test_the_release_is_the_committed_tree_and_the_same_bytes_each_time(student_zip, settings, references, tmp_path):
    names = {n.removeprefix("student/") for n in zipfile.ZipFile(student_zip).namelist()}
    assert names == {
        p.relative_to(ROOT / "student").as_posix()
        for p in (ROOT / "student").rglob("*")
        if p.is_file() and "__pycache__" not in p.parts and p.name != MARK
    }
    again, _ = release.build_release(ASSIGNMENT, settings["solutions"], references, tmp_path)
    assert again.read_bytes() == student_zip.read_bytes()


@pytest.mark.parametrize(
    "leak, says",
    [
        (
            lambda s, h: {"A2S2.ipynb": notebook("def f(Q, K):\n    return Q @ K.transpose(-2, -1)")},
            "a line of solutions/A2S2.ipynb",
        ),
        (lambda s, h: {"A2S1.ipynb": notebook("x = 1", "    query121 = 100 * key[0]")}, "a line of solutions/A2S1.ipynb"),
        (
            lambda s, h: {"mingpt/notes.md": next(t for t, w in s.lines.items() if "experiments/" in w).encode()},
            "a line of solutions/experiments/",
        ),
        (
            lambda s, h: {"README.md": next(t for t in s.lines if t.startswith("**Answer.**")).encode()},
            "a line of solutions/A2S1.ipynb",
        ),
        (
            lambda s, h: {"x.ipynb": carried("a2checks/lib.py", "    return F.softmax(A, dim=-1)")},
            "x.ipynb -> a2checks/lib.py holds a line",
        ),
        (lambda s, h: {"a2checks/cases.json": json.dumps(to_json({"cases": h})).encode()}, "a hidden array"),
        (lambda s, h: {"blob.bin": b"\0" * 7 + h.tobytes()}, "a hidden array"),
        (
            lambda s, h: {"x.ipynb": carried("a.json", json.dumps(to_json({"cases": h})))},
            "x.ipynb -> a.json holds a hidden array",
        ),
        (lambda s, h: {"notes.txt": os.environ["AUTOGRADER_SEED"].encode()}, "the seed"),
        (lambda s, h: {"a2checks/lib.py": f"# {ROOT / 'solutions'}".encode()}, "a path of the staff"),
        (lambda s, h: {"a2checks/rules/queries.py": b"# see assignment/bank"}, "a folder of the staff"),
        (
            lambda s, h: {"writeup/writeup.md": ASSIGNMENT.written.items[0].full.encode()},
            "what earns credit in 1.2.1.rationale",
        ),
    ],
)
def test_every_kind_of_leak_is_found(secrets, references, leak, says):
    hidden = next(
        a for packed in read_references(references)["sets"] for a in arrays(unpacked(packed)) if key(a) in secrets.arrays
    )
    found = release.leaks(leak(secrets, hidden), secrets)
    assert any(says in line for line in found), found


def arrays(tree):
    if hasattr(tree, "dtype"):
        yield tree
    else:
        for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else ():
            yield from arrays(value)


def key(array):
    return next(iter(release.arrays_of(array)), None)


@pytest.mark.slow
def test_a_leak_leaves_no_archive_behind(settings, references, tmp_path, monkeypatch):
    (tmp_path / release.ARCHIVE).write_bytes(b"an older one")
    monkeypatch.setattr(release, "collect", lambda *_: release.Secrets(texts={"a2checks": "a planted secret"}))
    with pytest.raises(GraderError, match="holds a planted secret"):
        release.build_release(ASSIGNMENT, settings["solutions"], references, tmp_path)
    assert not (tmp_path / release.ARCHIVE).exists()


@pytest.mark.slow
def test_the_readmes_commands_work_in_an_empty_folder(unpacked_zip):
    commands = commands_of((unpacked_zip / "README.md").read_text())
    assert "python3 -m a2checks" in commands
    for command in commands:
        if "pip install" in command or command.startswith("cd writeup\n"):
            continue  # needs the network, or belongs to the slow tests
        done = run(command, unpacked_zip)
        assert done.returncode == 1 and "❌ 1.2.1" in done.stdout and "2.1.merge_heads" in done.stdout, (
            done.stdout + done.stderr
        )
        assert (
            "`attn_scaled` returned None: its TODO is not filled in yet" in done.stdout
            and "Traceback" not in done.stdout + done.stderr
        )


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("make"), reason="NOT TRIED: make is not installed")
def test_make_check_examines_code_and_pdf_and_succeeds_when_both_are_complete(unpacked_zip):
    shutil.copy(ROOT / "solutions" / "A2S1.ipynb", unpacked_zip)
    for path in unpacked_zip.glob("A2S[23].ipynb"):
        path.unlink()
    (unpacked_zip / "my writeup.pdf").write_bytes(pdf(complete(outline(ASSIGNMENT))))
    done = run("make -s check", unpacked_zip)
    assert done.returncode == 0, done.stdout + done.stderr
    at = [done.stdout.index(text) for text in ("── A2S1.ipynb", "✅ 1.4.2 looks right", "── my writeup.pdf")]
    assert at == sorted(at)
    assert "✅ all 28 headings have an answer" in done.stdout


@pytest.mark.slow
def test_a_cell_that_fails_or_rebinds_our_names_costs_only_itself(unpacked_zip):
    source = nbformat.read(ROOT / "solutions" / "A2S1.ipynb", as_version=4)
    sources = [c.source for c in source.cells if c.cell_type == "code"]
    hostile = [
        "sys = ast = run_cell = Path = None",
        "raise SystemExit(3)",
        "%matplotlib inline\nno python (at all",
        "import os, a2checks",
    ]
    (unpacked_zip / "A2S1.ipynb").write_bytes(notebook(*sources[:2], *hostile, *sources[2:], "import time\ntime.sleep(1000)"))
    done = run("python3 -m a2checks A2S1.ipynb", unpacked_zip)
    assert done.returncode == 0 and done.stdout.count("looks right") == 6, done.stdout + done.stderr
    assert "a cell stopped with SystemExit: 3" in done.stdout and "SyntaxError" in done.stdout


@pytest.mark.slow
def test_the_checks_output_holds_no_standard_error_of_cells_and_reports_an_early_exit(unpacked_zip):
    source = nbformat.read(ROOT / "solutions" / "A2S1.ipynb", as_version=4)
    noise = """import os, sys, subprocess
print('bar', file=sys.stderr)
os.write(2, b'report')
subprocess.run(['sh', '-c', 'echo child >&2'])"""
    cells = [noise, *(c.source for c in source.cells if c.cell_type == "code")]
    (unpacked_zip / "A2S1.ipynb").write_bytes(notebook(*cells))
    done = run("python3 -m a2checks A2S1.ipynb", unpacked_zip)
    assert done.returncode == 0 and done.stdout.count("looks right") == 6 and done.stderr == ""
    (unpacked_zip / "A2S1.ipynb").write_bytes(notebook("import os\nos._exit(7)", *cells))
    done = run("python3 -m a2checks A2S1.ipynb", unpacked_zip)
    assert done.returncode == 1 and "❌ running it ended early (status 7)" in done.stdout


@pytest.mark.slow
def test_the_pdf_in_the_folder_writeup_is_examined_and_figures_beside_it_are_not(unpacked_zip):
    for path in unpacked_zip.glob("A2S*.ipynb"):
        path.unlink()
    whole = pdf(complete(outline(ASSIGNMENT)))
    for name in ("writeup.pdf", "figure.pdf"):
        (unpacked_zip / "writeup" / name).write_bytes(whole)
    (unpacked_zip / "folder.pdf").mkdir()
    done = run("python3 -m a2checks", unpacked_zip)
    assert done.returncode == 0 and "── writeup/writeup.pdf" in done.stdout and "figure.pdf" not in done.stdout, done.stdout
    done = run("python3 -m a2checks folder.pdf", unpacked_zip)
    assert done.returncode == 1 and "❌ this is a folder" in done.stdout
