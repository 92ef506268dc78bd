"""Observed code may write to any path and finds it again, and nothing outside of its temporary folder changes."""

import builtins
import codecs
import glob
import io
import json
import logging
import ntpath
import os
import pathlib
import posixpath
import shelve
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest

from autograder.checks import commands, paths, redirect
from autograder.checks.redirect import redirected
from support.project import ROOT

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
    (work / "trained").mkdir()
    (work / "trained" / "model.safetensors").write_text("trained")
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


@pytest.mark.many(of=4)
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_written_is_found_again_by_the_same_path(mine, writer, form, apart):
    path = FORMS[form].format(cwd=mine)
    with redirected(apart=apart) as root:
        WRITERS[writer](path)
        assert os.path.isfile(path) and Path(path).exists() and os.path.getsize(path)
        folder, name = (ntpath if form == "Windows" else os.path).split(path)
        assert name in os.listdir(folder or ".") and name in [p.name for p in Path(folder).glob("*")]
        assert os.path.join(folder, name) in glob.glob(os.path.join(glob.escape(folder), "*"))
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


def test_files_of_an_outer_block_and_others_are_found_but_trained_models_cannot_be_read(mine):
    with redirected():
        Path("settings.json").write_text("{}")
        Path("first.pt").write_text("tiny")
        with redirected(apart=True):
            assert (read("settings.json"), read("first.pt"), read("log.txt")) == ("{}", "tiny", "kept")
            for path in ("kept/model.pt", "trained/model.safetensors"):
                assert not os.path.exists(path) and not os.path.exists(mine / path)
            assert paths.is_trained("kept") and paths.is_trained(mine / "trained") and not paths.is_trained("first.pt")
            assert os.listdir("kept") == ["model.pt"]
            os.remove("kept/model.pt")
            shutil.rmtree(mine / "trained")
            os.mkdir("kept")
            assert os.listdir("kept") == [] and not os.path.exists("trained")
            Path("settings.json").write_text("[]")
        assert read("settings.json") == "{}" and os.listdir("kept") == ["model.pt"]


def test_the_working_folder_can_be_any(mine):
    with redirected():
        assert os.getcwd() == str(mine) == str(Path.cwd()) and os.getcwdb() == os.fsencode(mine)
        os.chdir("/content/drive")
        Path("a.txt").write_text("a")
        with redirected(apart=True):
            assert (os.getcwd(), read("a.txt"), os.path.abspath("a.txt")) == ("/content/drive", "a", "/content/drive/a.txt")
            Path("b.txt").write_text("b")
            os.chdir("..")
            assert read("drive/b.txt") == read("/content/drive/b.txt") == "b" and os.getcwd() == "/content"
        assert os.listdir(".") == ["a.txt"]
        os.chdir(mine)
        assert read("log.txt") == "kept"
        with pytest.raises(NotADirectoryError):
            os.chdir("log.txt")


def test_a_folder_shows_what_was_there_and_what_was_written(mine):
    with redirected():
        Path("kept/best.pt").write_text("x")
        names = ["best.pt", "model.pt"]
        assert sorted(os.listdir("kept")) == sorted(e.name for e in os.scandir("kept")) == names
        assert sorted(glob.glob("kept/*")) == sorted(e.path for e in os.scandir("kept")) == [f"kept/{name}" for name in names]
        assert sorted(Path("kept").iterdir()) == [Path("kept", name) for name in names]
        assert [(root, sorted(files)) for root, _, files in os.walk("kept")] == [("kept", names)]
        assert all(e.is_file() and not e.is_dir() and e.stat().st_size for e in os.scandir(b"kept"))
        os.rename("kept", "moved")
        assert sorted(os.listdir("moved")) == names and not os.path.exists("kept") and "kept" not in os.listdir(".")
        with pytest.raises(FileNotFoundError, match="'kept'"):
            os.listdir("kept")


def test_raw_files_copies_and_compressed_files_are_redirected_and_remain_what_they_are(mine):
    with redirected():
        with io.FileIO("/content/a.bin", "w") as file:
            file.write(b"x")
        with io.FileIO("/content/a.bin") as file, open("/content/a.bin", "rb", buffering=0) as raw:
            assert file.read() == b"x" and isinstance(file, io.FileIO) and isinstance(raw, io.FileIO)
        with zipfile.ZipFile("/content/a.zip", "w") as archive:
            archive.write("/content/a.bin", "a.bin")
        shutil.unpack_archive("/content/a.zip", "/content/b")
        with tarfile.open("/content/a.tar.gz", "w:gz") as archive:
            archive.add("/content/b", "b")
        assert tarfile.is_tarfile("/content/a.tar.gz") and os.listdir("/content/b") == ["a.bin"]
        np.memmap("/content/m", dtype="int8", mode="w+", shape=3)[:] = 1
        assert np.memmap("/content/m", dtype="int8", mode="r").sum() == 3
        with shelve.open("/content/s") as held:
            held["a"] = 1
        handler = logging.FileHandler("/content/logs/run.log")
        handler.emit(logging.makeLogRecord({"msg": "saved"}))
        handler.close()
        assert read("/content/logs/run.log") == "saved\n"


