"""The table of keys in docs/authoring.md, written from the dataclasses that the loader fills: ``python -m support.keys``."""

import re
from pathlib import Path

from autograder.authoring.schema import table_of_keys

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "authoring.md"
TABLE = re.compile(r"(<!-- keys: [^\n]*-->\n).*?(<!-- keys end -->)", re.DOTALL)


def with_keys(text: str) -> str:
    """The document's text with its table of keys as it should be."""
    return TABLE.sub(lambda found: f"{found[1]}\n{table_of_keys()}\n{found[2]}", text)


if __name__ == "__main__":
    DOCUMENT.write_text(with_keys(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
