"""Classes of the real assignment, one on a busy machine, and a batch that is killed fifty times."""

import csv
import os
import subprocess
import sys

from autograder.batch.grade_class import Batch, run_batch
from autograder.core.loading import load_assignment
from support import share
from support.project import DATA
from support.toy_class import kill_at_random

SUBMISSIONS, BURNERS = share.number(200), 20
# In a session of their own, as the system may share processors by session; they exit with this process.
BURN = f"""
import os
for _ in range({BURNERS - 1}):
    if os.fork() == 0:
        break
parent = os.getppid()
print(flush=True)
while os.getppid() == parent:
    pass
"""


def test_fifty_kills_lose_nothing(course):
    kill_at_random(course, share.number(50), seed=2 + share.SEED)


def test_a_class_of_the_real_assignment_with_every_kind_of_problem(tmp_path, settings, references):
    from support.make_class import make_class

    make_class(80, tmp_path / "class")
    assignment = load_assignment(settings["folder"], statement_seconds=3.0, call_seconds=3.0)
    outputs = []
    for jobs in (1, 4):
        batch = Batch(assignment, references, tmp_path / "class", tmp_path / f"out{jobs}", "517", jobs=jobs)
        summary = run_batch(batch, lambda *_: None)
        outputs.append((tmp_path / f"out{jobs}" / "gradebook.csv").read_bytes())
    assert outputs[0] == outputs[1], "the number of jobs must not change a byte"
    assert summary.submissions == 79 and any("submitted twice" in note for note in summary.notes)


def test_a_class_started_under_a_heavy_load_is_graded_whole(tmp_path, settings, references):
    for number in range(SUBMISSIONS):
        (tmp_path / "class" / f"s{number:03}").mkdir(parents=True)
        for section in (1, 2, 3):
            source = (DATA / f"right_s{section}.py").read_text().replace("S = 100\n", f"S = {100 + number}\n")
            (tmp_path / "class" / f"s{number:03}" / f"A2S{section}.py").write_text(f"{source}\nmine = {number}\n")
    burners = subprocess.Popen([sys.executable, "-c", BURN], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert all(burners.stdout.readline() for _ in range(BURNERS)), "all burners are running"
        batch = Batch(load_assignment(settings["folder"]), references, tmp_path / "class", tmp_path / "out", "517")
        summary = run_batch(batch, lambda *_: None)
    finally:
        burners.kill()
        burners.communicate()
    print(f"{summary.ran} submissions under {BURNERS} busy processes on {os.cpu_count()} processors: {summary.seconds:.0f} s")
    assert (summary.ran, summary.problems) == (SUBMISSIONS, [])
    with open(tmp_path / "out" / "gradebook.csv", newline="") as file:
        assert [row["Total Score"] for row in csv.DictReader(file)] == ["58"] * SUBMISSIONS
