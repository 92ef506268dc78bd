"""The command line: ``autograder``, or ``python -m autograder``. Commands only parse options; other packages do the work.

Paths are relative to the current folder or come from options; none depends on where the engine is installed. Heavy imports
stay inside the commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import autograder
from autograder.cli import authoring, classes, gradescope, grading, written
from autograder.cli.project import Project
from autograder.core.errors import GraderError
from autograder.core.text import clean, keep_libraries_quiet, lines_of, reason

FOLDER = click.Path(path_type=Path)


class ReportingGroup(click.Group):
    """Prints a GraderError or OSError as one line and exits with 2."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except GraderError as error:
            message = str(error)
        except BrokenPipeError:  # `… | head` has read enough: click ends without a word
            raise
        except OSError as error:
            path = clean(str(error.filename2 or error.filename or "a file"), 200)
            message = f"cannot use {path}: {clean(reason(error), 160)}"
        click.echo(f"autograder: {lines_of(message)}", err=True)
        raise click.exceptions.Exit(2)


@click.group(cls=ReportingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(autograder.__version__, prog_name="autograder")
@click.option(
    "--assignment",
    type=FOLDER,
    default=Path("assignment"),
    show_default=True,
    help="The assignment's folder (rubric.toml, questions, …).",
)
@click.option("--solutions", type=FOLDER, default=Path("solutions"), show_default=True, help="Folder of the master notebooks.")
@click.option("--build", type=FOLDER, default=Path("build"), show_default=True, help="Folder for everything that is generated.")
@click.pass_context
def main(context: click.Context, assignment: Path, solutions: Path, build: Path) -> None:
    """Hand out, self-check and grade an assignment of notebooks.

    Run it in the folder that contains `assignment/` and `solutions/`, or name them.
    """
    keep_libraries_quiet()
    context.obj = Project(assignment, solutions, build)


for group in (grading, classes, authoring, gradescope, written):
    for command in group.COMMANDS:
        main.add_command(command)
