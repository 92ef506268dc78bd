"""``docker build .`` on a clone, with Docker's own daemon, started here if none runs, or else with the other tests' engine."""

import os
import subprocess

import pytest

from autograder.gradescope import image
from container.engines import CLONED, NAME, Image, build_clone, print_figures
from container.layers import search
from container.test_container import RIGHT
from support.project import ROOT


def test_docker_build_on_a_clone_makes_an_image_that_grades(cloned, graded_in, solutions, starter):
    tree, _, run = graded_in(cloned, "clone: the solutions", solutions)
    assert tree["score"] == 58 and "NOT HELD" not in run.stdout
    assert graded_in(cloned, "clone: the starter", starter)[0]["score"] == 0


def test_no_layer_holds_a_solution_the_bank_or_the_seed_but_the_baking_stage_does(cloned, sought, tmp_path):
    assert search(cloned, CLONED, tmp_path, sought) == []
    stage = f"{CLONED}-stage"
    build_clone(cloned, stage, "--target", "archive")  # from the builder's cache
    found = search(cloned, stage, tmp_path, sought)
    with cloned.reached() as engine:
        subprocess.run([*engine, "image", "rm", "-f", stage], capture_output=True)
    assert all(any(f"lines of {whose}" in leak for leak in found) for whose in ("solutions/", "the bank"))
    assert not [leak for leak in found if leak.startswith("project/.seed")]


def test_docker_builds_the_image_from_the_archive_too(cloned, docker, archive, graded_in):
    if docker is None:
        pytest.skip("NOT TRIED: Docker's own daemon")
    made = Image(f"{NAME}-docker", cloned.base, cloned.environment)
    with made.reached():
        made.seconds = image.build_image(archive, ROOT / "Dockerfile", made.name, made.base, os.environ.get("TORCH_INDEX"))
        print_figures(made)
    try:
        assert graded_in(made, "docker: sections 1, 2.1 and 3", RIGHT)[0]["score"] == 58
    finally:
        made.remove()
