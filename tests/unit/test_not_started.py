"""A worker that cannot be started, or not be shut in, is no fault of the submission's, and ends nothing else."""

import os
import socket
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.core.assignment import Limits
from autograder.core.errors import NotStarted
from autograder.sandbox.judge_side.worker import Worker
from autograder.sandbox.judge_side.zygote_client import Branch, Extra, ZygoteClient
from autograder.sandbox.worker_side import cage
from autograder.sandbox.worker_side.zygote import Zygote
from support.programs import program

LIMITS = Limits(statement_seconds=60, call_seconds=60)


def works(zygote, folder=False):
    with Worker(zygote, LIMITS, folder=folder) as worker:
        return list(worker.load(program("f = 1")).bound) == ["f"]


@pytest.mark.parametrize("instead", ["nothing", "a file"])
def test_without_room_for_its_folder_no_worker_starts_and_the_others_go_on(tmp_path, monkeypatch, instead):
    place = tmp_path / "tmp"
    place.mkdir()
    for parent in (place, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o055)
    tmp_path.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with ZygoteClient(()) as zygote:
        assert works(zygote, folder=True), "the judge's own temporary folder is used"
        place.rmdir()
        if instead == "a file":
            place.touch()
        with pytest.raises(NotStarted, match=r"no worker can be started here: .*(No such file|Not a dir)"):
            Worker(zygote, LIMITS, folder=True)
        assert works(zygote)
        place.unlink(missing_ok=True)
        place.mkdir()
        assert works(zygote, folder=True)
        assert not list(place.iterdir())


BROKEN = {
    "a ruleset that is none": {"ruleset": 999},
    "a filter that is none": {"filter": b"12345678"},
    "another user, by no right": {"drop_user": True},
}


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the cage's layers are Linux's")
@pytest.mark.parametrize("what", BROKEN)
def test_a_worker_that_cannot_be_shut_in_says_why_and_no_statement_is_blamed(monkeypatch, what):
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            monkeypatch.setattr(os, "setresuid", lambda *_: os.kill(1, 99))
            Zygote(theirs, cage.Plan(**BROKEN[what])).serve()
        finally:
            os._exit(0)
    theirs.close()
    with Branch(ours, SimpleNamespace(python="python", preload=""), Extra((), False)) as zygote:
        for _ in range(2):
            with Worker(zygote, LIMITS) as worker, pytest.raises(NotStarted, match=r"a worker could not be shut in: .*\w"):
                worker.load(program("f = 1", "g = 2"))
    os.waitpid(pid, 0)


def test_a_branch_that_cannot_be_forked_is_asked_for_again_and_ends_nothing_else(monkeypatch):
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            fork, failures = os.fork, iter([True, True, True])

            def scarce():
                if next(failures, False):
                    raise BlockingIOError(11, "Resource temporarily unavailable")
                return fork()

            monkeypatch.setattr(os, "fork", scarce)
            Zygote(theirs, cage.Plan()).serve()
        finally:
            os._exit(0)
    theirs.close()
    with Branch(ours, SimpleNamespace(python="python", preload=""), Extra((), False)) as zygote:
        with pytest.raises(NotStarted, match="the worker did not start"):
            zygote.branch(("math",), scratch=False).wait()
        assert zygote.branch(("json",), scratch=False).wait() == {}, "the third try fails, the fourth does not"
        assert works(zygote)
    os.waitpid(pid, 0)
