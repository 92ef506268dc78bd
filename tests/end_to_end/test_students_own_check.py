"""``python -m a2checks``: which file it reads, that no cell holds it up, and that it says what it does."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time

import pytest

from autograder.checks import __main__ as checks
from autograder.checks.deadline import TooLong, deadline
from support.project import DATA, ROOT
from support.world.kind import S3

RIGHT = (DATA / "right_s1.py").read_text()
CHECKED = f"from a2checks import check\n{RIGHT}\ncheck('1.2.1')\n"
WRONG = CHECKED.replace("S * key[0]", "S * key[1]")


def notebook(source: str) -> str:
    cell = {"cell_type": "code", "metadata": {}, "id": "a", "outputs": [], "execution_count": None, "source": source}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def run(folder, *arguments: str, before: str = "") -> str:
    """What the students' own check prints in a folder."""
    script = f"import sys\nsys.path.insert(0, {str(ROOT / 'student')!r})\nimport a2checks.__main__ as own\n"
    script += f"own.CELL_SECONDS = own.FILE_SECONDS = 600.0\n{before}\n"  # a busy machine is no endless loop
    script += "sys.exit(own.main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=folder)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("script, other", [(CHECKED, WRONG), (WRONG, CHECKED)])
def test_of_a_script_and_a_notebook_side_by_side_the_one_that_is_graded_is_checked(submit, tmp_path, script, other):
    (tmp_path / "A2S1.py").write_text(script)
    (tmp_path / "A2S1.ipynb").write_text(notebook(other))
    said, graded = run(tmp_path), submit({"A2S1.py": script, "A2S1.ipynb": notebook(other)})
    assert "── A2S1.py (not A2S1.ipynb: with as many answers in both, the .py counts)" in said and "── A2S1.ipynb" not in said
    assert ("✅ 1.2.1" in said) == ("1.2.1" not in graded.lost) == (script is CHECKED)


@pytest.mark.slow
@pytest.mark.parametrize("script", ["", "print('no check in here')\n", "this is no Python\n"])
def test_a_script_without_check_cells_does_not_hide_the_notebook_beside_it(tmp_path, script):
    (tmp_path / "A2S1.py").write_text(script)
    (tmp_path / "A2S1.ipynb").write_text(notebook(CHECKED))
    assert "✅ 1.2.1" in run(tmp_path)


@pytest.mark.slow
def test_an_endless_cell_is_stopped_and_the_next_one_runs(tmp_path):
    cells = json.loads(notebook("x = 1\nwhile True:\n    x += 1"))
    cells["cells"] += json.loads(notebook(CHECKED))["cells"]
    (tmp_path / "A2S1.ipynb").write_text(json.dumps(cells))
    short = "own.deadline = lambda _, real=own.deadline, left=[0.5, 3600.0]: real(left.pop(0))"
    script = f"import sys\nsys.path.insert(0, {str(ROOT / 'student')!r})\nimport a2checks.__main__ as own\n{short}\n"
    script += "sys.exit(own.run_cells(own.Path('A2S1.ipynb')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert "• a cell was stopped after 60 s: does a loop in it never end? (it begins with: x = 1)" in done.stdout, done.stderr
    assert "✅ 1.2.1" in done.stdout


@pytest.mark.slow
def test_a_file_that_cannot_be_interrupted_is_ended(tmp_path):
    deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass\n"
    (tmp_path / "A2S1.py").write_text(deaf + CHECKED)
    said = run(tmp_path, "A2S1.py", before="own.FILE_SECONDS = 3.0")
    assert "❌ running it ended early" in said and "over 3 s" in said


def test_a_deadline_leaves_alone_what_ends_in_time_and_what_others_interrupt():
    with deadline(3600):
        pass
    with pytest.raises(KeyboardInterrupt), deadline(3600):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyError), deadline(3600):
        raise KeyError
    for endless in (lambda: [None for _ in iter(int, 1)], lambda: time.sleep(3600)):
        with pytest.raises(TooLong), deadline(0.1):
            endless()


def test_no_time_is_lost_by_running_files_one_after_the_other(tmp_path, monkeypatch):
    started = []

    class Process:
        def __init__(self, command, **_):
            started.append(command[-1])

        kill = wait = lambda self: 0

    monkeypatch.setattr(checks.subprocess, "Popen", Process)
    with checks.running([tmp_path / "a", tmp_path / "b"]) as processes:
        assert len(started) == len(processes) == 2


@pytest.mark.parametrize(
    "cell",
    [
        "%%time\n{}",
        "\n%%capture out\n{}",
        "%%time\n%%prun\n{}",
        "{}\nrest = (7\n    % 3)",
        "{}\ntext = '''\n%s and\n!more\n'''",
        "%matplotlib inline\n{}",
        "!pip install torch\n{}\n?torch",
        "import torch\n%time {}",
    ],
)
def test_what_ipython_runs_is_run(tmp_path, cell):
    (tmp_path / "A2S1.ipynb").write_text(notebook(cell.format("answer = 1 + 1")))
    (source,) = checks.cells_of(tmp_path / "A2S1.ipynb")
    names: dict[str, object] = {}
    exec(source.replace("import torch", ""), names)
    assert names["answer"] == 2


@pytest.mark.slow
def test_what_a_probed_function_prints_stays_out_of_the_check():
    source = S3.replace("    model.train()\n", "    model.train()\n    print('an epoch begins')\n").split("if __name__")[0]
    script = """
import sys
sys.path.insert(0, "student")
import torch
import a2checks.probe
hub = a2checks.probe.stage(a2checks.check.worlds["A2S3"])
names = {"__name__": "__main__"}
exec(sys.stdin.read(), names)
a2checks.check("3.train_one_epoch", names)
"""
    done = subprocess.run([sys.executable, "-c", script], input=source, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "✅ 3.train_one_epoch looks right.", done.stderr


@pytest.mark.parametrize("handler", ["signal.SIG_IGN", "signal.SIG_DFL", "signal.default_int_handler"])
@pytest.mark.parametrize("body", ["[None for _ in iter(int, 1)]", "time.sleep(900)"])
def test_a_deadline_holds_in_a_process_that_ignores_ctrl_c_as_in_the_background(handler, body):
    script = f"import signal, time\nfrom autograder.checks.deadline import TooLong, deadline\nsignal.signal(2, {handler})\n"
    script += f"try:\n    with deadline(0.5):\n        {body}\nexcept TooLong:\n    print(signal.getsignal(2) == {handler})\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.stdout == "True\n", done.stderr


def test_code_that_catches_the_interruption_is_told_as_soon_as_it_ends():
    def catches() -> None:
        with contextlib.suppress(BaseException):
            threading.Event().wait(60)

    with pytest.raises(TooLong), deadline(0.2):
        catches()
