"""A class of any size, laid out as Gradescope exports it:  python tests/support/make_class.py N OUT [ORDINARY]

Drawn from the classroom corpus and the bank of mistakes, with a fixed seed: most are ordinary, a few are broken or empty,
hang, or run an optimiser for a second; some are handed in by two people, one person hands in twice. With ORDINARY given,
only ordinary ones, no two of them the same.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

FIRST = (
    "Ada Alan Barbara Claude Donald Edsger Frances Grace Hedy Ida John Katherine Leslie Margaret Niklaus Radia Shafi Tim"
).split()
LAST = (
    "Lovelace Turing Liskov Shannon Knuth Dijkstra Allen Hopper Lamarr Rhodes Backus Johnson Lamport Hamilton Wirth Perlman "
    "Gray"
).split()
ODD = ('=HYPERLINK("http://x")', "<script>alert(1)</script>", "O'Brien, Séan", "李 小龍", "+cmd|' /C calc'!A0")
SLOW = ("opt-", "scipy-", "hang-", "long-")  # cases of the corpus that compute for a second, or for ever


def variants():
    """Ordinary submissions of §1 + §2.1 as dicts of files: right ones in every format, one with each mistake of the bank."""
    from autograder.authoring.audit import Variants
    from autograder.authoring.baking.bank import load_bank
    from autograder.core.loading import load_assignment
    from support.classroom import CASES

    assignment = load_assignment(ROOT / "assignment")
    made = Variants(assignment, ROOT / "solutions")
    whole = {s.id: made.script(s.id, {}) for s in assignment.sections if not s.probes}
    whole_cases = [c for c in CASES if not c.single and not c.exit]
    ordinary = [c.files for c in whole_cases if len(c.lost) < 8 and not c.name.startswith(SLOW)]
    for mistake in load_bank(assignment)["mistake"]:
        section = assignment.question(mistake["item"]).section.id
        if section not in whole:
            continue
        ordinary.append(
            {
                f"{id}.py": (made.script(id, {mistake["item"]: mistake["code"]}) if id == section else text).encode()
                for id, text in whole.items()
            }
        )
    odd = [c.files for c in whole_cases if c.name.startswith(SLOW)]
    odd += [{}, {"A2S1.py": b"def f(:\n"}, {"report.pdf": b"%PDF-1.7"}, {"A2S1.ipynb": b"{"}]
    return ordinary, odd


def make_class(count: int, out: Path, ordinary_only: bool = False, seed: int = 517) -> None:
    rng = random.Random(seed)
    ordinary, odd = variants()
    lines, previous = ["---"], None
    for index in range(count):
        name = f"submission_{1000 + index}"
        files = rng.choice(odd) if not ordinary_only and rng.random() < 0.03 else rng.choice(ordinary)
        for path, data in files.items():
            target = out / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # No two students write the same bytes.
            stamp = f"\n# student {index}\n".encode() if path.endswith(".py") and not data.startswith(b"{") else b""
            target.write_bytes(data + stamp)
        if any(path.endswith(".ipynb") for path in files):
            (out / name / "README.md").write_text(f"student {index}\n")
            (out / name / f"notes_{index}.txt").write_text("")
        (out / name).mkdir(parents=True, exist_ok=True)
        people = [person(index, rng)]
        if not ordinary_only and index % 40 == 7:
            people.append(person(100_000 + index, rng))
        if not ordinary_only and index == count // 2 and previous:
            people = previous
        lines += [f"{name}:", "  :submitters:"]
        for who, sid, email in people:
            quoted = who.replace("'", "''")
            lines += [f"  - :name: '{quoted}'", f"    :sid: '{sid}'", f"    :email: {email}"]
        lines += [f"  :created_at: 2026-10-{1 + index % 28:02d} 12:00:00.000000000 Z", "  :score: 0.0", "  :status: processed"]
        previous = people
    (out / "submission_metadata.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def person(index: int, rng: random.Random) -> tuple[str, str, str]:
    name = ODD[index % len(ODD)] if index % 50 == 3 else f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    return name, f"{index:07d}", f"student{index}@example.edu"


if __name__ == "__main__":
    make_class(int(sys.argv[1]), Path(sys.argv[2]), len(sys.argv) > 3)
