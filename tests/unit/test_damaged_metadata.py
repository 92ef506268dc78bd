"""An export whose metadata is damaged is refused with the true reason; without any, that is asked before all else."""

import pytest

from autograder.batch.metadata import METADATA
from autograder.batch.roster import before_grading, read_roster
from autograder.core.errors import GraderError

COURSES = ("447", "517")
RECORD = "submission_{0}:\n  :submitters:\n  - :name: Zoë {0}\n    :email: p{0}@u.edu\n    :sid: '{0}'\n"
WHOLE = "---\n" + RECORD.format(1) + RECORD.format(2)


@pytest.fixture
def read(tmp_path):
    def read(data, names=("submission_1", "submission_2"), roster="Email,Section,Role\np1@u.edu,447,\np2@u.edu,517,\n"):
        for name in names:
            (tmp_path / "export" / name).mkdir(parents=True, exist_ok=True)
        if data is not None:
            (tmp_path / "export" / METADATA).write_bytes(data)
        (tmp_path / "roster.csv").write_text(roster)
        return read_roster(tmp_path / "export", tmp_path / "roster.csv", COURSES)

    return read


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_metadata_is_read_in_whatever_coding_a_program_saved_it(read, coding):
    roster = read(WHOLE.encode(coding))
    assert [(p.name, p.course) for e in roster.entries for p in e.people] == [("Zoë 1", "447"), ("Zoë 2", "517")]
    assert not roster.notes and not before_grading(roster, COURSES, "517")


@pytest.mark.parametrize(
    "text, why",
    [
        (WHOLE[: WHOLE.rindex("'") - 1], "line 11"),
        (WHOLE + RECORD.format(1), "submission_1 occurs twice"),
        ("", "it is empty"),
        ("---\n", "it is empty"),
        ("garbage", "it is not a mapping"),
        ("\0\1\2" * 50, "control characters"),
        ("- a\n- b\n", "it is not a mapping"),
    ],
)
def test_metadata_that_cannot_be_read_beside_an_exports_folders_is_refused_with_the_reason(read, text, why):
    with pytest.raises(GraderError, match=f"^{METADATA}, by which Gradescope .* could not be read \\(.*({why})"):
        read(text.encode())


def test_beside_other_folders_it_costs_the_names_only(read):
    roster = read(b"garbage", ("ada", "bo"), "Name,Section,Role\nada,447,\nbo,517,\n")
    assert [p.course for e in roster.entries for p in e.people] == ["447", "517"]
    assert roster.notes[0].startswith(f"{METADATA} could not be read (it is not a mapping)")


def test_what_is_missing_is_asked_first_and_the_roster_is_not_blamed(read):
    roster = read(None)
    said = before_grading(roster, COURSES, "517")
    assert said[0].startswith(f"{METADATA} is missing") and said[0].count("?") == 1
    assert not any("is it this class's" in line for line in said)
    assert {one.missing for one in roster.absent} == {METADATA}, "nobody knows who submitted nothing"


def test_a_record_that_is_missing_is_asked_about_before_anything_is_graded(read):
    said = before_grading(read(f"---\n{RECORD.format(1)}".encode()), COURSES, "517")
    assert said[0].startswith(f"{METADATA} has no address and no SID for submission_2: is it cut off?")


def test_the_folder_above_an_export_is_no_class_of_one(read, tmp_path):
    read(WHOLE.encode())
    with pytest.raises(GraderError, match=r"holds one folder, export, which is an export of a class: name that folder$"):
        read_roster(tmp_path, None, COURSES)
    (tmp_path / "ada").mkdir()
    roster = read_roster(tmp_path, None, COURSES)
    assert [entry.id for entry in roster.entries] == ["ada", "export"]
    assert any("if it is an export's, grade that folder itself" in note for note in roster.notes)
