"""Commands only: what each does lies in the module that it calls. Heavy imports stay inside the commands."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.written.commands import COMMANDS as WRITTEN

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = Path(__file__).resolve().parent / "assignment"


class Refusing(click.Group):
    """Shows a GraderError as one line and exits with 2."""

    def invoke(self, context: click.Context):
        from autograder.model import GraderError

        try:
            return super().invoke(context)
        except GraderError as error:
            click.echo(f"autograder: {error}", err=True)
            context.exit(2)


@click.group(cls=Refusing, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--assignment", "folder", type=click.Path(path_type=Path), default=ASSIGNMENT, show_default=False,
              help="Folder of the assignment (rubric.toml, questions, …).")
@click.option("--solutions", type=click.Path(path_type=Path), default=ROOT / "solutions", show_default=False)
@click.option("--build", type=click.Path(path_type=Path), default=ROOT / "build", show_default=False)
@click.pass_context
def main(context: click.Context, folder: Path, solutions: Path, build: Path) -> None:
    """Grade, bake, pack: an autograder for notebooks."""
    context.obj = {"folder": folder, "solutions": solutions, "build": build}


for command in WRITTEN:
    main.add_command(command)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--course", help="Which course's points count (default: the last one of the rubric).")
@click.option("--archive", type=click.Path(path_type=Path), help="Grade with the references of this archive.")
@click.option("--output", type=click.Path(path_type=Path), help="Where to write results.json (default: build/results.json).")
@click.option("--quiet", is_flag=True, help="Write the file, print no table.")
@click.pass_obj
def grade(settings: dict, path: Path, course: str | None, archive: Path | None, output: Path | None, quiet: bool) -> None:
    """Grade one submission: a .ipynb, a .py, a folder or a zip."""
    from autograder import model, pack
    from autograder.report import print_table
    from autograder.run import run_grading

    assignment = model.load(settings["folder"])
    if archive:
        references, course = pack.archived_references(archive, settings["build"]), course or pack.archived_course(archive)
    else:
        references = fresh_references(settings)
    course = _course(assignment, course)
    output = output or settings["build"] / "results.json"
    tree = run_grading(assignment, references, path, course, output)
    if not quiet:
        print_table(tree)
        click.echo(f"results: {output}")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Where everything goes (default: build/class).")
@click.option("--course", help="The course of whoever the roster gives none.")
@click.option("--roster", type=click.Path(path_type=Path), help="CSV of people: name, email, sid, course, path.")
@click.option("--archive", type=click.Path(path_type=Path), help="Grade with the references of this archive.")
@click.option("--anonymous", is_flag=True, help="No names on index.html.")
@click.option("--jobs", type=int, default=0, help="How many at once (default: three for two processors).")
@click.option("--scheduler", default="", help="Hand submissions to the Dask cluster at this address.")
@click.option("--quiet", is_flag=True, help="Only the summary, and one line for each thing that went wrong.")
@click.pass_obj
def batch(settings: dict, folder: Path, output: Path | None, course: str | None, roster: Path | None, archive: Path | None,
          anonymous: bool, jobs: int, scheduler: str, quiet: bool) -> None:
    """Grade a class: a Gradescope export, a folder of submissions, or a roster CSV; exits 1 when some could not be graded."""
    from autograder import model, pack
    from autograder.batch.run import TOTAL_SECONDS, Batch, run_batch
    from autograder.report import Progress, print_summary

    assignment = model.load(settings["folder"], total_seconds=TOTAL_SECONDS)
    if archive:
        references, course = pack.archived_references(archive, settings["build"]), course or pack.archived_course(archive)
    else:
        references = fresh_references(settings)
    output = output or settings["build"] / "class"
    asked = Batch(assignment, references, folder, output, _course(assignment, course), roster, jobs, scheduler, anonymous)
    with Progress(quiet) as progress:
        summary = run_batch(asked, progress)
    print_summary(summary, output)
    sys.exit(1 if summary.problems else 0)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Where `batch` put its results (default: build/class).")
@click.option("--starter", type=click.Path(path_type=Path), default=ROOT / "student", show_default=False,
              help="What students were given.")
@click.option("--quiet", is_flag=True)
@click.pass_obj
def alike(settings: dict, folder: Path, output: Path | None, starter: Path, quiet: bool) -> None:
    """List submissions that look alike once the starter's code is taken out; `batch` then shows them on its page."""
    from autograder import model
    from autograder.batch.likeness import look_alike, write_alike
    from autograder.batch.roster import read_roster
    from autograder.report import Progress

    assignment, output = model.load(settings["folder"]), output or settings["build"] / "class"
    with Progress(quiet) as progress:
        found = look_alike(assignment, read_roster(folder, None, assignment.courses), starter, progress)
    write_alike(output, found)
    click.echo(f"{len(found)} pairs look alike: {output / 'alike.csv'}; run `batch` again to see them on its page")


