"""Commands for a whole class: grade it, and list submissions that look alike."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.project import Project, graded_with
from autograder.core.tables import read_table

PATH = click.Path(path_type=Path)
ROSTER = (
    "CSV of people; it may have the columns name (or first name, last name), email, sid, course (or section), role, path, "
    "submission time."
)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--output", type=PATH, help="Folder to write to (default: build/class).")
@click.option(
    "--course", help="Course of people for whom the roster gives none (default: the archive's, or the last one of the rubric)."
)
@click.option("--roster", type=PATH, help=ROSTER)
@click.option(
    "--archive", type=PATH, help="Grade with the assignment and references in this archive; no other folder is needed."
)
@click.option("--anonymous", is_flag=True, help="No names on index.html.")
@click.option("--share", is_flag=True, help="Write share.html, too: by concept, with nothing about fewer than five people.")
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
    share: bool,
    jobs: int,
    scheduler: str,
    quiet: bool,
) -> None:
    """Grade a class: a Gradescope export, a folder of submissions, or a roster CSV; exits 1 if any could not be graded."""
    from autograder.batch.grade_class import TOTAL_SECONDS, Batch, run_batch
    from autograder.batch.roster import is_folder
    from autograder.cli.terminal import Progress, print_summary
    from autograder.core.text import lines_of

    output = output or project.build / "class"
    is_folder(folder)  # before anything is baked
    if roster:
        read_table(roster)
    with graded_with(project, archive, course, default_seconds=TOTAL_SECONDS) as (assignment, references, chosen):
        settings = Batch(assignment, references(), folder, output, chosen, roster, jobs, scheduler, anonymous, share)
        with Progress(quiet) as progress:
            summary = run_batch(settings, progress, say=lambda line: click.echo(f"note: {lines_of(line)}"))
    print_summary(summary, output)
    sys.exit(1 if summary.problems or summary.missing or summary.unknown or summary.doubtful else 0)


@click.command()
@click.argument("folder", type=PATH)
@click.option("--output", type=PATH, help="Where `batch` put its results (default: build/class).")
@click.option("--roster", type=PATH, help="The CSV of people of `batch`, which names what came by mail, too.")
@click.option("--starter", type=PATH, help="What students received (default: student, beside the solutions).")
@click.option(
    "--together", type=PATH, help="CSV of who declared to have worked together: email or sid, with; such pairs are marked."
)
@click.option("--dolos", type=PATH, help="Zip file to write for Dolos, too: everyone's own code and an info.csv with names.")
@click.option("--quiet", is_flag=True)
@click.pass_obj
def alike(
    project: Project,
    folder: Path,
    output: Path | None,
    roster: Path | None,
    starter: Path | None,
    together: Path | None,
    dolos: Path | None,
    quiet: bool,
) -> None:
    """List submissions that look alike once the starter code is removed; the next `batch` shows them on its page."""
    from autograder.batch.declared import mark_declared
    from autograder.batch.former import read_former, refuse_other_class
    from autograder.batch.roster import asked_about, read_roster
    from autograder.batch.similarity import look_alike, starter_of, write_alike
    from autograder.cli.terminal import Progress
    from autograder.core.text import clean, first_of, lines_of

    assignment, output = project.load(), output or project.build / "class"
    given = starter_of(starter, project.student)
    if dolos:
        from autograder.batch.dolos import refuse_target, write_dolos

        refuse_target(dolos, folder, {"the roster": roster, "the list of --together": together, "the starter": given})
    people, left_out = read_roster(folder, roster, assignment.courses), list[str]()
    refuse_other_class(read_former(output), output, folder, people)
    without = [] if given.exists() else [f"there is no {clean(str(given), 200)}, so what everyone was given counts, too"]
    for line in [*asked_about(people), *without]:
        click.echo(f"note: {lines_of(line)}")
    with Progress(quiet) as progress:
        pairs = look_alike(assignment, people, given, progress, left_out.append)
        if together:
            left_out += mark_declared(pairs, people, together)
        if dolos:
            written = write_dolos(dolos, assignment, people, given, left_out.append)
    for line in first_of(left_out):
        click.echo(line, err=True)
    write_alike(output, pairs)
    looks = "1 pair looks" if len(pairs) == 1 else f"{len(pairs)} pairs look"
    click.echo(f"{looks} alike: {output / 'alike.csv'}; run `batch` again to see them on its page")
    if dolos:
        click.echo(f"{written} submissions for Dolos: {dolos}")


COMMANDS = (batch, alike)
