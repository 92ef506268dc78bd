"""Grade the hostile corpus in every mode that this machine allows."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

from support.project import TESTS

SYSTEM_PYTHON = "/usr/bin/python3"
USER = "12345"
MODES = {
    "as root, own user for each worker": [SYSTEM_PYTHON],
    "as root, this Python": ["here"],
    "as an ordinary user": [SYSTEM_PYTHON],
}


def same_version() -> bool:
    """Whether the system's Python can load this one's libraries."""
    if not shutil.which(SYSTEM_PYTHON):
        return False
    version = subprocess.run([SYSTEM_PYTHON, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True)
    return version.stdout.strip() == str(sys.version_info[:2])


def corpus(references, tmp_path, mode, first, step) -> list[dict]:
    """Run every ``step``-th case in one mode, in two processes at once; skips loudly where the machine cannot."""
    skip_where_impossible(mode)
    interpreter, prefix, target = sys.executable, [], references
    environment = {**os.environ, "HOSTILE_PATHS": sysconfig.get_paths()["purelib"], "PYTHONDONTWRITEBYTECODE": "1"}
    if mode == "as an ordinary user":
        target = readable_copy(references, tmp_path)
        interpreter, prefix = SYSTEM_PYTHON, ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"]
        environment |= {"PYTHONPATH": sysconfig.get_paths()["purelib"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    command = [*prefix, interpreter, str(TESTS / "hostile" / "run.py"), str(target), *MODES[mode]]
    runs = [
        subprocess.Popen(
            [*command, str(first + k * step), str(2 * step)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for k in (0, 1)
    ]
    rows = []
    for run in runs:
        out, err = run.communicate(timeout=4 * 3600)
        assert run.returncode == 0, err[-2000:]
        rows += [json.loads(line) for line in out.splitlines()]
    return rows


def skip_where_impossible(mode: str) -> None:
    if sys.platform != "linux":
        pytest.skip("the cage's layers are Linux's")
    if "this Python" not in mode and not same_version():
        pytest.skip(f"{SYSTEM_PYTHON} is not Python {sys.version_info[0]}.{sys.version_info[1]}: cannot test another user")
    if mode != "as root, this Python" and os.geteuid() != 0:
        pytest.skip("needs root to become another user")


def readable_copy(references: Path, folder: Path) -> Path:
    """A copy that the other user owns, in a folder that they can reach."""
    target = folder / "reference.safetensors"
    shutil.copy(references, target)
    for path in (folder, target):
        os.chown(path, int(USER), int(USER))
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 1:
            parent.chmod(parent.stat().st_mode | 0o011)
    return target


def tally(mode, rows) -> str:
    held, tried = Counter(r["family"] for r in rows if not r["broken"]), Counter(r["family"] for r in rows)
    return f"{mode}: " + ", ".join(f"{family} {held[family]}/{tried[family]}" for family in tried)
