"""Grading one submission, and whether it is safe to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from autograder.cli.project import Project, graded_with
from autograder.core.errors import GraderError

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("path", type=PATH)
@click.option("--course", help="Which course's points count (default: the archive's, or the last one of the rubric).")
@click.option(
    "--archive", type=PATH, help="Grade with this archive: its assignment, its references. No other folder is needed."
)
@click.option("--output", type=PATH, help="Where to write results.json (default: build/results.json).")
@click.option("--quiet", is_flag=True, help="Write the file, print no table.")
@click.pass_obj
def grade(project: Project, path: Path, course: str | None, archive: Path | None, output: Path | None, quiet: bool) -> None:
    """Grade one submission: a .ipynb, a .py, a folder or a zip."""
    from autograder.judging.run import run_grading

    output = output or project.build / "results.json"
    handed_in, written = Path(os.path.realpath(path)), Path(os.path.realpath(output))
    if written == handed_in or handed_in in written.parents:
        raise GraderError(f"{output} lies in what was handed in, which nobody writes into: choose another --output")
    with graded_with(project, archive, course) as (assignment, references, chosen):
        tree = run_grading(assignment, references, path, chosen, output)
    if not quiet:
        from autograder.cli.terminal import print_table

        print_table(tree)
        click.echo(f"results: {output}")


@click.command()
@click.pass_obj
def doctor(project: Project) -> None:
    """Print the cage's layers and what each probe found; exits 1 if hidden references would be within reach."""
    import tempfile

    from autograder.cli.terminal import print_diagnosis
    from autograder.core.assignment import Limits
    from autograder.sandbox.judge_side.doctor import examine
    from autograder.sandbox.judge_side.zygote_client import ZygoteClient

    here = (project.assignment / "rubric.toml").exists()
    assignment = project.load() if here else None
    limits, preload = (assignment.limits, assignment.preload) if assignment else (Limits(), ())
    scratch = any(section.scratch for section in assignment.sections) if assignment else True
    # Where references lie: in the build folder of an assignment; anywhere, without one.
    with ZygoteClient(preload) as zygote, tempfile.TemporaryDirectory() as place:
        beside = project.build if here else Path(place)
        beside.mkdir(parents=True, exist_ok=True)
        diagnosis = examine(zygote, limits, beside, scratch)
    print_diagnosis(diagnosis)
    sys.exit(0 if diagnosis.safe else 1)


COMMANDS = (grade, doctor)
