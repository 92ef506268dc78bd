"""Observed code may write to any path and finds it again, and nothing outside of its temporary folder changes."""

import builtins
import codecs
import glob
import io
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import pytest

from autograder.checks import paths, redirect
from autograder.checks.redirect import redirected

FORMS = {
    "relative": "out/a.bin",
    "below a folder that exists": "kept/new/a.bin",
    "absolute": "/content/drive/MyDrive/a.bin",
    "absolute, below the working folder": "{cwd}/kept/out/a.bin",
    "parent": "../out/a.bin",
    "far above": "../../../../../../../../../../a.bin",
    "home": os.path.expanduser("~/a2/a.bin"),
    "home, as written": "~/a2/a.bin",
    "Windows": r"C:\Users\me\a.bin",
    "temporary": os.path.join(tempfile.gettempdir(), "a2", "a.bin"),
    "with dots": "x/../y/./a.bin",
    "instead of a file that exists": "kept/model.pt",
}


def read(path):
    with open(path) as file:
        return file.read()


def raises(error):
    """As rude as a student's code may be: in another folder, with a function of its own in a module."""
    os.chdir("/")
    os.mkdir = print
    raise error


def array(path):
    np.save(path, np.arange(3))
    written = path if str(path).endswith(".npy") else f"{path}.npy"
    assert np.load(written).tolist() == [0, 1, 2]
    os.replace(written, path)


def opened(path):
    with open(path, "wb") as file:
        file.write(b"x")


def descriptor(path):
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(number, b"x")
    os.close(number)


def copied(path):
    Path("first").write_text("x")
    shutil.copy2("first", path)


def moved(path):
    Path("first").write_text("x")
    shutil.move("first", path)
    assert not os.path.exists("first")


def made(path):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with codecs.open(path, "w") as file:
        json.dump({}, file)


