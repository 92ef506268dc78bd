"""Answers are found however their numbers are written and in whatever order the chapters are."""

from __future__ import annotations

import itertools
import re

import pytest

from support.pdfs import ANSWER, WHOLE, chapters, heading_of, seen, without


def relabelled(style):
    return [
        style(line) if line[:1] in "123Q" and line.split()[0].count(".") >= 1 and line != ANSWER else line for line in WHOLE
    ]


@pytest.mark.parametrize(
    "style",
    [
        lambda line: line.split()[0] + ".",
        lambda line: f"Question {line}",
        lambda line: f"({line.split()[0]}) ",
        lambda line: f"Answer to {line.split()[0]}:",
        lambda line: f"§{line}",
        lambda line: line.replace("Q", "Q "),
        lambda line: line.replace("Q", "Question "),
        lambda line: line.replace("Q", "Problem "),
        lambda line: line.replace("Q", "3."),
        lambda line: line.replace("Q", "3.Q"),
        lambda line: line.replace(".", "-"),
        lambda line: re.sub(r"\.(\d) ", lambda m: f"({'abcdefg'[int(m[1]) - 1]}) ", line),
        lambda line: re.sub(r"\.(\d) ", lambda m: f".{'abcdefg'[int(m[1]) - 1]} ", line),
        lambda line: f"4.1 {line}",
        lambda line: f"### {line}",
    ],
)
def test_questions_may_be_numbered_in_many_ways(style):
    assert not seen(relabelled(style)).missing


@pytest.mark.parametrize("numbers", ["1. 2. 3.", "(a) (b) (c)", "a. b. c.", "i) ii) iii)", "Question-1 Question-2 Question-3"])
def test_lists_under_the_parts_headings_are_understood_and_gaps_are_noticed(numbers):
    a, b, c = numbers.replace("-", " ").split() if "-" not in numbers else [x.replace("-", " ") for x in numbers.split()]
    lines = [
        *WHOLE[:5],
        "1 Understanding Attentions",
        *(
            x
            for part in ("1.2 Selection", "1.3 Averaging", "1.4 Interactions")
            for x in (part, *(y for n in (a, b, c) for y in (f"{n} Some title", ANSWER)))
        ),
        *WHOLE[WHOLE.index("\f", 6) :],
    ]
    assert not seen(lines, "517").missing
    gone = lines.index(f"{c} Some title")
    assert [line[:33] for line in seen([*lines[:gone], *lines[gone + 2 :]], "517").missing] == [
        "no heading was found for 1.2.3: s"
    ]


def test_questions_of_a_list_under_q1_to_q5_are_understood():
    lines = []
    for line in WHOLE:
        group = re.match(r"Q(\d)\.(\d) ", line)
        lines += (
            [*([f"Question {group[1]}"] if group[2] == "1" else []), f"({'abcdefg'[int(group[2]) - 1]})"] if group else [line]
        )
    assert not seen(lines).missing


def test_a_missing_question_is_reported_with_an_example_of_its_heading():
    assert "with its number, as in “Q2.3”" in seen(without(heading_of("Q2.3"))).missing[0]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_chapters_may_be_in_any_order(order):
    before, texts = chapters()
    lines = [*before, *(x for n in order for x in ("\f", *texts[n]))]
    report = seen(lines)
    assert not report.missing and "all 28 headings have an answer" in report.good[0]
    assert "no heading was found for 1.3.1, Q3.2:" in seen([x for x in lines if not x.startswith(("1.3.1", "Q3.2"))]).missing[0]


def test_a_line_that_only_looks_like_a_heading_costs_no_other_answer():
    at = WHOLE.index("1.2.3 What is selecting good for?")
    lines = [*WHOLE[: at + 1], "As in", "1.3.3 one can see that", "1.2.1 and others do the same", *WHOLE[at + 1 :]]
    assert not seen(lines).missing


@pytest.mark.parametrize("style", ["{} . . . . . . . . . {}", "{} {}", "{}"])
@pytest.mark.parametrize("wanted", ["123Q§SRI", "§"])
def test_a_table_of_contents_answers_nothing(style, wanted):
    contents = [style.format(line, n) for n, line in enumerate(WHOLE[4:]) if line[:1] in wanted and not line.startswith("A")]
    report = seen([*WHOLE[:4], "Contents", *contents, *WHOLE[4:]])
    assert not report.missing and "there is a statement about collaborators at the beginning" in report.good
