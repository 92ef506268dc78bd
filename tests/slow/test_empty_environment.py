"""The wheel in an empty environment."""

import subprocess

from support.project import ROOT
from support.wheels import environment, works


def test_the_wheel_brings_all_it_needs_into_an_empty_environment(wheel, example_archive, tmp_path):
    programs = environment(tmp_path / "venv", wheel, "-c", str(ROOT / "constraints.txt"))
    (tmp_path / "empty").mkdir()
    works(programs, example_archive, tmp_path / "empty")
    listed = subprocess.run(
        [programs / "python", "-c", "import importlib.util as u; print(u.find_spec('torch'))"], capture_output=True, text=True
    )
    assert listed.stdout.strip() == "None", "the engine itself needs no torch"
