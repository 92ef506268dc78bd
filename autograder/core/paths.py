"""Where this engine lies: for reading its own bytes, never for finding anybody's assignment."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
# What has to be on ``sys.path`` for another process to import the engine: a checkout, or site-packages.
IMPORT_ROOT = PACKAGE.parent
