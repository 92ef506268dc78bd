"""A mistake in rubric.toml or course.toml is refused with its place and the nearest name."""

import re
import shutil
from dataclasses import replace

import pytest

from autograder.authoring import release
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.written.render import render_handout
from support.project import ROOT

RUBRIC = [
    ("points = 3", "points = -3", "question 1.mean: points should not be negative"),
    ("points = 3", "points = nan", "question 1.mean: points should be a number"),
    ("points = 3", "points = 1" + "0" * 400, "question 1.mean: points should be a number"),
    ('courses = ["101"]', 'courses = ["101", "101"]', "course 101 occurs twice"),
    ('courses = ["101"]', 'courses = ["a/b"]', "courses should name at least one"),
    ('courses = ["101"]', 'courses = ["101"]\nchecks_package = "../x"', "checks_package '../x' should be a Python name"),
    ('["1.add"]', '["1.mean"]', "question 1.mean: it cannot be its own prerequisite"),
    ('names = ["add"]', 'names = ["a d"]', "question 1.add: names is empty or contains an invalid Python name"),
    ("[totals]", "[limits]\ncall_seconds = 0\n\n[totals]", "[limits]: call_seconds should be more than 0"),
    ("[assignment]", 'limits = "x"\n\n[assignment]', "limits should be written as [limits]"),
    (
        "file_pattern = 't1'",
        "file_pattern = 't1'\nprelude = '../given.py'",
        "prelude ../given.py lies outside the assignment's folder",
    ),
    ("file_pattern = 't1'", "file_pattern = 't1'\nprelude = 5", "section T1: prelude should be a text"),
    (
        "file_pattern = 't1'",
        "file_pattern = 't1'\nprelude_file = 'x'",
        "section T1: unknown key 'prelude_file'; did you mean 'prelude'?",
    ),
    (
        'prerequisites = ["1.add"]',
        'prerequisits = ["1.add"]',
        "question 1.mean: unknown key 'prerequisits'; did you mean 'prerequisites'?",
    ),
    ('names = ["mean"]', 'names = ["mean"]\nvalu = true', "question 1.mean: unknown key 'valu'; did you mean 'value'?"),
    ('title = "Counting"', 'title = "Counting"\nscrach = true', "section T1: unknown key 'scrach'; did you mean 'scratch'?"),
    ('["1.add"]', '["1.ad"]', "question 1.mean: no prerequisite '1.ad'; did you mean '1.add'?"),
    ('["1.add"]', '["1.men"]', "question 1.mean: no prerequisite '1.men'; known are 1.add"),
    ("points = 3", "points = 3\npoint = 3", "question 1.mean: unknown key 'point'; known are "),
    ("file_pattern = 't1'", "file_pattern = 't1'\nprelude_fil = 'x'", "unknown key 'prelude_fil'; did you mean 'prelude'?"),
    ('names = ["mean"]', 'names = ["mean"]\ncontext = ["men"]', "question 1.mean: no name 'men'; known are add"),
    ('names = ["mean"]', 'names = ["mean"]\nprobe = "main"', "question 1.mean: probe 'main', but section T1 has no probes"),
    ("points = 3\n", "", "question 1.mean: the key 'points' is missing"),
    ('title = "mean"\n', "", "question 1.mean: the key 'title' is missing"),
    ("points = 3", 'points = "3"', "question 1.mean: points should be a number, not"),
    ("points = 3", "points = { 102 = 3 }", "question 1.mean: points: no course '102'"),
    ("points = 3", "points = 3\nextra_credit = ['1O1']", "question 1.mean: no course '1O1'; did you mean '101'?"),
    ('section = "T1"', 'section = "T2"', "question 1.add: no section 'T2'; known are T1"),
    ('id = "1.mean"', 'id = "1.add"', "question 1.add occurs twice"),
    ('id = "1.mean"', 'id = "1.media"', "question 1.media: its test file, questions/1.media.py, is missing"),
    (
        'id = "1.mean"',
        'id = "1.mean"\nsentence = "It is the mean."',
        "it has both a sentence and a test file, questions/1.mean.py",
    ),
    ("file_pattern = 't1'", "file_pattern = '(t1'", "section T1: file_pattern is not a regular expression"),
    ("file_pattern = 't1'", "file_pattern = 't1'\nprelude = 'given.py'", "section T1: prelude given.py cannot be read"),
    ("[totals]", "[total]", "no table 'total'; did you mean 'totals'?"),
    ("[totals]", "[limits]\ncall_second = 3\n\n[totals]", "[limits]: unknown key 'call_second'; did you mean 'call_seconds'?"),
    ("[totals]", "[limits]\ncall_seconds = 'ten'\n\n[totals]", "[limits]: call_seconds should be a number"),
    ("101 = [5, 0]", "101 = [6, 0]", "the items of course 101 sum to 5, [totals] says 6"),
    ('courses = ["101"]', 'course = ["101"]', "[assignment]: no key 'course'; did you mean 'courses'?"),
    ("[assignment]", "[assignment", "is not valid TOML"),
    ('names = ["add"]', "names = []", "question 1.add: names is empty"),
    ('names = ["add"]', 'names = "add"', "question 1.add: names should be a list"),
    ('names = ["mean"]', 'names = ["mean"]\ncontext = ["ad"]', "question 1.mean: no name 'ad'; did you mean 'add'?"),
]


