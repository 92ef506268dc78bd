"""The commands for Gradescope's container, where only the archive is available.

python -m autograder.gradescope grade ROOT      called by run_autograder; always exits 0
python -m autograder.gradescope smoke SOURCE    called by setup.sh as its last step
"""

from __future__ import annotations

import sys
from pathlib import Path

from autograder.core.errors import GraderError
from autograder.core.text import keep_libraries_quiet, lines_of


def say(line: str) -> None:
    """Print a line that may quote a submission."""
    print(lines_of(line))


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status. An error is printed as one line."""
    if len(arguments) != 2 or arguments[0] not in ("grade", "smoke"):
        print(__doc__, file=sys.stderr)
        return 2
    keep_libraries_quiet()
    try:
        if arguments[0] == "grade":
            from autograder.gradescope.container import grade_container

            grade_container(Path(arguments[1]), say)
        else:
            from autograder.gradescope.smoke import smoke_archive

            say(smoke_archive(Path(arguments[1]), say))
    except (GraderError, OSError) as error:
        print(f"autograder: {lines_of(str(error))}", file=sys.stderr)
        return 0 if arguments[0] == "grade" else 2
    except Exception as error:  # ours: results.json says what stands, and staff read this line
        print(f"autograder: internal error, {type(error).__name__}: {lines_of(str(error))}", file=sys.stderr)
        return 0 if arguments[0] == "grade" else 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
