"""An output that cannot be written is one line and exit status 2, for every command; what was there stays whole."""

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.core.files import write_whole
from support.project import ROOT, TOY
from support.toy import autograder

KINDS = ["a folder", "a link", "a dangling link", "a pipe", "a device", "below a file", "a name too long"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A toy with everything baked, graded once, and the two sheets that `finalise` joins."""
    root = tmp_path_factory.mktemp("made") / "toy"
    shutil.copytree(TOY, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "class" / "ada").mkdir(parents=True)
    shutil.copy(root / "solutions" / "T1.py", root / "class" / "ada")
    shutil.copy(ROOT / "student" / "A2S1.ipynb", root / "solutions" / "T1.ipynb")
    for command in (["grade", "solutions"], ["batch", "class"]):
        done = autograder(*command, cwd=root)
        assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def toy(made, tmp_path):
    return shutil.copytree(made, tmp_path / "toy", symlinks=True)


def one_line(done: subprocess.CompletedProcess) -> None:
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("baked", "warning: "))]
    assert len(lines) == 1 and lines[0].startswith("autograder: "), done.stderr


def unwritable(folder, kind):
    """A path where no file can be put, and what has to be as it was afterwards."""
    path, old = folder / "output", folder / "old"
    old.write_text("old")
    if kind == "a folder":
        path.mkdir()
    elif kind == "a link":
        path.symlink_to(old)
    elif kind == "a dangling link":
        path.symlink_to(folder / "nowhere")
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        try:
            os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("needs root to make a device")
    elif kind == "below a file":
        return old / "output", old
    else:
        return folder / ("x" * 300), old
    return path, old


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_file_is_replaced_by_a_file(tmp_path, kind):
    path, old = unwritable(tmp_path, kind)
    before = path.lstat() if os.path.lexists(path) else None if len(path.name) < 256 else 0
    with pytest.raises(Exception, match=r"^cannot write [^\n]*$"):
        write_whole(path, b"new")
    assert old.read_text() == "old" and not list(tmp_path.glob(".new-*"))
    if before:
        after = path.lstat()
        assert (before.st_mode, before.st_ino, before.st_rdev) == (after.st_mode, after.st_ino, after.st_rdev)


@pytest.mark.many(of=5)
@pytest.mark.parametrize("kind", KINDS)
def test_grade_says_so_in_one_line(toy, tmp_path, kind):
    path, old = unwritable(tmp_path, kind)
    one_line(autograder("grade", "solutions", "--output", path, cwd=toy))
    assert old.read_text() == "old"


def limited(seconds_of: int):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (seconds_of, seconds_of))

    return limit


WRITING = {
    "grade": (["grade", "solutions", "--output", "out/results.json"], "results.json"),
    "batch": (["batch", "class", "--output", "out"], None),
    "alike": (["alike", "class", "--output", "out"], None),
    "rubric": (["rubric", "--output", "out"], None),
    "bake": (["--build", "out", "bake"], "reference.safetensors"),
    "pack": (["--build", "out", "pack", "--course", "101"], "autograder-101.zip"),
    "student": (["student", "--output", "out"], None),
    "export": (["export", "out"], None),
}


@pytest.mark.many(of=8)
@pytest.mark.parametrize("name", WRITING)
def test_a_full_disk_is_one_line_for_every_command(toy, name):
    """With files of at most 64 bytes, which is how a quota or a full disk looks to a write."""
    command, old = WRITING[name]
    out = toy / "out"
    out.mkdir()
    if old:
        (out / old).write_bytes(b"old")
        for path in (toy / "build").iterdir() if "--build" in command else ():
            if path.name != old and path.is_file():
                shutil.copy(path, out)
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *command],
        cwd=toy,
        capture_output=True,
        text=True,
        preexec_fn=limited(64),
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    one_line(done)
    assert not list(out.rglob(".new-*"))
    if old:
        assert (out / old).read_bytes() == b"old"


@contextlib.contextmanager
def small_disk(path):
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", path], capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("mount"), reason="no mount")
def test_a_disk_that_is_full_keeps_the_old_results(toy, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        (disk / "results.json").write_text("old")
        with contextlib.suppress(OSError), open(disk / "filler", "wb") as file:
            while True:
                file.write(b"x" * 4096)
                file.flush()
        one_line(autograder("grade", "solutions", "--output", disk / "results.json", cwd=toy))
        one_line(autograder("batch", "class", "--output", disk / "class", cwd=toy))
        assert sorted(path.name for path in disk.iterdir() if path.name != "class") == ["filler", "results.json"]
        assert (disk / "results.json").read_text() == "old"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("mount"), reason="no mount")
def test_a_disk_that_is_read_only_is_one_line(toy, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        (disk / "results.json").write_text("old")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for output in (disk / "results.json", disk / "missing" / "results.json"):
            one_line(autograder("grade", "solutions", "--output", output, cwd=toy))
        one_line(autograder("batch", "class", "--output", disk / "class", cwd=toy))
        assert (disk / "results.json").read_text() == "old"


def test_a_disk_that_fills_up_on_the_way_keeps_what_was_written_last(toy, tmp_path, monkeypatch):
    from autograder.core import files
    from autograder.core.errors import NotWritten
    from autograder.core.loading import load_assignment
    from autograder.judging.run import run_grading

    replace, written = os.replace, []

    def filling(temporary, path):
        if len(written) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        replace(temporary, path)

    monkeypatch.setattr(files.os, "replace", filling)
    assignment = load_assignment(toy / "assignment")
    output = tmp_path / "results.json"
    with pytest.raises(NotWritten, match=r"^cannot write .*results\.json: No space left on device$"):
        run_grading(assignment, toy / "build" / "reference.safetensors", toy / "solutions", "101", output)
    assert output.read_text().startswith("{") and "nothing could be graded" not in output.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".new-")] == []


@pytest.mark.parametrize("interrupted", [False, True])
@pytest.mark.parametrize("fails", ["copytree", *range(6)])
def test_a_students_tree_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch, fails, interrupted):
    from autograder.core import files
    from autograder.core.errors import NotWritten

    new, target = tmp_path / "new", files.own_folder(tmp_path / "target", "student")
    for folder, text in ((new, "new"), (target, "old")):
        for name in ("sub", "other", text):
            (folder / name).mkdir(parents=True)
            (folder / name / "file").write_text(text)
    copy, move, moves = shutil.copytree, Path.rename, []

    def full(*arguments, **options):
        copy(*arguments, **options)
        raise KeyboardInterrupt if interrupted else OSError(errno.ENOSPC, "No space left on device")

    def stopped(self, place):
        moves.append(place)
        if len(moves) == fails + 1:
            raise KeyboardInterrupt if interrupted else OSError(errno.EACCES, "Permission denied")
        return move(self, place)

    with monkeypatch.context() as patched:
        if fails == "copytree":
            patched.setattr(files.shutil, "copytree", full)
        else:
            patched.setattr(Path, "rename", stopped)
        with pytest.raises(KeyboardInterrupt if interrupted else NotWritten, match=r"^$|No space left|Permission denied"):
            files.replace_tree(new, target, "student")
    assert {p.name for p in target.iterdir()} == {"sub", "other", "old", files.MARK}
    assert {p.read_text() for p in target.glob("*/file")} == {"old"}
    files.replace_tree(new, target, "student")
    assert {p.name for p in target.iterdir()} == {"sub", "other", "new", files.MARK}
    assert {p.read_text() for p in target.glob("*/file")} == {"new"}


def test_the_containers_command_never_shows_a_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "autograder.gradescope", "grade", str(tmp_path / ("x" * 300))],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--help"], ["grade", "--help"], ["doctor"]])
def test_whoever_has_read_enough_of_a_command_reads_no_error(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "autograder", *arguments],
            stdout=writer,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.stderr == "" and done.returncode == 1


@pytest.mark.parametrize("error", [RuntimeError("of ours\nin two lines"), MemoryError(), KeyError("x"), RecursionError("deep")])
@pytest.mark.parametrize(
    ("command", "module", "status"), [("grade", "container.grade_container", 0), ("smoke", "smoke.smoke_archive", 2)]
)
def test_an_error_of_ours_in_the_container_is_one_line(monkeypatch, capsys, command, module, status, error):
    from autograder.gradescope.__main__ import main

    def fails(*_):
        raise error

    monkeypatch.setattr(f"autograder.gradescope.{module}", fails)
    assert main([command, "/nowhere"]) == status
    said = capsys.readouterr().err
    assert said.startswith(f"autograder: internal error, {type(error).__name__}") and "Traceback" not in said