WRITERS = {
    "open": opened,
    "os.open": descriptor,
    "pathlib": lambda path: Path(path).write_bytes(b"x"),
    "numpy.save": array,
    "numpy.savetxt": lambda path: np.savetxt(path, np.zeros(2)),
    "tofile": lambda path: np.zeros(2).tofile(path),
    "shutil.copy2": copied,
    "shutil.move": moved,
    "os.makedirs, codecs.open": made,
}


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A working folder with files of its own, which no test may change."""
    work = tmp_path / "a" / "work"
    (work / "kept").mkdir(parents=True)
    (work / "kept" / "model.pt").write_text("trained")
    (work / "log.txt").write_text("kept")
    monkeypatch.chdir(work)
    held = {
        (o, k): v for o in (os, io, builtins, pathlib, shutil, subprocess, sys.modules[__name__]) for k, v in vars(o).items()
    }
    before = snapshot(tmp_path)
    yield work
    assert snapshot(tmp_path) == before
    assert Path.cwd() == work and paths.LAYERS == [] and redirect.UNDO == []
    assert [k for (o, k), v in held.items() if k != "held" and vars(o).get(k) is not v] == []


def snapshot(folder: Path) -> dict:
    return {str(p): (p.lstat().st_mode, p.lstat().st_mtime_ns, p.is_file() and p.read_bytes()) for p in folder.rglob("*")}


@pytest.mark.parametrize("chdir", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_written_is_found_again_by_the_same_path(mine, writer, form, chdir):
    path = FORMS[form].format(cwd=mine)
    with redirected(chdir=chdir) as root:
        WRITERS[writer](path)
        assert os.path.isfile(path) and Path(path).exists() and os.path.getsize(path)
        folder, name = os.path.split(path)
        assert name in os.listdir(folder or ".") and Path(path).name in [p.name for p in Path(folder).glob("*")]
        assert path in glob.glob(os.path.join(glob.escape(folder), "*"))
        with open(path, "rb") as file:
            assert file.read() == Path(path).read_bytes() and os.path.realpath(file.name).startswith(root)
        with open(path, "a") as file:
            file.write("more")
        assert Path(path).read_bytes().endswith(b"more")
        os.rename(path, f"{path}.old")
        assert not os.path.exists(path) and os.path.exists(f"{path}.old")
        os.remove(f"{path}.old")
        assert not os.path.exists(f"{path}.old")
    assert not os.path.exists(root)


def test_what_was_there_can_be_read_removed_moved_and_edited_and_stays(mine):
    with redirected():
        assert read("log.txt") == "kept"
        with open("log.txt", "r+") as file:
            file.write("K")
        assert read("log.txt") == "Kept" == Path("log.txt").read_text()
        shutil.copytree("kept", "copy")
        shutil.rmtree("kept")
        assert not os.path.exists("kept") and not Path("kept/model.pt").exists() and os.listdir("copy") == ["model.pt"]
        os.makedirs("kept")
        assert os.listdir("kept") == []
        Path("copy/model.pt").rename("kept/model.pt")
        os.remove(mine / "log.txt")
        with pytest.raises(FileNotFoundError):
            read("log.txt")
        with pytest.raises(FileNotFoundError):
            os.remove("log.txt")
        with pytest.raises(OSError, match="not empty"):
            os.rmdir("kept")


def test_files_of_an_outer_block_are_found_by_relative_paths_and_others_are_not(mine):
    with redirected():
        Path("settings.json").write_text("{}")
        with redirected(chdir=True):
            assert Path("settings.json").read_text() == "{}"
            assert not os.path.exists("log.txt")  # as in the grader, where the student's other files are not
            Path("settings.json").write_text("[]")
        assert Path("settings.json").read_text() == "{}"


def test_all_is_restored_if_the_code_raises_anywhere(mine):
    for error in (KeyboardInterrupt, SystemExit, ValueError):
        with pytest.raises(error), redirected(), redirected(chdir=True):
            raises(error)


def test_links_and_open_folders_lead_nowhere_else(mine):
    with redirected():
        with pytest.raises(PermissionError):
            os.symlink(mine / "kept", "link")
        Path("own").write_text("x")
        os.symlink("own", "latest")
        assert Path("latest").read_text() == "x"
        folder = os.open("kept", os.O_RDONLY)
        os.unlink("model.pt", dir_fd=folder)
        os.mkdir("new", dir_fd=folder)
        os.close(folder)
        assert not os.path.exists("kept/model.pt") and os.path.isdir("kept/new")


def test_programs_do_not_run_and_modes_do_not_change(mine):
    with redirected():
        assert os.system("rm -r kept") == 0
        assert subprocess.run("rm -r kept", shell=True, check=True, capture_output=True, text=True).stdout == ""
        assert subprocess.check_output(["rm", "-r", "kept"], input=b"y") == b""
        os.chmod("kept", 0)
        os.utime("log.txt", (0, 0))
        Path("log.txt").touch()
        with pytest.raises(FileNotFoundError):
            os.chmod("missing", 0)
    assert subprocess.check_output([sys.executable, "-c", "print(1)"], text=True).strip() == "1"


def test_devices_databases_and_temporary_files_work(mine):
    with redirected():
        with open(os.devnull, "w") as file:
            file.write("x")
        with sqlite3.connect("/content/a.db") as database:
            database.execute("create table t (a)")
        assert os.path.exists("/content/a.db") and sqlite3.connect(":memory:")
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file, tempfile.TemporaryFile():
            Path(folder, "x").write_text(file.name)
        assert not os.path.exists(folder)


def test_pathlib_of_python_3_10_is_redirected_too(mine, monkeypatch):
    class Accessor:
        mkdir, open, stat = os.mkdir, io.open, os.stat

        def link(self, *_):
            return "its own"

    monkeypatch.setattr(pathlib, "_NormalAccessor", Accessor, raising=False)
    before = dict(vars(Accessor))
    with redirected():
        Accessor().mkdir("/content")
        Accessor().open("/content/a", "w").close()
        assert Accessor().stat("/content/a").st_size == 0 and Accessor().link() == "its own"
    assert dict(vars(Accessor)) == before


def test_modules_that_hold_a_function_by_name_are_redirected_and_restored_even_if_imported_meanwhile(mine):
    module = sys.modules["holder"] = types.ModuleType("holder")
    module.write = open
    try:
        with redirected({"names": 1}):
            module.write("/content/a", "w").close()
            module.late = os.mkdir
        assert (module.write, module.late) == (open, os.mkdir)
    finally:
        del sys.modules["holder"]
