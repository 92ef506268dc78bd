"""A results tree as a table for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {"passed": "green", "failed": "red", "not submitted": "yellow", "not run": "yellow"}


def print_table(tree: dict) -> None:
    """Question, points, verdict and the first line of its output; then the total and the notes."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("question", "points", "verdict", "reason"):
        table.add_column(column, justify="right" if column == "points" else "left", overflow="fold")
    for test in tree["tests"]:
        verdict = test["extra_data"]["verdict"]
        table.add_row(Text(test["number"]), f"{test['score']:g}/{test['max_score']:g}",
                      Text(verdict, style=STYLES[verdict]), Text(test["output"].split("\n")[0]))
    console = Console(soft_wrap=False)
    console.print(table)
    console.print(Text(f"\ntotal {tree['score']:g} of {sum(t['max_score'] for t in tree['tests']):g}", style="bold"))
    for line in tree["output"].split("\n"):
        console.print(Text(line, style="dim"))