@pytest.mark.parametrize("old, new, says", RUBRIC)
def test_a_slip_in_the_rubric_is_refused_with_its_place_and_the_nearest_name(toy, old, new, says):
    rubric = toy / "assignment" / "rubric.toml"
    assert old in rubric.read_text()
    rubric.write_text(rubric.read_text().replace(old, new, 1))
    with pytest.raises(GraderError) as refusal:
        load_assignment(toy / "assignment")
    assert says in str(refusal.value) and "rubric.toml" in str(refusal.value) and "\n" not in str(refusal.value)


def test_nothing_is_suggested_that_is_there_already(toy):
    rubric = toy / "assignment" / "rubric.toml"
    rubric.write_text(rubric.read_text().replace('["1.add"]', '["1.add", "1.ad"]'))
    with pytest.raises(GraderError, match=r"no prerequisite '1.ad'$"):
        load_assignment(toy / "assignment")


def test_a_probe_that_does_not_exist_is_refused(tmp_path):
    shutil.copytree(ROOT / "assignment", tmp_path / "a", ignore=shutil.ignore_patterns("__pycache__"))
    rubric = tmp_path / "a" / "rubric.toml"
    rubric.write_text(rubric.read_text().replace('probe = "data.collate"', 'probe = "data.colate"'))
    message = "question 3.collate: probe: no function in probes/data.py 'colate'; did you mean 'collate'?"
    with pytest.raises(GraderError, match=re.escape(message)):
        load_assignment(tmp_path / "a")


def test_a_slip_in_course_toml_is_refused_with_the_nearest_name(tmp_path):
    assignment = load_assignment(ROOT / "assignment")
    facts = (ROOT / "assignment" / "course.toml").read_text()
    for old, new, says in (
        ("due =", "deu =", "course.toml: unknown key 'deu', which README.student.md does not use; did you mean 'due'?"),
        ("site =", "sight =", "unknown key 'sight'"),
        ("[links]", "[lnks]", "unknown key 'lnks'"),
    ):
        assert old in facts
        (tmp_path / "course.toml").write_text(facts.replace(old, new, 1))
        with pytest.raises(GraderError) as refusal:
            render_handout(assignment, ROOT / "solutions" / "README.student.md", tmp_path / "course.toml")
        assert says in str(refusal.value)


@pytest.mark.parametrize(
    "facts, warned",
    [
        ('[links]\nquestions = ""\n', True),
        ('[links]\nsite = "https://u.edu"\nquestions = ""\n', True),
        ('[links]\nquestions = "https://u.edu/forum"\n', False),
        ('[links]\nsite = ""\n', False),  # this handout has no place for it
        ('links = "none"\n', False),
        ('term = "This term"\n', False),
        ("", False),
        (None, False),
    ],
)
def test_a_release_without_an_address_for_questions_says_so(tmp_path, facts, warned):
    if facts is not None:
        (tmp_path / "course.toml").write_text(facts)
    said = release.warnings(replace(load_assignment(ROOT / "assignment"), folder=tmp_path))
    told = "course.toml: `questions` in [links] is empty: students read 'tell the staff' and find no address; set it"
    assert said == [told] * warned


def test_the_rubrics_time_limit_holds_everywhere(toy):
    rubric = toy / "assignment" / "rubric.toml"
    assert load_assignment(toy / "assignment", default_seconds=3600).limits.total_seconds == 3600
    rubric.write_text(rubric.read_text() + "\n[limits]\ntotal_seconds = 77\n")
    assert load_assignment(toy / "assignment").limits.total_seconds == 77  # one submission
    assert load_assignment(toy / "assignment", default_seconds=3600).limits.total_seconds == 77  # a class
    assert load_assignment(toy / "assignment", default_seconds=540, at_most=540).limits.total_seconds == 77  # Gradescope
    assert (
        load_assignment(toy / "assignment", default_seconds=30, at_most=30).limits.total_seconds == 30
    )  # Gradescope, whose limit is shorter