@main.command()
@click.argument("root", type=click.Path(path_type=Path))
def gradescope(root: Path) -> None:
    """Grade ROOT/submission into ROOT/results, as Gradescope's container does; always exits 0."""
    from autograder.harness import grade_container
    from autograder.model import GraderError

    try:
        grade_container(root, click.echo)
    except GraderError as error:
        click.echo(f"autograder: {error}", err=True)


@main.group()
def image() -> None:
    """The container image: build it, grade one submission in it."""


@image.command("build")
@click.option("--course", help="Which course's archive goes in (default: the last one of the rubric).")
@click.option("--base", default="", help="Base image instead of Gradescope's.")
@click.option("--torch-index", envvar="TORCH_INDEX", help="Where torch comes from; empty: wherever pip looks by itself.")
@click.pass_obj
def image_build(settings: dict, course: str | None, base: str, torch_index: str | None) -> None:
    """Build the image autograder:COURSE from the archive, by its own setup.sh."""
    from autograder import image as images
    from autograder import model

    course = _course(model.load(settings["folder"]), course)
    name = images.name_for(course)
    seconds = images.build_image(settings["build"] / f"autograder-{course}.zip", name, base, torch_index)
    size = images.image_size(name)
    click.echo(f"built {name} in {seconds:.0f} s" + (f", {size / 1e6:,.0f} MB with its base" if size else ""))


@image.command("grade")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--course", help="Which course's image (default: the last one of the rubric).")
@click.pass_obj
def image_grade(settings: dict, path: Path, course: str | None) -> None:
    """Grade one submission in the image as Gradescope would: half a processor, 0.75 GB, no network."""
    import json

    from autograder import image as images
    from autograder import model
    from autograder.report import print_table

    course = _course(model.load(settings["folder"]), course)
    with images.container(path) as (handed_in, results):
        run = images.run_image(images.name_for(course), handed_in, results)
        click.echo(run.stdout.rstrip())
        if not run.results.exists():
            raise model.GraderError(f"no results: the container ended with status {run.exit}; is there an image? "
                                    f"make docker COURSE={course}")
        print_table(json.loads(run.results.read_text()))
    click.echo(f"{run.seconds:.1f} s in the container")


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
def smoke(source: Path) -> None:
    """Probe the cage and grade a tiny submission with the unpacked archive SOURCE, as setup.sh does at its end."""
    from autograder import model, pack
    from autograder.smoke import smoke as tried

    assignment = model.load(source / "autograder" / "assignment")
    click.echo(tried(assignment, source / pack.REFERENCES, pack.course_of(source), click.echo))


@main.command()
@click.pass_obj
def bake(settings: dict) -> None:
    """Run the solutions on hidden inputs and write the references."""
    from autograder import bake as baking
    from autograder import model
    from autograder.references import REFERENCES, write_references

    assignment = model.load(settings["folder"])
    tree = baking.bake(assignment, settings["solutions"], baking.secret_seed(settings["build"]))
    write_references(settings["build"] / REFERENCES, tree)
    click.echo(f"baked {len(tree['sets'])} hidden sets and a public one: {settings['build'] / REFERENCES}")


