"""An autograder for notebooks. The engine knows no assignment: it is handed one, a folder of staff's own.

cli → authoring, batch, gradescope → judging, written → slicing, sandbox → submission → core → checks, which travels to students.
Imports go this way only; import-linter holds them to it (see pyproject.toml).
"""

__version__ = "0.2.0"
