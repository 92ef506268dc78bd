"""Commands to grade one submission and to check that the cage is safe."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from autograder.batch.outputs import EXPORTED
from autograder.cli.project import Project, graded_with
from autograder.core.errors import GraderError

PATH = click.Path(path_type=Path)


def refuse_class(path: Path) -> None:
    """Raise GraderError for the folder of a whole class, which would be graded as if one student had handed in all of it."""
    names = sorted(entry.name for entry in path.iterdir() if EXPORTED.fullmatch(entry.name)) if path.is_dir() else []
    if len(names) > 1:
        raise GraderError(f"{path} holds {len(names)} submissions: name one of them, such as {path / names[0]}, or use `batch`")


@click.command()
@click.argument("path", type=PATH)
@click.option("--course", help="Course whose points count (default: the archive's, or the last one of the rubric).")
@click.option(
    "--archive", type=PATH, help="Grade with the assignment and references in this archive; no other folder is needed."
)
@click.option("--output", type=PATH, help="File to write (default: build/results.json).")
@click.option("--quiet", is_flag=True, help="Write the file without printing a table.")
@click.option("--all-points", is_flag=True, help="Exit 1 unless it earns every point, as the solutions have to.")
@click.pass_obj
def grade(
    project: Project, path: Path, course: str | None, archive: Path | None, output: Path | None, quiet: bool, all_points: bool
) -> None:
    """Grade one submission: a .ipynb, a .py, a folder or a zip."""
    from autograder.judging.run import run_grading

    refuse_class(path)
    output = output or project.build / "results.json"
    submission, target = Path(os.path.realpath(path)), Path(os.path.realpath(output))
    if target == submission or submission in target.parents:
        raise GraderError(f"{output} is inside the submission, which must not change: choose another --output")
    with graded_with(project, archive, course) as (assignment, references, chosen):
        tree = run_grading(assignment, references, path, chosen, output)
    if not quiet:
        from autograder.cli.terminal import print_table

        print_table(tree)
        click.echo(f"results: {output}")
    if all_points and (lost := [test["number"] for test in tree["tests"] if test["score"] < test["max_score"]]):
        raise GraderError(f"{path} should earn every point, and lost some in {', '.join(lost)}")


@click.command()
@click.argument("results", type=PATH)
@click.argument("submission", type=PATH)
@click.option("--archive", type=PATH, help="The archive that graded it, if it is not this project as it stands.")
@click.pass_obj
def replay(project: Project, results: Path, submission: Path, archive: Path | None) -> None:
    """Grade SUBMISSION again and say whether RESULTS, a results.json, holds to the last verdict; exits 1 if it does not."""
    from autograder.authoring.baking.freshness import OtherSeed
    from autograder.judging.replay import replay as grade_again

    refuse_class(submission)
    with graded_with(project, archive, None) as (assignment, references, _):
        try:
            answer = grade_again(assignment, references, results, submission)
        except OtherSeed as error:  # to delete the references would make every result another one
            raise GraderError(f"{error.found}: give the former one, or the archive that graded it (--archive)") from None
    click.echo("\n".join(answer.lines))
    sys.exit(0 if answer.same else 1)


@click.command()
@click.pass_obj
def doctor(project: Project) -> None:
    """Print the cage's layers and each probe's finding; exits 1 if student code could reach hidden references."""
    import tempfile

    from autograder.cli.terminal import print_diagnosis
    from autograder.core.assignment import Limits
    from autograder.sandbox.judge_side.doctor import examine
    from autograder.sandbox.judge_side.zygote_client import ZygoteClient

    here = (project.assignment / "rubric.toml").exists()
    assignment = project.load() if here else None
    limits, preload = (assignment.limits, assignment.preload) if assignment else (Limits(), ())
    scratch = any(section.scratch for section in assignment.sections) if assignment else True
    # Probe the folder of the references: the build folder, or any folder without an assignment.
    with ZygoteClient(preload) as zygote, tempfile.TemporaryDirectory() as place:
        beside = project.build if here else Path(place)
        beside.mkdir(parents=True, exist_ok=True)
        diagnosis = examine(zygote, limits, beside, scratch)
    print_diagnosis(diagnosis)
    sys.exit(0 if diagnosis.safe else 1)


COMMANDS = (grade, replay, doctor)