@main.command()
@click.pass_obj
def pack(settings: dict) -> None:
    """Build the Gradescope archives, one for each course."""
    from autograder import model
    from autograder import pack as packing
    from autograder.references import stored_fingerprint

    references = fresh_references(settings)
    assignment = model.load(settings["folder"])
    audited = settings["build"] / "audited"
    stamp = stored_fingerprint(references)
    if not audited.exists() or audited.read_text() != stamp:
        found = run_audit(settings)
        if found.problems:
            raise model.GraderError("not built, the grader no longer tells right from wrong: " + "; ".join(found.problems[:3]))
        click.echo(found.last_line())
        audited.write_text(stamp)
    for course in assignment.courses:
        path = packing.build_archive(assignment, references, course, settings["build"])
        click.echo(f"built {path} ({path.stat().st_size >> 10} KB)")


@main.command()
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "student", show_default=False)
@click.pass_obj
def student(settings: dict, output: Path) -> None:
    """Regenerate the student tree from the solutions (Otter Assign)."""
    from autograder import model
    from autograder import student as releasing

    references = fresh_references(settings)
    count = releasing.build_student(model.load(settings["folder"]), settings["solutions"], references, output)
    click.echo(f"wrote {output} ({count} files)")


@main.command()
@click.pass_obj
def release(settings: dict) -> None:
    """Build student.zip anew and prove that it holds nothing of the solutions, hidden tests, seed or inputs."""
    from autograder import model
    from autograder import release as releasing

    references = fresh_references(settings)
    path, proof = releasing.build_release(model.load(settings["folder"]), settings["solutions"], references, settings["build"])
    click.echo("\n".join([*proof, f"built {path} ({path.stat().st_size >> 10} KB)"]))


@main.command()
@click.pass_obj
def audit(settings: dict) -> None:
    """Grade the grader: solutions, starter, every known mistake and alternative; exits 1 when one does not hold."""
    from autograder.report import print_audit

    found = run_audit(settings)
    print_audit(found)
    sys.exit(1 if found.problems else 0)


@main.command()
@click.pass_obj
def doctor(settings: dict) -> None:
    """Print the cage's layers and what each probe found; exits 1 if hidden references would be within reach."""
    from autograder import model
    from autograder.report import print_diagnosis
    from autograder.sandbox.client import Zygote
    from autograder.sandbox.doctor import examine

    assignment = model.load(settings["folder"])
    settings["build"].mkdir(parents=True, exist_ok=True)
    with Zygote(assignment.preload) as zygote:
        diagnosis = examine(zygote, assignment.limits, settings["build"], any(s.scratch for s in assignment.sections))
    print_diagnosis(diagnosis)
    sys.exit(0 if diagnosis.safe else 1)


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_obj
def export(settings: dict, target: Path) -> None:
    """Write the solutions as a student would submit them."""
    from autograder.export import export_scripts

    export_scripts(settings["solutions"], target)


def run_audit(settings: dict):
    """The audit of this assignment, in a warm worker."""
    from autograder import model
    from autograder.audit import audit
    from autograder.grade import Grader
    from autograder.references import read_references
    from autograder.sandbox.client import Zygote

    references = fresh_references(settings)
    assignment = model.load(settings["folder"])
    with Zygote(assignment.preload) as zygote:
        grader = Grader(assignment, read_references(references), zygote)
        return audit(grader, settings["solutions"], settings["solutions"].parent / "student")


def fresh_references(settings: dict) -> Path:
    """The baked file, made anew when missing or stale."""
    from autograder import bake as baking

    return baking.fresh_references(settings["folder"], settings["solutions"], settings["build"])


def _course(assignment, course: str | None) -> str:
    from autograder.model import GraderError

    course = course or assignment.courses[-1]
    if course not in assignment.courses:
        raise GraderError(f"no course {course!r} in the rubric; it has {', '.join(assignment.courses)}")
    return course
