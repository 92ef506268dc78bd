"""Commands of the written half; what each does lies in the module that it calls."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.project import Project


@click.command()
@click.option("--output", type=click.Path(path_type=Path), help="Folder to write into (default: build/rubric).")
@click.option("--gradebook", type=click.Path(path_type=Path), help="The autograded half: its people go into the sheet.")
@click.pass_obj
def rubric(project: Project, output: Path | None, gradebook: Path | None) -> None:
    """Render the rubric for readers: Markdown, one HTML page, and the sheet to fill; a sheet with rows in it is kept."""
    import os

    from autograder.written.render import render_rubric

    output = output or project.build / "rubric"
    made = [project.build / "writeup" / name for name in ("answers.pdf", "answers.md")]
    answers = next((os.path.relpath(path, output) for path in made if path.exists()), "")
    written, kept = render_rubric(project.load(), output, gradebook, answers)
    begun = [f"kept {path}: it has rows in it; a new sheet is {written[-1]}" for path in kept]
    click.echo("\n".join([*begun, *(f"wrote {path}" for path in written)]))


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def pdf(project: Project, path: Path) -> None:
    """Check a write-up before it is submitted; exits 1 when something is missing, notes cost nothing."""
    from autograder.judging.writeup import check_file

    report = check_file(project.load(), path)
    click.echo("\n".join(report.lines()))
    sys.exit(1 if report.missing else 0)


@click.command()
@click.argument("gradebook", type=click.Path(path_type=Path))
@click.argument("manual", type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), help="TOML with the term's rules for late days and the like.")
@click.option("--output", type=click.Path(path_type=Path), help="Where to write (default: build/final.csv).")
@click.pass_obj
def finalise(project: Project, gradebook: Path, manual: Path, policy: Path | None, output: Path | None) -> None:
    """Join the autograded half (GRADEBOOK) and the read half (MANUAL) to one grade; exits 1 when anyone is not graded."""
    from autograder.written.finalise import finalise as join

    output = output or project.build / "final.csv"
    summary = join(project.load(), gradebook, manual, policy, output)
    click.echo("\n".join([*summary.lines, f"wrote {output}"]))
    sys.exit(1 if summary.ungraded else 0)


COMMANDS = (rubric, pdf, finalise)
