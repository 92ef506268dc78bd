"""A record with somebody else's address, number or both: nobody of the roster is lost by it, and what is said of it is true."""

import pytest

from autograder.batch.metadata import METADATA
from autograder.batch.people import Person
from autograder.batch.roster import before_grading, read_roster

COURSES = ("447", "517")
A, B, C = ("Ann Fama", "a@u.edu", "10"), ("Bob Stone", "b@u.edu", "11"), ("Cy Tan", "c@u.edu", "12")
TIMES = ("2024-02-09 20:00:00 -08:00", "2024-02-09 21:00:00 -08:00", "2024-02-09 22:00:00 -08:00")


@pytest.fixture
def read(tmp_path):
    """Reads submission_0, … of these people with a roster of these, some with the number of the submission that is theirs."""

    def read(export, listed=(A, B, C), paths=()):
        lines = ["---"]
        for number, (name, email, sid) in enumerate(export):
            (tmp_path / "export" / f"submission_{number}").mkdir(parents=True, exist_ok=True)
            lines += [f"submission_{number}:", "  :submitters:", f"  - :name: {name}"]
            lines += [f"    :email: {email}"] * bool(email) + [f"    :sid: '{sid}'"] * bool(sid)
            lines += [f"  :created_at: {TIMES[number]}"]
        (tmp_path / "export" / METADATA).write_text("\n".join(lines))
        given = {who: f"export/submission_{number}" for who, number in dict(paths).items()}
        rows = [f"{n},{e},{s},{'447' if i % 2 else '517'},{given.get((n, e, s), '')}" for i, (n, e, s) in enumerate(listed)]
        (tmp_path / "roster.csv").write_text("\n".join(["Name,Email,SID,Course,Path", *rows]) + "\n")
        return read_roster(tmp_path / "export", tmp_path / "roster.csv" if listed else None, COURSES)

    return read


def settled(roster):
    """(submission, name, address, number) of everyone who gets its points."""
    return {(e.id[-1], p.name, p.email, p.sid) for e in roster.entries for p in e.people if not p.contested}


def unsettled(roster):
    return {(e.id[-1], p.name): p.contested for e in roster.entries for p in e.people if p.contested}


def lost(roster, listed=(A, B, C)):
    """People of the roster of whom nothing is said: neither graded, nor not settled, nor without a submission."""
    people = [p for e in roster.entries for p in e.people] + [one.person for one in roster.absent]
    told = " ".join(unsettled(roster).values())
    return [w for w in listed if not any(p.name == w[0] and p.keys & Person(*w).keys for p in people) and w[0] not in told]


ADDRESS, NUMBER, BOTH = (B[0], A[1], B[2]), (B[0], B[1], A[2]), (B[0], A[1], A[2])
ONLY_ADDRESS, SIBLING = (B[0], A[1], ""), ("Bob Fama", A[1], A[2])


@pytest.mark.parametrize("wrong", [ADDRESS, NUMBER, BOTH, ONLY_ADDRESS])
@pytest.mark.parametrize("turn", [False, True])
def test_a_record_with_somebody_elses_address_or_number_is_settled_by_paths_alone(read, wrong, turn):
    export = (wrong, A, C) if turn else (A, wrong, C)
    own, others = (1, 0) if turn else (0, 1)
    roster = read(export)
    assert settled(roster) == {("2", *C)} and not lost(roster)
    assert set(unsettled(roster)) == {(str(own), A[0]), (str(others), B[0])}
    half = read(export, paths=[(A, own)])
    assert {(str(own), *A), ("2", *C)} <= settled(half) and not lost(half)
    assert (str(others), B[0]) in unsettled(half)
    whole = read(export, paths=[(A, own), (B, others)])
    assert settled(whole) == {(str(own), *A), (str(others), *B), ("2", *C)}
    assert not unsettled(whole) and not whole.absent and not any("submitted twice" in note for note in whole.notes)


@pytest.mark.parametrize("wrong", [ADDRESS, NUMBER, BOTH, ONLY_ADDRESS])
def test_the_path_of_the_one_whose_record_is_wrong_settles_both_where_nothing_is_shared_any_more(read, wrong):
    roster = read((A, wrong, C), paths=[(B, 1)])
    assert settled(roster) == {("0", *A), ("1", *B), ("2", *C)} and not roster.absent


