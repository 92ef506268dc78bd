"""A class on a Dask cluster: a real scheduler and two worker processes, one of which is killed."""

import json
import shutil
import subprocess
import sys
import time

import pytest

from autograder.core.errors import GraderError
from support.project import ROOT
from support.toy_class import RIGHT, WRONG

Client = pytest.importorskip("distributed").Client


def start(*arguments, cwd):
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )


@pytest.fixture
def cluster(tmp_path):
    """(address, worker processes)."""
    file = tmp_path / "scheduler.json"
    options = ["--no-dashboard", "--scheduler-file", str(file)]
    started = [start("dask_scheduler", "--port", "0", "--host", "127.0.0.1", *options, cwd=tmp_path)]
    try:
        while not (text := file.read_text() if file.exists() else ""):
            assert started[0].poll() is None, "the scheduler ended"
            time.sleep(0.1)
        for number in range(2):
            folder = ["--local-directory", str(tmp_path / f"worker{number}")]
            worker = start("dask_worker", "--nthreads", "1", "--no-nanny", *options, *folder, cwd=tmp_path)
            started += [worker]
        address = json.loads(text)["address"]
        with Client(address, timeout=3600) as client:
            client.wait_for_workers(2, timeout=3600)
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_even_when_a_worker_is_killed(course, cluster):
    address, workers = cluster
    for index in range(60):
        course.hand_in(f"s{index}", [RIGHT, WRONG, "import time\ntime.sleep(0.05)\n" + RIGHT][index % 3] + f"\n# {index}")
    course.hand_in("empty", None)
    course.run()
    here = course.bytes()
    shutil.rmtree(course.root / "out")
    killed = []

    def progress(done, total, ran):
        if ran >= 5 and not killed:
            killed.append(ran)
            workers[0].kill()

    summary = course.run(scheduler=address, progress=progress)
    assert killed and killed[0] < 55 and workers[0].wait() and workers[1].poll() is None
    assert course.bytes() == here and summary.ran == 61
    assert course.run(scheduler=address).ran == 0


def test_a_missing_scheduler_is_a_one_line_error(course):
    course.hand_in("a", RIGHT)
    with pytest.raises(GraderError, match="no Dask scheduler at"):
        course.run(scheduler="not an address")
