"""Commands for a whole class: grade it, and list submissions that look alike."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.project import Project, graded_with

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--output", type=PATH, help="Folder to write to (default: build/class).")
@click.option(
    "--course", help="Course of people for whom the roster gives none (default: the archive's, or the last one of the rubric)."
)
@click.option("--roster", type=PATH, help="CSV of people: name, email, sid, course, path.")
@click.option(
    "--archive", type=PATH, help="Grade with the assignment and references in this archive; no other folder is needed."
)
@click.option("--anonymous", is_flag=True, help="No names on index.html.")
@click.option(
    "--jobs", type=click.IntRange(min=0), default=0, help="Submissions graded at once (default: three per two processors)."
)
@click.option("--scheduler", default="", help="Grade on the Dask cluster at this address.")
@click.option("--quiet", is_flag=True, help="Print only the summary and one line per problem.")
@click.pass_obj
def batch(  # noqa: PLR0913, PLR0917 - click passes one argument per option
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
    """Grade a class: a Gradescope export, a folder of submissions, or a roster CSV; exits 1 if any could not be graded."""
    from autograder.batch.grade_class import TOTAL_SECONDS, Batch, run_batch
    from autograder.cli.terminal import Progress, print_summary

    output = output or project.build / "class"
    with graded_with(project, archive, course, default_seconds=TOTAL_SECONDS) as (assignment, references, chosen):
        settings = Batch(assignment, references(), folder, output, chosen, roster, jobs, scheduler, anonymous)
        with Progress(quiet) as progress:
            summary = run_batch(settings, progress)
    print_summary(summary, output)
    sys.exit(1 if summary.problems else 0)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--output", type=PATH, help="Where `batch` put its results (default: build/class).")
@click.option("--starter", type=PATH, help="What students received (default: student, beside the solutions).")
@click.option("--quiet", is_flag=True)
@click.pass_obj
def alike(project: Project, folder: Path, output: Path | None, starter: Path | None, quiet: bool) -> None:
    """List submissions that look alike once the starter code is removed; the next `batch` shows them on its page."""
    from autograder.batch.roster import read_roster
    from autograder.batch.similarity import look_alike, write_alike
    from autograder.cli.terminal import Progress
    from autograder.core.text import first_of

    assignment, output = project.load(), output or project.build / "class"
    with Progress(quiet) as progress:
        roster, left_out = read_roster(folder, None, assignment.courses), list[str]()
        pairs = look_alike(assignment, roster, starter or project.student, progress, left_out.append)
    for line in first_of(left_out):
        click.echo(line, err=True)
    write_alike(output, pairs)
    click.echo(f"{len(pairs)} pairs look alike: {output / 'alike.csv'}; run `batch` again to see them on its page")


COMMANDS = (batch, alike)
