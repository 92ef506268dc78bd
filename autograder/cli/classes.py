"""Grading a whole class, and who may have worked too closely together."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.project import Project, graded_with

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--output", type=PATH, help="Where everything goes (default: build/class).")
@click.option("--course", help="The course of whoever the roster gives none.")
@click.option("--roster", type=PATH, help="CSV of people: name, email, sid, course, path.")
@click.option(
    "--archive", type=PATH, help="Grade with this archive: its assignment, its references. No other folder is needed."
)
@click.option("--anonymous", is_flag=True, help="No names on index.html.")
@click.option("--jobs", type=click.IntRange(min=0), default=0, help="How many at once (default: three for two processors).")
@click.option("--scheduler", default="", help="Hand submissions to the Dask cluster at this address.")
@click.option("--quiet", is_flag=True, help="Only the summary, and one line for each thing that went wrong.")
@click.pass_obj
def batch(
    project: Project,
    folder: Path,
    output: Path | None,
    course: str | None,
    roster: Path | None,
    archive: Path | None,
    anonymous: bool,
    jobs: int,
    scheduler: str,
    quiet: bool,
) -> None:
    """Grade a class: a Gradescope export, a folder of submissions, or a roster CSV; exits 1 when some could not be graded."""
    from autograder.batch.grade_class import TOTAL_SECONDS, Batch, run_batch
    from autograder.cli.terminal import Progress, print_summary

    output = output or project.build / "class"
    with graded_with(project, archive, course, default_seconds=TOTAL_SECONDS) as (assignment, references, chosen):
        asked = Batch(assignment, references, folder, output, chosen, roster, jobs, scheduler, anonymous)
        with Progress(quiet) as progress:
            summary = run_batch(asked, progress)
    print_summary(summary, output)
    sys.exit(1 if summary.problems else 0)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--output", type=PATH, help="Where `batch` put its results (default: build/class).")
@click.option("--starter", type=PATH, help="What students were given (default: student, beside the solutions).")
@click.option("--quiet", is_flag=True)
@click.pass_obj
def alike(project: Project, folder: Path, output: Path | None, starter: Path | None, quiet: bool) -> None:
    """List submissions that look alike once the starter's code is taken out; `batch` then shows them on its page."""
    from autograder.batch.roster import read_roster
    from autograder.batch.similarity import look_alike, write_alike
    from autograder.cli.terminal import Progress

    assignment, output = project.load(), output or project.build / "class"
    with Progress(quiet) as progress:
        found = look_alike(assignment, read_roster(folder, None, assignment.courses), starter or project.student, progress)
    write_alike(output, found)
    click.echo(f"{len(found)} pairs look alike: {output / 'alike.csv'}; run `batch` again to see them on its page")


COMMANDS = (batch, alike)