def test_two_people_with_one_number_in_both_files_are_told_of_and_settled_by_paths(read):
    same = (B[0], B[1], A[2])
    listed = (A, same, C)
    roster = read((A, same, C), listed)
    assert not lost(roster, listed)
    said = before_grading(roster, COURSES, "517") + roster.notes
    both = "Ann Fama <a@u.edu, 10> and Bob Stone <b@u.edu, 10> have the same SID"
    assert f"roster.csv, lines 2 and 3: {both}: whose is it?" in said
    assert not any(" in the roster and " in line or "of the export" in line for line in said), said
    half = read((A, same, C), listed, [(A, 0)])
    assert ("0", *A) in settled(half) and set(unsettled(half)) == {("1", B[0])} and not lost(half, listed)
    assert settled(read((A, same, C), listed, [(A, 0), (same, 1)])) == {("0", *A), ("1", *same), ("2", *C)}


@pytest.mark.parametrize("listed", [(), (A, B, C)])
@pytest.mark.parametrize("wrong", [BOTH, SIBLING])
def test_one_address_and_number_under_two_names_are_not_submitted_twice(read, listed, wrong):
    roster = read((A, wrong, C), listed)
    assert {number for number, _ in unsettled(roster)} == {"0", "1"} and not lost(roster, listed)
    assert not any("submitted twice" in note for note in roster.notes)
    why = unsettled(roster)["1", wrong[0]]
    assert A[0] in why and wrong[0] in why


@pytest.mark.parametrize("name", [A[0], "ann  FAMA", "Ann B. Fama", "Fama"])
def test_one_person_under_one_name_did_submit_twice(read, name):
    roster = read((A, (name, A[1], A[2]), C), ())
    assert {(e.id) for e in roster.entries} == {"submission_1", "submission_2"} and not unsettled(roster)
    assert any("submitted twice: submission_1 counts, submission_0 does not" in note for note in roster.notes)


@pytest.mark.parametrize("wrong", [BOTH, ONLY_ADDRESS, (B[0], "", A[2])])
def test_a_single_record_under_somebody_elses_name_is_asked_about(read, wrong):
    roster = read((wrong, C))
    assert settled(roster) == {("1", *C)} and not lost(roster)
    [why] = [one.why for one in roster.absent if one.person.name == B[0]]
    assert "submission_0" in why and not why.startswith("not submitted"), "finalise would take it for a zero"
    assert B[0] in unsettled(roster)["0", B[0]] and A[0] in unsettled(roster)["0", B[0]]
    assert any("submission_0" in line and line.endswith("?") for line in before_grading(roster, COURSES, "517"))
    assert ("0", *B) in settled(read((wrong, C), paths=[(B, 0)]))


def test_who_is_called_otherwise_in_the_roster_and_nobody_else_is_their_own(read):
    listed = (("Annie Fama", *A[1:]), ("罗伯特", *B[1:]), C)
    roster = read((A, B, C), listed)
    assert settled(roster) == {("0", *A), ("1", *B), ("2", *C)} and not before_grading(roster, COURSES, "517")


def test_a_number_of_somebody_who_submitted_nothing_loses_nobody(read):
    roster = read(((A[0], A[1], B[2]), C))
    assert not lost(roster) and ("0", A[0], A[1], B[2]) in settled(roster)
    [why] = [one.why for one in roster.absent]
    assert "submission_0" in why and not why.startswith("not submitted")


@pytest.mark.parametrize("same", [(B[0], B[1], A[2]), (B[0], A[1], B[2]), (B[0], A[1], A[2])])
@pytest.mark.parametrize("turn", [1, -1])
def test_two_of_the_roster_who_share_something_and_submitted_nothing_are_both_named(read, same, turn):
    listed = (A, same)[::turn]
    roster = read((C,), (*listed, C))
    assert [one.person.name for one in roster.absent] == [who[0] for who in listed]
    roster = read((C, A), (*listed, C), [(A, 1)])
    assert [one.person.name for one in roster.absent] == [B[0]] and ("1", *A) in settled(roster)


def test_who_a_row_with_somebody_elses_address_is_about_is_said_as_the_files_have_it(read):
    said = read((A, ADDRESS, C)).notes
    assert "roster.csv, line 2: Ann Fama <a@u.edu, 10> and Bob Stone <a@u.edu, 11> of submission_1 have one address" in said[0]
    assert not any("sid of" in line for line in said)
