"""Grading a class. The toy assignment keeps these tests quick: its workers import no torch."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from autograder.authoring.baking.freshness import fresh_references
from autograder.batch import grade_class, process_pool
from autograder.batch.class_page import Page
from autograder.batch.gradebook import Sheet
from autograder.cli.terminal import pace
from autograder.core.errors import GraderError, NotStarted
from autograder.core.loading import load_assignment
from autograder.core.references import REFERENCES
from autograder.core.verdict import MISSING, NO_FILE, PASSED, Verdict
from autograder.sandbox.judge_side.zygote_client import Branch, ZygoteClient
from support.project import ROOT
from support.toy_class import RIGHT, WRONG, command, kill_at_random

HANG = "def add(a, b):\n    while True:\n        pass\n"
EXPORT = """---
submission_1:
  :submitters:
  - :name: '=1+1'
    :sid: '007'
    :email: ada@example.edu
  - :name: Bo
    :sid: '2'
    :email: bo@example.edu
  :created_at: 2026-10-01 12:00:00.000000000 Z
submission_2:
  :submitters:
  - :name: Cy <b>
    :sid: '3'
    :email: cy@example.edu
  :created_at: 2026-10-01 12:00:00.000000000 Z
submission_3:
  :submitters:
  - :name: Di
    :sid: '4'
    :email: di@example.edu
  :created_at: 2026-10-01 12:00:00.000000000 Z
