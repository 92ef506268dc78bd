"""An autograder for notebooks. The engine knows no assignment: it is handed one, a folder of staff's own.

ARCHITECTURE, in the README for now: cli → authoring, batch, gradescope → judging, written → slicing, sandbox → submission → core;
``checks`` is what travels to students. The walls are held by import-linter (see pyproject.toml).
"""

__version__ = "0.2.0"