@pytest.mark.parametrize("system", [posixpath, ntpath])
def test_a_place_leads_back_to_its_path(system, monkeypatch):
    root = {posixpath: "/tmp/a", ntpath: r"C:\tmp\a"}[system]
    monkeypatch.setattr(paths.os, "path", system)
    monkeypatch.setattr(paths.os, "sep", system.sep)
    layer = paths.Layer(root)
    known = {
        posixpath: ["/content/a.pt", "/", "/C:/Users/me/a.pt"],
        ntpath: ["D:\\a2\\best.pt", "C:\\Users\\me\\a b.pt", "\\\\server\\share\\a2\\x.pt"],
    }
    for path in known[system]:
        place = layer.place(path)
        assert system.normpath(place).startswith(root) and layer.origin(system.normpath(place)) == path
        assert layer.place(place) == place


def test_paths_from_windows_are_understood_elsewhere(mine):
    if os.sep != "/":
        pytest.skip("on Windows they are the only ones")
    with redirected():
        folder = "C:\\Users\\me\\a 2"
        os.makedirs(folder)
        for path in (folder + "\\best.pt", f"{folder}/last.pt", Path(folder, "third.pt"), ntpath.join(folder, "x", "y.pt")):
            Path(path).write_text("x")
        assert sorted(os.listdir(folder)) == ["best.pt", "last.pt", "third.pt", "x"]
        Path(r"\\server\share\a.pt").write_text("unc")
        assert read("//server/share/a.pt") == "unc" and read(os.path.abspath(folder + "\\best.pt")) == "x"
        Path("runs\\1.txt").write_text("1")
        assert os.listdir("runs") == ["1.txt"]


def test_modules_that_were_written_anywhere_can_be_imported_and_are_forgotten(mine, monkeypatch):
    monkeypatch.syspath_prepend("/content/lib")
    with redirected():
        Path("/content/lib/package").mkdir(parents=True)
        Path("/content/lib/package/__init__.py").write_text("from .inner import RATE")
        Path("/content/lib/package/inner.py").write_text("RATE = 3")
        assert __import__("package").RATE == 3
    assert not {"package", "package.inner"} & set(sys.modules)


def test_what_common_programs_do_with_files_is_done(mine):
    with redirected():
        assert os.system("mkdir -p /content/a b && touch b/x.txt b/y.txt; cp -r b /content/a/") == 0
        assert sorted(os.listdir("/content/a/b")) == ["x.txt", "y.txt"]
        subprocess.run(["mv", "b/x.txt", "/content/x.txt"], check=True)
        subprocess.run("rm -rf b/*.txt", shell=True, check=True)
        assert os.path.exists("/content/x.txt") and os.listdir("b") == []
        commands.SKIPPED.clear()
        assert subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout == ""
        os.system("cat a | rm -r kept > b")
        assert commands.SKIPPED == ["nvidia-smi -L", "cat a | rm -r kept > b"] and os.path.exists("kept")
        for start in (os.execv, os.spawnv):
            with pytest.raises(PermissionError, match="no program is started"):
                start(*([os.P_WAIT] if start is os.spawnv else []), sys.executable, ["python"])


def test_an_error_names_the_students_own_path(mine):
    with redirected():
        os.makedirs("/content/a")
        for call in (open, os.listdir, os.stat):
            with pytest.raises(FileNotFoundError, match="'/content/missing'"):
                call("/content/missing")
        with pytest.raises(IsADirectoryError, match="'/content/a'"):
            opened("/content/a")
        with pytest.raises(FileExistsError, match="'/content/a'"):
            os.mkdir("/content/a")


def test_all_is_restored_if_the_code_raises_anywhere(mine):
    for error in (KeyboardInterrupt, SystemExit, ValueError):
        with pytest.raises(error), redirected(), redirected(apart=True):
            raises(error)


def test_links_and_open_folders_lead_nowhere_else(mine):
    with redirected():
        os.symlink(mine / "kept", "link")
        Path("link/model.pt").write_text("x")
        with pytest.raises(PermissionError):
            os.symlink("missing", "dangling")
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
        assert not os.path.exists("kept")
        os.chmod("log.txt", 0)
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


@pytest.mark.slow
def test_the_modules_that_hold_a_function_by_name_after_an_import_of_torch_are_known():
    code = """
import sys, torch, safetensors.numpy
from autograder.checks import redirect
redirect.install()
ours = lambda value: isinstance(value, type(lambda: 0)) and "autograder/checks" in value.__code__.co_filename
homes = {"torch._C", "torch.jit", "io", "os", "safetensors", "safetensors._safetensors_rust", "builtins", "fcntl"}
print([name for name, module in sys.modules.items() if name not in homes | set(redirect.HOLDERS) and "autograder" not in name
       and any(ours(value) for value in list(getattr(module, "__dict__", {}).values()))])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