"""


def test_an_export_becomes_a_gradebook_a_canvas_file_and_one_result_per_submission(course):
    course.hand_in("submission_1", RIGHT)
    course.hand_in("submission_2", WRONG)
    course.hand_in("submission_3", None)
    course.metadata(EXPORT)
    summary = course.run()
    assert [(row["Name"], row["SID"], row["Total Score"], row["Status"][:10]) for row in course.rows()] == [
        ("'=1+1", "007", "7", "graded"),
        ("Bo", "2", "7", "graded"),
        ("Cy <b>", "3", "3", "graded"),
        ("Di", "4", "", "not graded"),
    ]
    assert course.row(Name="Cy <b>")["1.add"] == "0"
    canvas = course.rows("canvas.csv")
    assert [(r["Student"], r["SIS User ID"], r["SIS Login ID"], r["Toy: two functions (autograded)"]) for r in canvas[1:]] == [
        ("'=1+1", "007", "ada", "7"),
        ("Bo", "2", "bo", "7"),
        ("Cy <b>", "3", "cy", "3"),
        ("Di", "4", "di", ""),
    ]
    assert [id for id, _ in summary.problems] == ["submission_3"]
    tree = json.loads((course.root / "out" / "results" / "submission_2.json").read_text())
    assert (tree["score"], [t["score"] for t in tree["tests"]]) == (3, [0, 3])
    assert not json.loads((course.root / "out" / "results" / "submission_3.json").read_text())["extra_data"]["complete"]


def test_a_folder_of_folders_files_and_zips_is_a_class(course):
    course.hand_in("anna", RIGHT)
    (course.root / "class" / "ben.py").write_text(RIGHT)
    shutil.make_archive(str(course.root / "class" / "cleo"), "zip", course.hand_in("x", RIGHT, "elsewhere"))
    (course.root / "class" / "notes.txt").write_text("hello")
    summary = course.run()
    assert [(r["Name"], r["Total Score"]) for r in course.rows()] == [("anna", "7"), ("ben", "7"), ("cleo", "7")]
    same = "the same files in 2 submissions: anna (anna), cleo.zip (cleo)"
    assert summary.notes == ["notes.txt is not a submission and was left out", same]


def test_a_roster_maps_people_to_paths_and_courses(course):
    course.hand_in("a", RIGHT)
    course.hand_in("b", RIGHT)
    (course.root / "roster.csv").write_text(
        "Name,Email,SID,Course,Path\nAda,a@x,1,CSE 101,class/a\nBo,b@x,2,102,class/b\nCy,c@x,3,102,class/c\nDi,d@x,4,103,\n"
    )
    summary = course.run("roster.csv")
    assert [(r["Name"], r["Course"], r["Total Score"]) for r in course.rows()] == [
        ("Ada", "101", "5"),
        ("Bo", "102", "7"),
        ("Cy", "102", ""),
        ("Di", "102", ""),
    ]
    assert course.row(Name="Cy")["Status"] == "not graded: the roster names class/c, which does not exist"
    assert summary.notes[0].startswith("roster.csv, line 5: the course '103' is not in the rubric")
    assert summary.notes[1].startswith("roster.csv, line 4: Cy <c@x>: the path class/c does not exist (paths in a roster")


def test_a_roster_gives_the_people_of_an_export_their_course(course):
    course.hand_in("submission_1", RIGHT)
    course.metadata(EXPORT)
    (course.root / "roster.csv").write_text("name,email,course\nAda,ADA@example.edu,101\nEve,eve@example.edu,101\n")
    course.run(roster=course.root / "roster.csv")
    assert (course.row(SID="007")["Total Score"], course.row(Name="Bo")["Total Score"]) == ("5", "7")
    assert course.row(Name="Eve")["Status"].startswith("not graded: not submitted")


def test_the_later_of_two_submissions_counts(course):
    course.hand_in("submission_1", RIGHT)
    course.hand_in("submission_2", WRONG)
    alone = EXPORT[: EXPORT.index("  - :name: Bo")] + EXPORT[EXPORT.index("  :created_at") :]
    again = alone.replace("'3'\n    :email: cy@", "'007'\n    :email: ada@").replace("2026-10-01", "2026-10-02", 1)
    course.metadata(again.replace(":name: '=1+1'", ":name: Cy <b>"))
    summary = course.run()
    assert course.row(Email="ada@example.edu")["Submission ID"] == "submission_1"
    assert summary.notes == ["Cy <b> submitted twice: submission_1 counts, submission_2 does not"] and len(course.rows()) == 2


@pytest.mark.slow
def test_what_was_not_graded_before_is_never_said_to_have_other_points(course):
    course.hand_in("a", RIGHT)
    course.hand_in("b", None)
    assert course.run().problems == [("b", f"not graded: {NO_FILE}")]
    course.hand_in("b", WRONG)
    summary = course.run()
    assert {(c.item, c.old, c.new, c.reason.split("; now: ")[0]) for c in summary.changes} == {
        ("1.add", "", "0", "was not graded before"),
        ("1.mean", "", "3", "was not graded before"),
    }
    rubric = course.folder / "rubric.toml"
    rubric.write_text(
        rubric.read_text().replace("points = 3", "points = 1").replace("[5, 0]", "[3, 0]").replace("[7, 0]", "[5, 0]")
    )
    assert {c.reason for c in course.run().changes} == {"the item's points changed"}


def test_a_roster_says_who_takes_which_course_and_who_teaches_before_anything_is_graded(course):
    course.hand_in("submission_1", RIGHT)
    course.hand_in("submission_2", WRONG)
    course.metadata(EXPORT)
    (course.root / "roster.csv").write_text(
        "First Name,Last Name,SID,Email,Role,Sections\nA,B,007,ada@example.edu,Student,CSE101 A\n"
        "C,Y,3,cy@example.edu,TA,CSE 102 A\nB,O,2,bo@example.edu,Student,\n"
    )
    said = []
    course.run(roster=course.root / "roster.csv", progress=lambda *_: said.append("graded"), say=said.append)
    assert [(row["SID"], row["Course"]) for row in course.rows()] == [("007", "101"), ("2", "102"), ("4", "102")]
    assert said[0].startswith("roster.csv, line 3: Cy <b> is TA there, so submission_2 is left out")
    assert said[1].startswith("2 of 3 people have no course from a roster: Bo, Di. They are graded as course 102")


@pytest.mark.slow
def test_an_empty_submission_ends_make_batch_with_the_summary(course):
    course.hand_in("a", RIGHT)
    course.hand_in("b", None)
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t$(RUN) batch"))
    makefile = f"RUN := {' '.join(command(course)[:9])}\nbatch:\n{line}\n"
    (course.root / "Makefile").write_text(makefile)
    made = ["make", "batch", f"FOLDER={course.root / 'class'}", f"OUTPUT={course.root / 'out'}", "COURSE=101"]
    done = subprocess.run(made, cwd=course.root, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0 and "Error" not in done.stderr, done.stderr
    assert "known before, 1 not graded" in done.stdout and f"b: not graded: {NO_FILE}" in done.stdout
    failed = subprocess.run([*made[:2], "FOLDER=nowhere", *made[3:]], cwd=course.root, capture_output=True, text=True)
    assert failed.returncode != 0


@pytest.mark.parametrize("given", [["FOLDER=my export"], [], ["FOLDER=docs", "ROSTER=who is who.csv"]])
def test_make_batch_says_at_once_that_what_it_was_given_is_not_there(given):
    done = subprocess.run(["make", "batch", *given], cwd=ROOT, capture_output=True, text=True)
    missing = given[-1].partition("=")[2] if given else ""
    told = [
        line for line in done.stdout.splitlines() if not line.startswith("make")
    ]  # which says where it is, inside another one
    why = f"there is no '{missing}':" if missing else "which class?"
    assert done.returncode and told == [f"{why} make batch FOLDER=export [ROSTER=roster.csv]"]


HISTORY = """submission_1:
  :submitters:
  - :name: Ada
  :created_at: 2026-10-03 12:00:00 Z
  :score: 9.0
  :history:
  - :created_at: 2026-10-02 12:00:00 Z
    :score: 4.0
    :results: {tests: [1, 2]}
  - :created_at: 2026-10-01 12:00:00 Z
    :score: 2.5
  - :created_at: 2026-09-01 12:00:00 Z
    :score:
  - broken
