"""Commands for staff before a term: bake, audit, pack, release."""

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
@click.pass_obj
def pack(project: Project, course: str | None) -> None:
    """Build the Gradescope archives, one per course. Refuses unless an audit of exactly these bytes succeeds."""
    from autograder.core.files import write_whole
    from autograder.gradescope.archive import certificate, members_of, write_archive

    assignment, references = project.load(), project.fresh_references()
    courses = [course_of(assignment, course)] if course else assignment.courses
    archives = {name: members_of(assignment, references, name) for name in assignment.courses}
    stamp, audited = certificate(assignment, archives), project.build / "audited"
    if not audited.exists() or audited.read_text(encoding="utf-8") != stamp:
        result = run_audit(project, assignment, references)
        if result.problems:
            raise GraderError("not built, the audit failed: " + "; ".join(result.problems[:3]))
        click.echo(result.last_line())
        write_whole(audited, stamp.encode())
    for name in courses:
        path = write_archive(archives[name], name, project.build)
        click.echo(f"built {path} ({path.stat().st_size >> 10} KB)")


@click.command()
@click.pass_obj
def audit(project: Project) -> None:
    """Grade the grader: solutions, starter, all known mistakes and alternatives; exits 1 if any result is unexpected."""
    from autograder.cli.terminal import print_audit

    result = run_audit(project, project.load(), project.fresh_references())
    print_audit(result)
    sys.exit(1 if result.problems else 0)


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
    """Build student.zip and check that it contains nothing of the solutions, hidden tests, seed or inputs."""
    from autograder.authoring.release import build_release

    path, summary = build_release(project.load(), project.solutions, project.fresh_references(), project.build)
    click.echo("\n".join([*summary, f"built {path} ({path.stat().st_size >> 10} KB)"]))


@click.command()
@click.argument("target", type=PATH)
@click.pass_obj
def export(project: Project, target: Path) -> None:
    """Write the solutions as a student would submit them."""
    from autograder.authoring.masters import export_scripts

    export_scripts(project.solutions, target)


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


COMMANDS = (bake, pack, audit, student, release, export, answers)
