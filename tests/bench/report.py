"""What was measured, held against the goals: a table on the terminal, `docs/figures.md`, and four lines of the README.

The goals are data (goals.toml), and what the page says beside measurements is its template (figures.md.jinja).
"""

from __future__ import annotations

import importlib
import json
import math
import platform
import re
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import jinja2
import psutil
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.core.files import write_whole
from autograder.core.processors import processors
from autograder.core.strict import build, read_toml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE, README = ROOT / "docs" / "figures.md", ROOT / "README.md"
# Written by `make docker-test`, one entry for each submission and image: tests/container/engines.py.
CONTAINER = ROOT / "build" / "container-figures.json"
CONTAINER_TITLE = "## In Gradescope's smallest container"
CONTAINER_PART = re.compile(rf"^{re.escape(CONTAINER_TITLE)}.*?(?=\n+^## |\Z)", re.MULTILINE | re.DOTALL)
README_PART = re.compile(r"(?<=<!-- figures: `make bench` writes these lines -->\n).*?(?=<!-- figures end -->)", re.DOTALL)
LIBRARIES = ("torch", "transformers", "otter-grader")
STYLES = {"yes": "green", "no": "bold red", "not measured": "yellow"}


@dataclass(frozen=True)
class Size:
    """How much is measured: rounds of whatever is compared, submissions in the largest class, and whether the run is quick."""

    rounds: int
    largest: int
    quick: bool


@dataclass
class Detail:
    """A table with a title; ``note`` stands below it. All but the first column are numbers."""

    title: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""


@dataclass
class Measured:
    """``values``: by the keys of goals.toml, in their units; ``details``: what else there is to read."""

    values: dict[str, float] = field(default_factory=dict)
    details: list[Detail] = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    """An entry of goals.toml."""

    key: str
    what: str
    unit: str
    at_most: float = float("nan")
    at_least: float = float("nan")
    readme: bool = False

    def goal(self) -> str:
        """'at most 240 MiB', or '' if there is no goal."""
        bounds = {"at most": self.at_most, "at least": self.at_least}
        return ", ".join(f"{name} {self.number(bound)}" for name, bound in bounds.items() if not math.isnan(bound))

    def reached(self, value: float | None) -> str:
        """Yes, no or 'not measured'; '' for a measured figure without a goal."""
        if value is None:
            return "not measured"
        if not self.goal():
            return ""
        return "no" if value > self.at_most or value < self.at_least else "yes"

    def number(self, value: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:.4g}{'' if self.unit in ('x', '%') else ' '}{self.unit}"

    def row(self, value: float | None) -> list[str]:
        return [self.what, self.number(value), self.goal(), self.reached(value)]


def measure(part: str, size: Size) -> Measured:
    """What the module of this name beside this one measures; not in __main__, which a new process cannot import."""
    measured: Measured = importlib.import_module(f"bench.{part}").measure(size)
    return measured


def figures() -> list[Figure]:
    return [build(Figure, entry, "goals.toml") for entry in read_toml(HERE / "goals.toml")["figure"]]


def goals(values: dict[str, float], readme: bool = False) -> Detail:
    """The table of all figures, or of the README's."""
    unknown = set(values) - {figure.key for figure in figures()}
    if unknown:
        raise ValueError(f"goals.toml has no figure {', '.join(sorted(unknown))}")
    rows = [figure.row(values.get(figure.key)) for figure in figures() if figure.readme or not readme]
    return Detail("Goals", ["figure", "measured", "goal", "reached"], rows)


def missed(values: dict[str, float]) -> list[str]:
    """The keys of the goals that these values do not reach."""
    return [figure.key for figure in figures() if figure.reached(values.get(figure.key)) == "no"]


def print_tables(measured: Measured) -> None:
    """Print the details, and last the goals, with what is reached in colour."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    for detail in [*measured.details, goals(measured.values)]:
        table = Table(title=detail.title, box=None, title_justify="left", header_style="bold", pad_edge=False)
        for index, column in enumerate(detail.header):
            table.add_column(column, justify="right" if index else "left", overflow="fold")
        for row in detail.rows:
            table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
        console.print(table, *([detail.note] if detail.note else []), "", sep="\n")


def markdown(detail: Detail) -> str:
    """The table in Markdown, without its title."""
    lines = [detail.header, ["---", *["---:"] * (len(detail.header) - 1)], *detail.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def origin() -> dict[str, str]:
    """On which machine, with which versions and of which commit."""
    cores, memory = processors(), psutil.virtual_memory().total / 2**30
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return {
        "machine": f"{_processor()}, {cores} core{'s' if cores > 1 else ''}, {memory:.0f} GiB of memory, {platform.system()}",
        "versions": f"Python {platform.python_version()}, {libraries}",
        "commit": _commit(),
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short", "HEAD") + (", with uncommitted changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"


def container(recorded: Path, page: str) -> str:
    """The page's part about the container: from what `make docker-test` recorded, else as the page has it."""
    if not recorded.exists():
        found = CONTAINER_PART.search(page)
        return found[0].rstrip() if found else f"{CONTAINER_TITLE}\n\nNot measured: `make docker-test`."
    tree = json.loads(recorded.read_text(encoding="utf-8"))
    rows = [
        [entry["what"], f"{run['seconds']:.1f} s", f"{run['peak_mib']:.0f} MiB" if run["peak_mib"] else "–", run["day"]]
        for entry in read_toml(HERE / "goals.toml")["container"]
        if (run := tree.get(entry["run"]))
    ]
    header = ["one submission", "wall time, container start included", "peak of its control group", "measured"]
    images = [
        f"The image `{name}` took {image['seconds']:.0f} s to build and adds {image['added_mb'] / 1000:.2f} GB to its base "
        f"({image['day']})."
        for name, image in tree.items()
        if "added_mb" in image
    ]
    table = markdown(Detail("", header, rows))
    return "\n\n".join([CONTAINER_TITLE, "By `make docker-test`: 0.5 CPU, 0.75 GB, no network.", table, *images])


def write_page(
    target: Path, size: Size, measured: Measured, day: str, failed: list[str], where: dict[str, str], recorded: Path = CONTAINER
) -> None:
    """Write the page anew. ``failed``: parts that could not be measured; ``where``: what :func:`origin` tells.

    If ``recorded``, the container's figures, is missing, the page's own are kept (the committed page's, if it is a new one).
    """
    former = target if target.exists() else PAGE
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )  # Markdown of our own making: nothing to escape
    text = environment.get_template("figures.md.jinja").render(
        size=size,
        day=day,
        failed=failed,
        origin=where,
        goals=goals(measured.values),
        details=measured.details,
        markdown=markdown,
        container=container(recorded, former.read_text(encoding="utf-8") if former.exists() else ""),
    )
    write_whole(target, re.sub(r"\n{3,}", "\n\n", text).encode())


def write_readme(readme: Path, values: dict[str, float]) -> None:
    """Put the README's figures between their marks. Raises ValueError if they are not there."""
    text, count = README_PART.subn(lambda _: markdown(goals(values, readme=True)) + "\n", readme.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"{readme.name} has no lines for figures")
    write_whole(readme, text.encode())
