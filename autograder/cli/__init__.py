"""The command line: ``autograder``, or ``python -m autograder``. Commands only; what each does lies in the package that it calls.

Every path comes from the current folder or from an option, never from where the engine lies. Heavy imports stay inside commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import autograder
from autograder.cli import authoring, classes, gradescope, grading, written
from autograder.cli.project import Project
from autograder.core.errors import GraderError
from autograder.core.text import clean, reason

FOLDER = click.Path(path_type=Path)


class Refusing(click.Group):
    """Shows a GraderError as one line and exits with 2."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except GraderError as error:
            click.echo(f"autograder: {error}", err=True)
        except OSError as error:
            place = clean(str(error.filename2 or error.filename or "a file"), 200)
            click.echo(f"autograder: cannot use {place}: {clean(reason(error), 160)}", err=True)
        context.exit(2)


@click.group(cls=Refusing, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(autograder.__version__, prog_name="autograder")
@click.option(
    "--assignment",
    type=FOLDER,
    default=Path("assignment"),
    show_default=True,
    help="Folder of the assignment (rubric.toml, questions, …).",
)
@click.option("--solutions", type=FOLDER, default=Path("solutions"), show_default=True, help="Folder of the masters.")
@click.option("--build", type=FOLDER, default=Path("build"), show_default=True, help="Where everything goes that is made.")
@click.pass_context
def main(context: click.Context, assignment: Path, solutions: Path, build: Path) -> None:
    """Hand out, self-check and grade an assignment of notebooks.

    Run it in the folder that holds `assignment/` and `solutions/`, or name them.
    """
    context.obj = Project(assignment, solutions, build)


for group in (grading, classes, authoring, gradescope, written):
    for command in group.COMMANDS:
        main.add_command(command)
