"""Where the engine is installed: for reading its own files, never for finding an assignment."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
# The ``sys.path`` entry from which another process can import the engine: a checkout or site-packages.
IMPORT_ROOT = PACKAGE.parent
