"""The notebook's ``check`` from the grader's public set, and names as a notebook has them."""

from __future__ import annotations

import linecache
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograder.authoring.student_tree import about_questions
from autograder.checks import local_tests
from autograder.checks.cells import LocalCheck
from autograder.checks.local_tests import marked


@pytest.fixture
def check(grader, monkeypatch):
    """The notebook's ``check``, from the grader's public set."""

    def load_tests(id):
        source = grader.assignment.test_source(grader.assignment.question(id)).replace("from otter.test_files import", "#")
        environment = {"test_case": lambda *_, **__: marked}
        exec(source, environment)
        return [value for value in environment.values() if getattr(value, "is_test", False)]

    monkeypatch.setattr(local_tests, "load_tests", load_tests)
    public = grader.references["public"]
    bank = {id: {name: {"own": groups["own"]} for name, groups in known.items()} for id, known in public["bank"].items()}
    about = about_questions(grader.assignment)
    return LocalCheck(
        public["cases"],
        grader.tests.rules,
        bank=bank,
        says=grader.references["says"],
        worlds=public["worlds"],
        parameters=public["parameters"],
        show_right_results=True,
        **about,
    )


def cell(code: str, names: dict) -> dict:
    """Run a cell as a notebook does: its lines can be quoted."""
    file = f"<cell {abs(hash(code))}>"
    linecache.cache[file] = len(code), None, code.splitlines(keepends=True), file
    exec(compile(code, file, "exec"), names)
    return names


def notebook(*codes: str) -> dict:
    """The names of a notebook in which these cells have run."""
    names = {"torch": torch, "nn": torch.nn, "F": F, "math": math, "np": np}
    for code in codes:
        cell(code, names)
    return names
