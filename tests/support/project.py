"""Paths of this project, and the schema of Gradescope's results."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
DATA = TESTS / "data"
TOY, EXAMPLE = DATA / "toy", ROOT / "examples" / "ngram"
SCHEMA = json.loads((DATA / "gradescope.schema.json").read_text())
