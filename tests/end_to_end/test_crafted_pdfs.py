"""A PDF that loops, lies or unpacks to far more than it is costs seconds at most, and is read or refused by name."""

import resource

import pytest

from autograder.checks.writeup.pages import PROBLEMS, read_pdf
from autograder.judging.writeup import CAGED_PROGRAM
from support.crafted_pdfs import OTHERS, READABLE, SAYS

MOST_SECONDS = 10  # of processor time


def spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.many(of=4)
@pytest.mark.parametrize("name", READABLE)
def test_what_surrounds_a_page_does_not_hide_its_text(name):
    before = spent()
    tree = read_pdf(READABLE[name](), CAGED_PROGRAM)
    assert tree.get("pages") == 1 and SAYS in tree["text"][0], tree
    assert spent() - before < MOST_SECONDS


@pytest.mark.many(of=4)
@pytest.mark.parametrize("name", OTHERS)
def test_what_cannot_be_read_is_refused_by_name_and_costs_little(name):
    before = spent()
    tree = read_pdf(OTHERS[name](), CAGED_PROGRAM)
    assert tree.get("problem") in PROBLEMS or set(tree) == {"pages", "text", "lines"}, tree
    assert spent() - before < MOST_SECONDS
