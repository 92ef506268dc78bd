"""Notebooks as students hand them in: one .py each, as Jupyter's "Executable Script" writes them."""

from __future__ import annotations

from pathlib import Path


def export_scripts(solutions: Path, target: Path) -> list[Path]:
    """Write ``target/<name>.py`` for each notebook; returns the paths."""
    from nbconvert import PythonExporter

    target.mkdir(parents=True, exist_ok=True)
    written = []
    for notebook in sorted(solutions.glob("*.ipynb")):
        source, _ = PythonExporter().from_filename(str(notebook))
        written.append(target / f"{notebook.stem}.py")
        written[-1].write_text(source, encoding="utf-8")
    return written
