"""Commands for the written half: the rubric, a check of write-ups, the final grades."""

from __future__ import annotations

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
    """Render the rubric for graders: Markdown, an HTML page and the sheet to fill in; a sheet that has rows is kept."""
    import os

    from autograder.written.render import render_rubric

    output = output or project.build / "rubric"
    candidates = [project.build / "writeup" / name for name in ("answers.pdf", "answers.md")]
    answers = next((os.path.relpath(path, output) for path in candidates if path.exists()), "")
    written, kept = render_rubric(project.load(), output, gradebook, answers)
    notes = [f"kept {path}: it has rows in it; the new sheet is {written[-1]}" for path in kept]
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
@click.argument("manual", type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), help="TOML file with the term's rules, such as late days.")
@click.option("--output", type=click.Path(path_type=Path), help="File to write (default: build/final.csv).")
@click.pass_obj
def finalise(project: Project, gradebook: Path, manual: Path, policy: Path | None, output: Path | None) -> None:
    """Join the autograded half (GRADEBOOK) and the written half (MANUAL) into final grades; exits 1 if anyone is not graded."""
    from autograder.written.finalise import finalise as join

    output = output or project.build / "final.csv"
    summary = join(project.load(), gradebook, manual, policy, output)
    click.echo("\n".join([*summary.lines, f"wrote {output}"]))
    sys.exit(1 if summary.ungraded else 0)


COMMANDS = (rubric, pdf, finalise)