"""


def test_the_first_uploads_score_comes_from_the_exports_history(course):
    course.hand_in("submission_1", RIGHT)
    course.metadata(HISTORY)
    course.run(share=True)
    assert "of 1 who uploaded more than once: median 2.5 before, 7 now" in (course.root / "out" / "index.html").read_text()
    assert "there is nothing to share" in (course.root / "out" / "share.html").read_text()


@pytest.mark.parametrize(
    "done, total, ran, seconds, rate, left",
    [
        (0, 10, 0, 5.0, "", ""),
        (5, 10, 0, 5.0, "", ""),
        (6, 10, 2, 4.0, "0.5 per second", "about 8 s left"),
        (2, 2000, 2, 1.0, "2.0 per second", "about 16 min 39 s left"),
        (1, 10_000, 1, 1.0, "1.0 per second", "about 2 h 46 min left"),
        (10, 10, 10, 1.0, "10.0 per second", ""),
    ],
)
def test_the_time_left_counts_only_what_has_to_be_graded(done, total, ran, seconds, rate, left):
    assert pace(done, total, ran, seconds) == (rate, left)


@pytest.mark.many(of=2)
@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2", "\0", "submission_1: 3", "submission_1:\n  :submitters: {}\n"])
def test_bad_metadata_costs_only_the_names_where_folders_have_some(course, text):
    course.hand_in("ada", RIGHT)
    course.metadata(text)
    course.run()
    assert [(r["Name"], r["Total Score"]) for r in course.rows()] == [("ada", "7")]


def test_a_folder_that_cannot_be_read_is_not_graded_and_says_why(course, monkeypatch):
    course.hand_in("a", RIGHT)
    course.hand_in("b", RIGHT)
    iterdir = Path.iterdir

    def refusing(self):
        if self.name == "a":
            raise PermissionError(13, "Permission denied")
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", refusing)
    (course.root / "class" / "c").symlink_to("nowhere")
    summary = course.run()
    assert course.row(Name="a")["Status"] == "not graded: nothing to grade; the folder a could not be read: Permission denied"
    assert course.row(Name="c")["Status"].startswith("not graded: cannot read")
    assert course.row(Name="b")["Total Score"] == "7" and len(summary.problems) == 2


@pytest.mark.parametrize("what", ["absent", "empty", "a zip"])
def test_a_folder_without_a_class_is_a_one_line_error(course, what):
    (course.root / "empty").mkdir()
    (course.root / "a zip").write_text("x")
    with pytest.raises(GraderError, match=r"no submissions|neither a folder|there is no .*absent: expected a folder"):
        course.run(what)


def test_one_students_folder_is_no_class(course):
    folder = course.hand_in("ada", RIGHT)
    shutil.copy(folder / "T1.py", folder / "t1.ipynb")
    with pytest.raises(GraderError, match=r"looks like one submission \(T1.py, t1.ipynb\): name the folder above it"):
        course.run("class/ada")


@pytest.mark.slow
def test_the_summary_names_who_submitted_nothing_and_counts_copies(course):
    for name in ("a", "b", "c"):
        course.hand_in(name, RIGHT)
    (course.root / "roster.csv").write_text("name,course\na,101\nb,101\nc,102\nD,102\n小明,101\n")
    done = subprocess.run(command(course, "--roster", course.root / "roster.csv"), cwd=ROOT, capture_output=True, text=True)
    assert "nothing submitted: D, 小明\n" in done.stdout, done.stderr
    assert re.search("1 graded now[^,]*, [^,]*, 2 with the same files as one of these, 0 known before", done.stdout)
    assert "2 people of the roster submitted nothing" in (course.root / "out" / "index.html").read_text()
    again = subprocess.run(command(course, "--quiet"), cwd=ROOT, capture_output=True, text=True)
    assert "0 graded now, 3 known before" in again.stdout


@pytest.mark.slow
def test_cached_results_are_not_recomputed_and_give_the_same_bytes(course):
    for name in "abc":
        course.hand_in(name, RIGHT + f"\n# {name}")
    first = course.run(), course.bytes()
    second = course.run(), course.bytes()
    assert (first[0].ran, second[0].ran) == (3, 0) and first[1] == second[1]
    course.hand_in("b", WRONG)
    third = course.run()
    assert third.ran == 1
    (change,) = third.changes
    assert change[:4] == ("b", "1.add", "4", "0")
    assert change[4].startswith("new submission: failed, add does not return the sum")


@pytest.mark.slow
def test_new_points_rerun_nothing_and_report_which_scores_moved(course):
    course.hand_in("a", RIGHT)
    course.run()
    rubric = course.folder / "rubric.toml"
    dearer = rubric.read_text().replace("points = 3", "points = 5").replace("[5, 0]", "[7, 0]")
    rubric.write_text(dearer.replace("102 = [7, 0]", "102 = [9, 0]"))
    summary = course.run()
    assert (summary.ran, course.rows()[0]["Total Score"]) == (0, "9")
    assert [change[:5] for change in summary.changes] == [("a", "1.mean", "3", "5", "the item's points changed")]
    assert course.rows("moved.csv")[0]["Why"] == "the item's points changed"


@pytest.mark.slow
def test_a_new_test_reruns_everything_and_reports_why_a_score_moved(course):
    course.hand_in("a", RIGHT)
    course.run()
    test = course.folder / "questions" / "1.add.py"
    test.write_text(test.read_text().replace("!= case.expected", "!= case.expected + 1"))
    summary = course.run()
    assert (summary.ran, course.rows()[0]["1.add"]) == (1, "0")
    why = "regraded: failed, add does not return the sum (before: passed, correct)"
    assert [change[:5] for change in summary.changes] == [("a", "1.add", "4", "0", why)]


@pytest.mark.slow
def test_a_hang_delays_no_other_submission(course, monkeypatch):
    for index in range(4):
        course.hand_in(f"a{index}", HANG + f"# {index}\n")
    for index in range(20):
        course.hand_in(f"b{index}", RIGHT + f"\n# {index}")
    others_done, graded = course.root / "the others are done", process_pool.verdicts_text

    def hanging(grader, reader):
        given_up = time.monotonic() + 900
        while b"while True" in reader.contents.files[0].content() and not others_done.exists():
            if time.monotonic() > given_up:
                raise RuntimeError("the others wait for those that hang")
            time.sleep(0.05)
        return graded(grader, reader)

    def progress(done, total, ran, lost):
        if done == 20:
            others_done.touch()

    monkeypatch.setattr(process_pool, "verdicts_text", hanging)
    summary = course.run(progress=progress)
    assert len(course.rows()) == 24 and not summary.problems
    assert {r["1.add"] for r in course.rows()} == {"0", "4"}


@pytest.mark.slow
def test_the_number_of_jobs_changes_nothing(course):
    kinds = [RIGHT, WRONG, "x = 1", "def add(a, b):\n    import os\n    os._exit(3)\n"]
    for index in range(12):
        course.hand_in(f"s{index}", kinds[index % 4] + f"\n# {index}")
    course.run(jobs=1)
    alone = course.bytes()
    shutil.rmtree(course.root / "out")
    course.run(jobs=5)
    assert course.bytes() == alone


@pytest.mark.parametrize("starts", [True, False])
def test_what_a_section_imports_is_imported_once_for_a_class(course, monkeypatch, starts):
    rubric, log = course.folder / "rubric.toml", course.root / "branches"
    new_branch, was_off = ZygoteClient._new_branch, Branch._off
    rubric.write_text(re.sub(r"(\[\[section\]\]\n)", r'\1preload = ["decimal"]\n', rubric.read_text(), count=1))
    fresh_references(course.folder, course.folder / "solutions", course.root / "build")

    def logged(self, extra):
        with log.open("a") as file:
            print(os.getpid(), *extra.preload, file=file)
        return new_branch(self, extra)

    for index in range(12):
        course.hand_in(f"s{index:02}", RIGHT + f"\n# {index}")

    def off(self):
        if self.extra.preload and not starts:
            raise NotStarted("no memory is left.")
        return was_off(self)

    monkeypatch.setattr(ZygoteClient, "_new_branch", logged)
    monkeypatch.setattr(Branch, "_off", off)
    summary = course.run(jobs=3)
    if starts:
        assert [line.split()[0] for line in log.read_text().splitlines() if "decimal" in line] == [str(os.getpid())]
        assert [row["Total Score"] for row in course.rows()] == ["7"] * 12
    else:
        assert {name for name, why in summary.problems if why.startswith("not graded")} == {f"s{n:02}" for n in range(12)}


def test_a_grader_that_dies_on_a_submission_costs_only_that_one_and_retries_it_next_time(course, monkeypatch):
    for name in "abc":
        course.hand_in(name, RIGHT + f"\n# {name}")
    graded = process_pool.verdicts_text

    def dying(grader, reader):
        if b"# b" in reader.contents.files[0].content():
            os.kill(os.getpid(), signal.SIGKILL)
        if b"# c" in reader.contents.files[0].content():
            raise RuntimeError("a bug of ours")
        return graded(grader, reader)

    monkeypatch.setattr(process_pool, "verdicts_text", dying)
    summary = course.run()
    assert dict(summary.problems) == {
        "b": "not graded: the grading process ended (signal 9), 2 times",
        "c": "not graded: internal error, RuntimeError: a bug of ours",
    }
    assert [row["Total Score"] for row in course.rows()] == ["7", "", ""]
    monkeypatch.undo()
    assert course.run().ran == 2 and [row["Total Score"] for row in course.rows()] == ["7", "7", "7"]


@pytest.mark.slow
def test_a_broken_test_of_ours_never_gives_a_zero(course):
    course.hand_in("a", RIGHT)
    test = course.folder / "questions" / "1.add.py"
    text = test.read_text()
    test.write_text(text.replace("for case in", "nonsense\n    for case in"))
    summary = course.run()
    assert summary.problems == [("a", "not graded: 1.add did not run")]
    assert (course.rows()[0]["1.add"], course.rows()[0]["1.mean"], course.rows()[0]["Total Score"]) == ("", "3", "")
    test.write_text(text)
    assert course.run().problems == [] and course.rows()[0]["Total Score"] == "7"


# ---- the command, and what kills it ----


@pytest.mark.slow
def test_the_command_reports_what_happened_and_exits_1_if_some_were_not_graded(course):
    course.hand_in("a", RIGHT)
    done = subprocess.run(command(course), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "1 submission: 1 graded now" in done.stdout, done.stderr
    course.hand_in("b", None)
    done = subprocess.run(command(course, "--quiet"), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "b: not graded: nothing to grade" in done.stdout
    shutil.rmtree(course.root / "class")
    done = subprocess.run(command(course), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.strip().split("\n")) == 1


@pytest.mark.slow
def test_a_full_disk_is_a_one_line_error_and_stored_results_survive(course):
    for index in range(40):
        course.hand_in(f"s{index}", RIGHT + f"\n# {index}" + "\n# " + "x" * 100)

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (96 << 10, 96 << 10))

    done = subprocess.run(command(course), cwd=ROOT, capture_output=True, text=True, preexec_fn=small_files)
    assert done.returncode == 2 and len(done.stderr.strip().split("\n")) == 1, done.stderr
    assert "are safe" in done.stderr and "Run the same command again" in done.stderr.replace("run", "Run")
    again = subprocess.run(command(course), cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 0 and " 0 known before" not in again.stdout and len(course.rows()) == 40, again.stdout


@pytest.mark.slow
def test_a_batch_killed_at_any_moment_resumes_and_gives_the_same_bytes(course):
    kill_at_random(course, 1, seed=1)


@pytest.mark.slow
def test_ctrl_c_explains_how_to_resume(course, monkeypatch):
    for index in range(6):
        course.hand_in(f"s{index}", RIGHT + f"\n# {index}")

    def interrupted(done, total, ran, lost):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(GraderError, match="of 6 are safe"):
        course.run(progress=interrupted)
    assert course.run().ran < 6


def test_the_summary_counts(course):
    course.hand_in("a", RIGHT)
    summary = course.run()
    assert (summary.submissions, summary.ran, summary.problems, summary.changes) == (1, 1, [], [])
    assert grade_class.STORE in os.listdir(course.root / "out")


LONG = """
def add(a, b):
    total = 0
    for part in (a, b):
        if part > 0:
            for _ in range(part):
                total = total + 1
        else:
            while part < 0:
                part = part + 1
                total = total - 1
    return total if total != 0 else 0


