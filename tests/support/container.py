"""Gradescope's container, without one: an unpacked archive, a submission, and the script that Gradescope starts."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import jsonschema

from support.project import SCHEMA


@dataclass
class Container:
    """An unpacked archive laid out as on Gradescope; ``run`` grades the folder ``submission``.

    ``programs``: the folder with the Python that grades, where ``setup.sh`` has made no environment.
    """

    root: Path
    programs: Path = Path(sys.executable).parent

    def run(self, **environment) -> tuple[dict, str]:
        done = subprocess.run(
            ["bash", self.root / "source" / "run_autograder"],
            capture_output=True,
            text=True,
            cwd="/",
            env={
                "AUTOGRADER_ROOT": str(self.root),
                "PATH": f"{self.programs}:{os.environ['PATH']}",
                **environment,
            },
        )
        assert done.returncode == 0, done.stderr
        tree = json.loads((self.root / "results" / "results.json").read_text())
        jsonschema.validate(tree, SCHEMA)
        return tree, done.stdout + done.stderr
