"""`batch` and `alike` leave what is there alone where a path is mistyped or names something else."""

import shutil

import pytest

from autograder.batch.roster import read_roster
from autograder.core.errors import GraderError
from support.toy import autograder
from support.toy_class import RIGHT, WRONG

EXPORT = "".join(
    f"submission_{n}:\n  :submitters:\n  - :name: {name}\n    :email: {name.lower()}@u.edu\n  :created_at: 2026-10-01 12:00 Z\n"
    for n, name in enumerate(["Ada", "Bo"])
)


@pytest.fixture
def graded(course):
    course.hand_in("submission_0", RIGHT)
    course.hand_in("submission_1", WRONG)
    course.metadata(EXPORT)
    course.run()
    return course


def alike(course, *more, folder="class"):
    return autograder("--assignment", course.folder, "alike", folder, "--output", "out", *more, cwd=course.root)


@pytest.mark.parametrize("where", [".", "out", "toy", "other"])
def test_another_folder_with_the_same_output_changes_nothing(graded, where):
    graded.hand_in("submission_77", RIGHT, "other")
    before = graded.bytes()
    with pytest.raises(
        GraderError, match=r"^nothing was changed: .*has nobody and no submission of the last run in .*submission_0"
    ):
        graded.run(source=where)
    assert graded.bytes() == before
    graded.run(source=where, output=f"../{graded.root.name}-elsewhere")  # beside what is graded, also where that is "."


def test_a_class_in_which_somebody_or_some_submission_is_the_same_takes_the_place(graded):
    graded.hand_in("submission_9", RIGHT, "again")
    (graded.root / "again" / "submission_metadata.yml").write_text(EXPORT.partition("submission_1")[0].replace("_0", "_9"))
    graded.run(source="again")
    assert [row["Submission ID"] for row in graded.rows()] == ["submission_9"]


def test_an_export_that_has_lost_its_metadata_does_not_take_the_names_out_of_a_gradebook(graded):
    (graded.root / "class" / "submission_metadata.yml").unlink()
    before = graded.bytes()
    with pytest.raises(GraderError, match=r"^nothing was changed: submission_metadata.yml is missing from .*gradebook.csv"):
        graded.run()
    assert graded.bytes() == before


@pytest.mark.parametrize("where, says", [("out", "nobody and no submission"), ("out/results", "no submissions in")])
def test_look_alikes_of_another_folder_change_nothing(graded, where, says):
    (graded.root / "out" / "alike.csv").write_text("mine")
    done = alike(graded, folder=where)
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1
    assert (graded.root / "out" / "alike.csv").read_text() == "mine"


def test_submissions_without_code_are_nothing_to_compare(course):
    pytest.importorskip("copydetect")
    course.hand_in("a", None)
    course.hand_in("b", "")
    done = alike(course)
    assert done.returncode == 2 and "none of 2 submissions has code of its own to compare" in done.stderr
    assert not (course.root / "out").exists()


def test_a_starter_that_is_not_there_is_refused_and_the_usual_one_is_missed(graded):
    done = alike(graded, "--starter", "strater")
    assert done.returncode == 2 and done.stderr == "autograder: --starter: there is no strater\n"
    pytest.importorskip("copydetect")
    done = alike(graded)
    assert "student, so what everyone was given counts, too" in done.stdout


def test_the_file_for_dolos_takes_the_place_of_nothing_but_itself(graded):
    pytest.importorskip("copydetect")
    root = graded.root
    (root / "roster.csv").write_text("email,course\nada@u.edu,101\nbo@u.edu,102\n")
    (root / "with.csv").write_text("email,with\nada@u.edu,bo@u.edu\n")
    (root / "link.csv").symlink_to("roster.csv")
    shutil.make_archive(str(root / "export"), "zip", root / "class")
    more = ["--roster", "roster.csv", "--together", "with.csv"]
    files = ["roster.csv", "with.csv", "link.csv", "export.zip", "out/gradebook.csv", "class", "class/new.zip", "out"]
    before = {name: (root / name).read_bytes() for name in files if (root / name).is_file()}
    for name in files:
        done = alike(graded, *more, "--dolos", name)
        assert done.returncode == 2 and done.stderr.startswith(f"autograder: --dolos: {name} "), (name, done)
        assert done.stderr.count("\n") == 1 and not (root / "class" / "new.zip").exists()
    assert before == {name: (root / name).read_bytes() for name in before}
    for _ in range(2):
        assert alike(graded, *more, "--dolos", "dolos.zip").returncode == 0


def test_the_roster_that_is_the_class_is_no_place_for_dolos(graded):
    (graded.root / "roster.csv").write_text("email,path\nada@u.edu,class/submission_0\n")
    assert read_roster(graded.root / "roster.csv", None, ("101", "102")).entries
    done = alike(graded, "--dolos", "roster.csv", folder="roster.csv")
    assert done.returncode == 2 and "is the submissions and would be overwritten" in done.stderr
