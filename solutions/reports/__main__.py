"""Run as ``python -m reports [--runs FOLDER]`` in solutions/, or ``make reports``."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from . import section2, section3
from .render import WRITEUP, rendered


@click.command()
@click.option(
    "--runs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="take over new runs of the experiments first, from this folder (build/experiments/full)",
)
def main(runs: Path | None) -> None:
    """Write writeup/section2.md and section3.md from the runs in writeup/section2 and section3."""
    for name in ("results.json", "perplexity.png", "curves.png") if runs else ():
        shutil.copy(runs / name, WRITEUP / "section2" / name)
    for name, figures in (("section2", section2.figures), ("section3", section3.figures)):
        (WRITEUP / f"{name}.md").write_text(rendered(name, figures()), encoding="utf-8")
        print(f"writeup/{name}.md")


if __name__ == "__main__":
    main()
