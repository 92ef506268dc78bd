"""Commands for Gradescope's container: the image, and what runs inside it."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.project import Project, course_of

RESULTS_BYTES = 16 << 20  # of a results file that a container wrote
PATH = click.Path(path_type=Path)


@click.command()
@click.argument("root", type=PATH)
def gradescope(root: Path) -> None:
    """Grade ROOT/submission into ROOT/results, like Gradescope's container; always exits 0."""
    from autograder.gradescope.__main__ import main

    main(["grade", str(root)])


@click.command()
@click.argument("source", type=PATH)
def smoke(source: Path) -> None:
    """Probe the cage and grade a tiny submission with the unpacked archive SOURCE; the last step of setup.sh."""
    from autograder.gradescope.smoke import smoke_archive

    click.echo(smoke_archive(source, click.echo))


@click.group()
def image() -> None:
    """Build the container image, or grade a submission in it."""


@image.command("build")
@click.option("--course", help="Course of the archive to install (default: the last one of the rubric).")
@click.option("--base", default="", help="Base image instead of Gradescope's.")
@click.option("--torch-index", envvar="TORCH_INDEX", help="Package index for torch; empty: pip's default.")
@click.option("--dockerfile", type=PATH, default=Path("Dockerfile"), show_default=True)
@click.pass_obj
def image_build(project: Project, course: str | None, base: str, torch_index: str | None, dockerfile: Path) -> None:
    """Build the image autograder:COURSE from the audited archive that `pack` built, with its setup.sh."""
    from autograder.gradescope import image as images

    course = course_of(project.load(), course)
    name = images.name_for(course)
    seconds = images.build_image(project.build / f"autograder-{course}.zip", dockerfile, name, base, torch_index)
    size = images.image_size(name)
    click.echo(f"built {name} in {seconds:.0f} s" + (f", {size / 1e6:,.0f} MB including its base" if size else ""))


@image.command("grade")
@click.argument("path", type=PATH)
@click.option("--course", help="Course of the image (default: the last one of the rubric).")
@click.pass_obj
def image_grade(project: Project, path: Path, course: str | None) -> None:
    """Grade one submission in the image like Gradescope: half a processor, 0.75 GB, no network."""
    import json

    from autograder.cli.terminal import print_table
    from autograder.core.errors import GraderError
    from autograder.core.files import read_capped
    from autograder.core.text import clean, lines_of
    from autograder.gradescope import image as images

    course = course_of(project.load(), course)
    with images.container(path) as (submission, results):
        run = images.run_image(images.name_for(course), submission, results)
        click.echo(lines_of(run.stdout.rstrip()))
        if not run.results.exists():
            raise GraderError(
                f"no results: the container ended with status {run.exit}; is there an image? make docker COURSE={course}"
            )
        try:
            print_table(json.loads(read_capped(run.results, RESULTS_BYTES)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise GraderError(f"results.json of the container cannot be shown: {clean(repr(error), 160)}") from None
    click.echo(f"{run.seconds:.1f} s in the container")


COMMANDS = (gradescope, smoke, image)
