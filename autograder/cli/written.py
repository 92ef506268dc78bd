"""Commands for the written half: the rubric, a check of write-ups, the final grades."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from autograder.cli.project import Project
from autograder.core.text import lines_of


@click.command()
@click.option("--output", type=click.Path(path_type=Path), help="Folder to write to (default: build/rubric).")
@click.option(
    "--gradebook",
    type=click.Path(path_type=Path),
    help="Gradebook of the autograded half; its people are filled into the sheet.",
)
@click.pass_obj
def rubric(project: Project, output: Path | None, gradebook: Path | None) -> None:
    """Render the rubric for graders: Markdown, an HTML page and the sheet to fill in; one that was started is kept."""
    import os

    from autograder.written.render import render_rubric

    output = output or project.build / "rubric"
    candidates = [project.build / "writeup" / name for name in ("answers.pdf", "answers.md")]
    answers = next((os.path.relpath(path, output) for path in candidates if path.exists()), "")
    written, kept = render_rubric(project.load(), output, gradebook, answers)
    notes = [f"kept {path}: it is no unstarted sheet; the new one is {written[-1]}" for path in kept]
    click.echo("\n".join([*notes, *(f"wrote {path}" for path in written)]))


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def pdf(project: Project, path: Path) -> None:
    """Check a write-up before it is submitted; exits 1 if something is missing (notes cost nothing)."""
    from autograder.judging.writeup import check_file

    report = check_file(project.load(), path)
    click.echo(lines_of("\n".join(report.lines())))
    sys.exit(1 if report.missing else 0)


@click.command()
@click.argument("gradebook", type=click.Path(path_type=Path))
@click.argument("manual", type=click.Path(path_type=Path), required=False)
@click.option(
    "--extensions",
    type=click.Path(path_type=Path),
    help="CSV of individual extensions: email or sid, days, perhaps assignment.",
)
@click.option(
    "--late-days",
    type=click.Path(path_type=Path),
    multiple=True,
    help="CSV of the term's late days used before, such as the final.csv of an earlier assignment; may be given several times.",
)
@click.option("--policy", type=click.Path(path_type=Path), help="TOML file with the term's rules, such as late days.")
@click.option("--output", type=click.Path(path_type=Path), help="File to write (default: build/final.csv).")
@click.pass_obj
def finalise(
    project: Project,
    gradebook: Path,
    manual: Path | None,
    extensions: Path | None,
    late_days: tuple[Path, ...],
    policy: Path | None,
    output: Path | None,
) -> None:
    """Join the autograded half (GRADEBOOK) and the written half (MANUAL) into final grades.

    Exits 1 if anyone is not graded, or an extension is for nobody.

    MANUAL may be left out if the assignment has no written half.
    """
    from autograder.written.finalise import Inputs
    from autograder.written.finalise import finalise as join

    output = output or project.build / "final.csv"
    summary = join(project.load(), Inputs(gradebook, manual, policy, extensions, late_days), output)
    click.echo("\n".join([*summary.lines, f"wrote {output}"]))
    sys.exit(1 if summary.ungraded or summary.nobodys else 0)


def positive(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """The option's number; fails with what was expected if it is none of points."""
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"{value:g} is no number of points, such as 110", param=option)
    return value


@click.group()
def canvas() -> None:
    """Final grades on Canvas."""


@canvas.command("push")
@click.argument("grades", type=click.Path(path_type=Path))
@click.option("--url", required=True, help="Canvas's address, such as https://canvas.example.edu.")
@click.option("--course", type=int, required=True, help="The course's number in its address on Canvas.")
@click.option("--assignment", type=int, required=True, help="The assignment's number in its address on Canvas.")
@click.option(
    "--points",
    type=float,
    callback=positive,
    help="What the assignment is out of on Canvas, where GRADES is out of something else.",
)
@click.option("--only", default="", help="Send only the rows of this course, as GRADES writes it, to a course of several.")
@click.option("--send", is_flag=True, help="Really enter the scores; without it, only show what would change.")
def canvas_push(grades: Path, url: str, course: int, assignment: int, points: float | None, only: str, send: bool) -> None:
    """Enter the totals of GRADES (final.csv or gradebook.csv) on Canvas; the token is CANVAS_TOKEN of the environment.

    Exits 1 if someone gets no score, 2 without sending anything if the assignment's points are not those of GRADES.
    """
    from autograder.core.errors import GraderError
    from autograder.written.canvas import Canvas, other_points, planned
    from autograder.written.totals import read_grades

    listed, asked = read_grades(grades)
    site = Canvas(url, course, assignment)
    students = site.students()
    plan = planned(listed, students, site.scores(), only)
    click.echo(lines_of("\n".join([site.title(), *asked, *plan.lines(grades.name)])))
    if other := other_points(plan, site.points, points, grades.name):
        raise GraderError(other)
    if send and plan.changes:
        site.send(plan.changes)
    done = f"entered: {len(plan.changes)}" if send else f"to change: {len(plan.changes)} (--send enters them)"
    others = f"; of other courses: {plan.others}" if only else ""
    click.echo(
        f"{done}; already there: {plan.same}; not sent: {len(plan.problems)}; without a row: {len(plan.rowless)}{others}"
    )
    if listed and not plan.changes and not plan.same:
        click.echo(
            f"nobody in {grades.name} is among the {len(students)} students of course {course} on Canvas: is it this one?"
        )
    sys.exit(1 if plan.problems or plan.rowless else 0)


COMMANDS = (rubric, pdf, finalise, canvas)