def mean(xs):
    return sum(xs) / len(xs)
"""
OWN = """
def add(first, second):
    return sum([first, second])


def mean(numbers):
    count, whole = len(numbers), 0.0
    while numbers:
        head, *numbers = numbers
        whole += head
    assert count, "an average of nothing"
    return whole / count
"""


@pytest.mark.slow
def test_a_copy_with_other_names_and_comments_is_listed_and_the_starter_is_not(course):
    pytest.importorskip("copydetect")
    from autograder.batch.roster import read_roster
    from autograder.batch.similarity import look_alike, read_alike, write_alike

    starter = course.hand_in("starter", RIGHT, "given")
    course.hand_in("author", LONG)
    course.hand_in("copier", LONG.replace("total", "s").replace("part", "p").replace("    return", "    # mine\n    return"))
    course.hand_in("another", OWN)
    for name in "abc":
        course.hand_in(name, RIGHT)
    course.hand_in("broken", b"\xff\xfe")
    assignment = load_assignment(course.folder)
    found = look_alike(assignment, read_roster(course.root / "class", None, assignment.courses), starter, lambda *_: None)
    assert [(p["one"], p["other"]) for p in found] == [("author", "copier")] and found[0]["share"] > 0.9
    write_alike(course.root / "out", found)
    assert read_alike(course.root / "out") == found
    course.run()
    assert "look alike" in (course.root / "out" / "index.html").read_text()


def test_a_zip_bomb_and_a_hostile_archive_cost_their_own_submission(course):
    import io
    import zipfile

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("T1.py", b"#" * (60 << 20))
    unsafe = io.BytesIO()
    with zipfile.ZipFile(unsafe, "w") as archive:
        archive.writestr("../../T1.py", RIGHT)
    (course.root / "class").mkdir()
    (course.root / "class" / "bomb.zip").write_bytes(bomb.getvalue())
    (course.root / "class" / "unsafe.zip").write_bytes(unsafe.getvalue())
    course.hand_in("good", RIGHT)
    course.run()
    bomb = "not graded: nothing to grade; T1.py in bomb.zip is 60 MB, over the limit"
    assert course.row(Name="bomb")["Status"].startswith(bomb)
    assert "unsafe name" in course.row(Name="unsafe")["Status"] and course.row(Name="good")["Total Score"] == "7"
    assert not (course.root / "T1.py").exists()


def test_what_could_not_be_read_is_not_called_not_submitted(tmp_path):
    assignment = load_assignment(ROOT / "assignment")
    why = "A2S1.ipynb is not valid JSON, so it is not a notebook; save or download it again"
    reasons = {"A2S1": why, "A2S3": "no file for it"}
    found = {id: (MISSING, reason) for id, reason in reasons.items()}
    verdicts = [Verdict(q, *found.get(q.section.id, (PASSED, ""))) for q in assignment.questions]
    sheet = Sheet("ada", [], verdicts, notes=[why])
    assert sheet.status() == f"graded; not submitted: A2S3; not read: A2S1 ({why})"
    page = Page(assignment, {"says": {}, "teach": {}, "concepts": {}})
    page.add(sheet, "517")
    page.add(Sheet("bo", [], [Verdict(q, PASSED) for q in assignment.questions]), "517")
    page.write(tmp_path)
    assert ">not submitted: A2S3; not read: A2S1</td>" in (tmp_path / "index.html").read_text()
    assert Sheet("ada", [], [v for v in verdicts if v.status == PASSED]).status() == "graded"


@pytest.mark.slow
def test_an_export_without_its_metadata_is_said_to_lack_it(course):
    course.hand_in("submission_1001", RIGHT)
    said = []
    course.run(say=said.append)
    assert said[0].startswith("submission_metadata.yml is missing")
    course.metadata(":submission_1001:\n  :submitters:\n  - :name: Ada\n    :email: a@u.edu\n")
    del said[:]
    course.run(say=said.append, output="again")
    assert not any("is missing" in line for line in said)


def test_another_seed_than_last_time_is_said_before_everything_is_graded_anew(course, monkeypatch):
    said = []
    course.hand_in("a", RIGHT)
    course.run(say=said.append)
    course.run(say=said.append)
    assert not any("seed" in line for line in said)
    monkeypatch.setenv("AUTOGRADER_SEED", "a new shell's")
    references = course.root / "build" / REFERENCES
    before = references.read_bytes()
    with pytest.raises(GraderError, match=r"was drawn from another seed than AUTOGRADER_SEED: give the former one, or delete"):
        course.run(say=said.append)
    assert references.read_bytes() == before
    references.unlink()
    assert course.run(say=said.append).ran == 1
    assert [line for line in said if "drawn from another seed" in line]
    said.clear()
    assert course.run(say=said.append).ran == 0
    assert not any("seed" in line for line in said)


def test_references_without_a_seed_are_said_to_be_that_and_no_seed_is_made_up(course, monkeypatch):
    monkeypatch.delenv("AUTOGRADER_SEED", raising=False)
    (course.root / ".seed").unlink(missing_ok=True)
    course.hand_in("a", RIGHT)
    for _ in range(2):
        with pytest.raises(
            GraderError, match=r"is there without its seed \(AUTOGRADER_SEED is not set, and there is no .*\.seed\)"
        ):
            course.run()
        assert not (course.root / ".seed").exists()
