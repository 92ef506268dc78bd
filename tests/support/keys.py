"""The table of keys in docs/authoring.md, written from the dataclasses that the loader fills: ``python -m support.keys``."""

import re
from dataclasses import Field
from pathlib import Path
from typing import Any

from autograder.authoring.schema import BANK_TABLES, ONCE, SEVERAL, is_needed, keys_of, meanings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "authoring.md"
TABLE = re.compile(r"(<!-- keys: [^\n]*-->\n).*?(<!-- keys end -->)", re.DOTALL)


def with_keys(text: str) -> str:
    """The document's text with its table of keys as it should be."""
    return TABLE.sub(lambda found: f"{found[1]}\n{table_of_keys()}\n{found[2]}", text)


def table_of_keys() -> str:
    """Every key of the rubric and the bank as Markdown: a table for each of their tables."""
    lines = ["| `[totals]` | | |", "|---|---|---|", f"| a course | | {meanings()['totals']['course']} |", ""]
    for name, kind in {**ONCE, **SEVERAL, **BANK_TABLES}.items():
        title = f"[{name}]" if name in ONCE else f"[[{name}]]"
        lines += [f"| `{title}` | | |", "|---|---|---|"]
        for field in keys_of(kind):
            lines.append(f"| `{field.name}` | {_default(field)} | {meanings()[name][field.name]} |")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _default(field: Field[Any]) -> str:
    if is_needed(field):
        return "**needed**"
    if type(field.default) is int and field.default >= 1 << 20:
        return f"{field.default} ({field.default >> 20} MiB)"
    return f"{field.default:g}" if type(field.default) in (int, float) else ""


if __name__ == "__main__":
    DOCUMENT.write_text(with_keys(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
