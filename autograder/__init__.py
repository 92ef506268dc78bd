"""An autograder for notebooks. The engine contains no assignment; staff pass one to it as a folder.

Packages import only from packages further right, which import-linter enforces (see pyproject.toml): cli → authoring, batch,
gradescope → judging, written → slicing, sandbox → submission → core → checks. Students get a copy of ``checks``.
"""

__version__ = "0.2.0"
