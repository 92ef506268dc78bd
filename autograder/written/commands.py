"""Commands of the written half; what each does lies in the module that it calls."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--output", type=click.Path(path_type=Path), help="Folder to write into (default: build/rubric).")
@click.option("--gradebook", type=click.Path(path_type=Path), help="The autograded half: its people go into the sheet.")
@click.pass_obj
def rubric(settings: dict, output: Path | None, gradebook: Path | None) -> None:
    """Render the rubric for readers: Markdown, one HTML page, and the sheet to fill; a sheet with rows in it is kept."""
    import os

    from autograder import model
    from autograder.written.render import render_rubric

    output = output or settings["build"] / "rubric"
    made = [settings["build"] / "writeup" / name for name in ("answers.pdf", "answers.md")]
    answers = next((os.path.relpath(path, output) for path in made if path.exists()), "")
    written, kept = render_rubric(model.load(settings["folder"]), output, gradebook, answers)
    begun = [f"kept {path}: it has rows in it; a new sheet is {written[-1]}" for path in kept]
    click.echo("\n".join([*begun, *(f"wrote {path}" for path in written)]))


@click.command()
@click.pass_obj
def answers(settings: dict) -> None:
    """Put the model answers together: Markdown, and a PDF where pandoc and a LaTeX are installed."""
    from autograder import model
    from autograder.written.answers import assemble

    path, missing = assemble(model.load(settings["folder"]), settings["solutions"], settings["build"] / "writeup")
    click.echo("\n".join([*(f"not written yet: {chapter}" for chapter in missing), f"wrote {path}"]))


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def pdf(settings: dict, path: Path) -> None:
    """Check a write-up before it is submitted; exits 1 when something is missing, notes cost nothing."""
    from autograder import model
    from autograder.written.writeup import check_file

    report = check_file(model.load(settings["folder"]), path)
    click.echo("\n".join(report.lines()))
    sys.exit(1 if report.missing else 0)


@click.command()
@click.argument("gradebook", type=click.Path(path_type=Path))
@click.argument("manual", type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), help="TOML with the term's rules for late days and the like.")
@click.option("--output", type=click.Path(path_type=Path), help="Where to write (default: build/final.csv).")
@click.pass_obj
def finalise(settings: dict, gradebook: Path, manual: Path, policy: Path | None, output: Path | None) -> None:
    """Join the autograded half (GRADEBOOK) and the read half (MANUAL) to one grade; exits 1 when anyone is not graded."""
    from autograder import model
    from autograder.written.finalise import finalise as join

    output = output or settings["build"] / "final.csv"
    summary = join(model.load(settings["folder"]), gradebook, manual, policy, output)
    click.echo("\n".join([*summary.lines, f"wrote {output}"]))
    sys.exit(1 if summary.ungraded else 0)


COMMANDS = (rubric, answers, pdf, finalise)
