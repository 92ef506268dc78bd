"""Commands for staff before a term: new, bake, audit, pack, release."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.project import Project, course_of
from autograder.core.errors import GraderError

if TYPE_CHECKING:
    from autograder.authoring.audit import Audit
    from autograder.core.assignment import Assignment

PATH = click.Path(path_type=Path)
STRICT = click.option("--strict", is_flag=True, help="Refuse also what is only a warning, such as a question without mistakes.")


@click.command()
@click.argument("folder", type=PATH)
@click.option("--title", default="", help="Title of the assignment (default: from the folder's name).")
@click.option("--course", default=["101"], multiple=True, help="The course that takes it (default: 101).")
@click.option(
    "--from-otter", "master", type=PATH, help="Start from this master notebook of Otter Assign instead of the template."
)
def new(folder: Path, title: str, course: tuple[str, ...], master: Path | None) -> None:
    """Make a new assignment in FOLDER: a small one that works at once, to be changed into yours.

    It has a notebook with three questions, a rubric, inputs, rules, known mistakes and a Makefile; its README.md says what
    each file is for. With --from-otter, questions, points and tests come from an existing notebook, and TODO.md lists what is
    left to do.
    """
    from autograder.authoring.from_otter import assignment_from
    from autograder.authoring.new import new_assignment

    if len(course) > 1:
        raise GraderError("one --course makes the assignment: add the others to `courses` in its assignment/rubric.toml")
    lines = assignment_from(master, folder, title, course[0]) if master else new_assignment(folder, title, course[0])
    click.echo("\n".join(lines))


@click.command()
@click.pass_obj
def schema(project: Project) -> None:
    """Write JSON Schemas beside the rubric, with which editors complete its keys, and the bank's, and mark errors.

    `new` does so, too; run this after an update of autograder. The first line of rubric.toml has to be
    `#:schema ./rubric.schema.json`, that of a file in bank/ `#:schema ../bank.schema.json`.
    """
    from autograder.authoring.schema import write_schemas

    click.echo("\n".join(f"wrote {path}" for path in write_schemas(project.load().folder)))


@click.command()
@click.pass_obj
def bake(project: Project) -> None:
    """Run the solutions on hidden inputs and write the references."""
    from autograder.authoring.baking.bake import bake as bake_sets
    from autograder.authoring.baking.freshness import secret_seed
    from autograder.core.references import REFERENCES, write_references

    tree = bake_sets(project.load(), project.solutions, secret_seed(project.build), click.echo)
    write_references(project.build / REFERENCES, tree)
    click.echo(f"baked {len(tree['sets'])} hidden sets and a public one: {project.build / REFERENCES}")


@click.command()
@click.option("--course", help="Build only this course's archive (default: all).")
@STRICT
@click.pass_obj
def pack(project: Project, course: str | None, strict: bool) -> None:
    """Build the Gradescope archives, one per course.

    Refuses unless an audit of exactly these bytes succeeds, and the smoke test with which an image will prove itself.
    """
    from autograder.authoring import unproved
    from autograder.authoring.baking.bank import load_bank
    from autograder.core.files import write_whole
    from autograder.gradescope.archive import certificate, members_of, write_archive
    from autograder.gradescope.smoke import rehearsed

    assignment, references = project.load(), project.fresh_references()
    courses = [course_of(assignment, course)] if course else assignment.courses
    archives = {name: members_of(assignment, references, name) for name in assignment.courses}
    _warn(unproved.warnings(assignment, load_bank(assignment)), strict)
    stamp, audited = certificate(assignment, archives), project.build / "audited"
    if not audited.exists() or audited.read_text(encoding="utf-8") != stamp:
        result = run_audit(project, assignment, references)
        if result.problems:
            raise GraderError("not built, the audit failed: " + "; ".join(result.problems[:3]))
        click.echo(result.last_line())
        if told := rehearsed(assignment, references):
            click.echo(told)
        write_whole(audited, stamp.encode())
    for name in courses:
        path = write_archive(archives[name], name, project.build)
        click.echo(f"built {path} ({path.stat().st_size >> 10} KB)")


@click.command()
@STRICT
@click.option("--against", "other", help="Another interpreter: audit with it, too, and say which verdicts move.")
@click.option("--references", type=PATH, help="Audit these instead of baking.")
@click.option("--outcomes", type=PATH, help="File to write every outcome to, as JSON.")
@click.option("--verbose", is_flag=True, help="Name all mistakes that are not recognised, not only the first few.")
@click.pass_obj
def audit(
    project: Project, strict: bool, other: str | None, references: Path | None, outcomes: Path | None, verbose: bool
) -> None:
    """Grade the grader: solutions, starter, all known mistakes and alternatives; exits 1 if any result is unexpected.

    With --against, also if any verdict is another one there.
    """
    from autograder.authoring.against import write_outcomes
    from autograder.cli.terminal import print_audit

    assignment, references = project.load(), references or project.fresh_references()
    result = run_audit(project, assignment, references)
    if outcomes:
        write_outcomes(result, assignment, outcomes)
    print_audit(result, verbose)
    moved = run_against(project, assignment, references, result, other) if other else False
    sys.exit(1 if result.problems or moved or (strict and result.warnings) else 0)


def run_against(project: Project, assignment: Assignment, references: Path, result: Audit, python: str) -> bool:
    """Audit with another interpreter and print what is another one there; whether anything is."""
    from autograder.authoring.against import audited_by, compared
    from autograder.cli.status import Status
    from autograder.core.text import first_of

    folders = {"--assignment": project.assignment, "--solutions": project.solutions}
    with Status() as status:
        against = compared(result, assignment, audited_by(python, folders, references, status.show))
    for line in first_of([f"version: {version}" for version in against.versions], 40):
        click.echo(line)
    for line in first_of([f"moved: {line}" for line in against.moved], 100):
        click.echo(line)
    click.echo(f"against {python}: {len(against.moved) or 'no'} verdict{'s' * (len(against.moved) != 1)} moved")
    return bool(against.moved)


def _warn(warnings: list[str], strict: bool) -> None:
    """Print what is missing. Raises GraderError if that is to stop the command."""
    if warnings and strict:
        raise GraderError("not built: " + "; ".join(warnings))
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


@click.command()
@click.option("--output", type=PATH, help="Folder to write to (default: student, beside the solutions).")
@click.pass_obj
def student(project: Project, output: Path | None) -> None:
    """Regenerate the student tree from the solutions with Otter Assign."""
    from autograder.authoring.student_tree import build_student

    output = output or project.student
    count = build_student(project.load(), project.solutions, project.fresh_references(), output)
    click.echo(f"wrote {output} ({count} files)")


@click.command()
@click.pass_obj
def release(project: Project) -> None:
    """Build student.zip, after checking that it works and that it contains nothing secret.

    Each notebook is run alone in a fresh kernel, as students get it and with the solutions. Nothing of the solutions, hidden
    tests, seed or inputs may be in it.
    """
    from autograder.authoring.release import build_release, warnings
    from autograder.authoring.tried import refuse_broken
    from autograder.cli.status import Status

    assignment, references = project.load(), project.fresh_references()
    with Status() as status:
        path, summary = build_release(
            assignment,
            project.solutions,
            references,
            project.build,
            lambda tree: refuse_broken(assignment, tree, project.solutions, status.show),
        )
    _warn(warnings(assignment), strict=False)
    click.echo("\n".join([*summary, f"built {path} ({path.stat().st_size >> 10} KB)"]))


@click.command()
@click.argument("target", type=PATH)
@click.pass_obj
def export(project: Project, target: Path) -> None:
    """Write the solutions as a student would submit them."""
    from autograder.authoring.masters import export_scripts

    export_scripts(project.load(), project.solutions, target)


@click.command()
@click.pass_obj
def answers(project: Project) -> None:
    """Create the model answers: Markdown, and a PDF if pandoc and LaTeX are installed."""
    from autograder.authoring.model_answers import assemble

    path, missing = assemble(project.load(), project.solutions, project.build / "writeup")
    click.echo("\n".join([*(f"not written yet: {chapter}" for chapter in missing), f"wrote {path}"]))


def run_audit(project: Project, assignment: Assignment, references: Path) -> Audit:
    """Audit the assignment and show the progress."""
    from autograder.authoring.audit import audit as audit_grader
    from autograder.authoring.baking.freshness import secret_seed
    from autograder.authoring.kept import kept_in
    from autograder.cli.status import Status
    from autograder.core.references import read_references
    from autograder.judging.grader import Grader
    from autograder.sandbox.judge_side.zygote_client import ZygoteClient

    with ZygoteClient(assignment.preload) as zygote, Status() as status:
        grader = Grader(assignment, read_references(references), zygote)
        kept = kept_in(project.build, assignment, project.solutions, secret_seed(project.build))
        return audit_grader(grader, project.solutions, project.student, status.show, kept)


COMMANDS = (new, schema, bake, pack, audit, student, release, export, answers)
