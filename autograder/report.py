"""A results tree as a table for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {"passed": "green", "failed": "red", "not submitted": "yellow", "not run": "yellow"}


def print_diagnosis(diagnosis) -> None:
    """The layers of the cage, then what the probes found."""
    console = Console()
    layers = Table(box=None, pad_edge=False, header_style="bold")
    layers.add_column("layer")
    layers.add_column("state", overflow="fold")
    for name, state in diagnosis.layers.items():
        layers.add_row(Text(name), Text(state, style="green" if state == "on" else "yellow"))
    probes = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("probe", "protects", "finding"):
        probes.add_column(column)
    for finding in diagnosis.findings:
        text = f"held: {finding.refusal}" if finding.held else "NOT HELD"
        probes.add_row(Text(finding.name), Text(finding.protects), Text(text, style="green" if finding.held else "bold red"))
    console.print(layers, "", probes, "", sep="\n")
    safe = "Hidden references are out of reach." if diagnosis.safe else "Hidden references are WITHIN REACH of student code."
    console.print(Text(safe, style="bold green" if diagnosis.safe else "bold red"))


def print_audit(found) -> None:
    """The tolerances' table, what is shared and what does not hold, then the one line that sums up."""
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("item", "noise", "tolerance", "smallest mistake", "margin"):
        table.add_column(column, justify="left" if column == "item" else "right")
    for row in found.tolerances:
        margin = f"{row.margin:.0f}x" if row.judged else "the course's"
        table.add_row(row.item, f"{row.noise:.1e}", f"{row.tolerance:g}", f"{row.mistake:.2g}", margin)
    console.print(table)
    mistakes = found.of("mistake")
    console.print(f"\nnamed to their author: {sum(o.named for o in mistakes)} of {len(mistakes)} mistakes")
    for shared in found.shared:
        console.print(Text(f"shared: {shared}", style="dim"))
    for problem in found.problems:
        console.print(Text(problem, style="bold red"))
    console.print(Text(found.last_line(), style="bold"))


def print_table(tree: dict) -> None:
    """Question, points, verdict and the first line of its output; then the total and the notes."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("question", "points", "verdict", "reason"):
        table.add_column(column, justify="right" if column == "points" else "left", overflow="fold")
    for test in tree["tests"]:
        verdict = test["extra_data"]["verdict"]
        table.add_row(Text(test["number"]), f"{test['score']:g}/{test['max_score']:g}",
                      Text(verdict, style=STYLES.get(verdict, "dim")), Text(test["output"].split("\n")[0]))
    console = Console(soft_wrap=False)
    console.print(table)
    console.print(Text(f"\ntotal {tree['score']:g} of {sum(t['max_score'] for t in tree['tests']):g}", style="bold"))
    for line in tree["output"].split("\n"):
        console.print(Text(line, style="dim"))
