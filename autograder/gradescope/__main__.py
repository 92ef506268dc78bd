"""The commands for Gradescope's container, where only the archive is available.

python -m autograder.gradescope grade ROOT      called by run_autograder; always exits 0
python -m autograder.gradescope smoke SOURCE    called by setup.sh as its last step
"""

from __future__ import annotations

import sys
from pathlib import Path

from autograder.core.errors import GraderError


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status. A GraderError is printed as one line."""
    if len(arguments) != 2 or arguments[0] not in ("grade", "smoke"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if arguments[0] == "grade":
            from autograder.gradescope.container import grade_container

            grade_container(Path(arguments[1]), print)
        else:
            from autograder.gradescope.smoke import smoke_archive

            print(smoke_archive(Path(arguments[1]), print))
    except GraderError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 0 if arguments[0] == "grade" else 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
