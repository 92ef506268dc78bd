"""A class of any size, laid out like Gradescope's export: ``python tests/support/make_class.py N OUT [ORDINARY]``.

Drawn from the classroom corpus and the bank of mistakes, with a fixed seed: most submissions are ordinary, a few are broken
or empty, hang, or run an optimiser for a second; some have two authors, and one person submits twice. With ORDINARY, only
ordinary submissions, no two of them the same.
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
SLOW = ("opt-", "scipy-", "hang-", "long-")  # cases of the corpus that compute for a second, or forever
Files = dict[str, bytes]


def variants() -> tuple[list[Files], list[Files]]:
    """Ordinary submissions of §1 + §2.1, and odd ones; a submission is a dict of files.

    Ordinary ones are right in every format, or have one mistake of the bank.
    """
    from support.classroom import CASES

    whole = [case for case in CASES if not case.single and not case.exit]
    ordinary = [case.files for case in whole if len(case.lost) < 8 and not case.name.startswith(SLOW)]
    odd = [case.files for case in whole if case.name.startswith(SLOW)]
    odd += [{}, {"A2S1.py": b"def f(:\n"}, {"report.pdf": b"%PDF-1.7"}, {"A2S1.ipynb": b"{"}]
    return [*ordinary, *mistaken()], odd


def sections3() -> list[Files]:
    """Section 3 as a script: right in three of five, else with a mistake of the bank, as about the other sections are."""
    right, *wrong = mistaken(probed=True)
    return [right] * (len(wrong) * 3 // 2) + wrong


def mistaken(probed: bool = False) -> list[Files]:
    """The solutions as scripts, first right and then with each mistake of the bank in turn; of section 3 if ``probed``."""
    from autograder.authoring.audit import Variants
    from autograder.authoring.baking.bank import load_bank
    from autograder.core.loading import load_assignment

    assignment = load_assignment(ROOT / "assignment")
    made = Variants(assignment, ROOT / "solutions")
    right = {s.id: made.script(s.id, {}) for s in assignment.sections if bool(s.probes) == probed}
    submissions = [{f"{id}.py": script.encode() for id, script in right.items()}]
    for mistake in load_bank(assignment)["mistake"]:
        section = assignment.question(mistake["item"]).section.id
        if section in right:
            scripts = {**right, section: made.script(section, {mistake["item"]: mistake["code"]})}
            submissions.append({f"{id}.py": script.encode() for id, script in scripts.items()})
    return submissions


def make_class(count: int, out: Path, ordinary_only: bool = False, section3: bool = False, seed: int = 517) -> None:
    """Write ``count`` submissions and their metadata; with ``section3``, each has an A2S3.py, too."""
    rng = random.Random(seed)
    ordinary, odd = variants()
    third = sections3() if section3 else []
    lines, previous = ["---"], None
    for index in range(count):
        name = f"submission_{1000 + index}"
        is_odd = not ordinary_only and rng.random() < 0.03
        write_submission(out / name, drawn(rng, odd if is_odd else ordinary, third), index)
        people = [person(index, rng)]
        if not ordinary_only and index % 40 == 7:
            people.append(person(100_000 + index, rng))
        if not ordinary_only and index == count // 2 and previous:
            people = previous
        lines += [f"{name}:", "  :submitters:", *(line for each in people for line in described(*each))]
        lines += [f"  :created_at: 2026-10-{1 + index % 28:02d} 12:00:00.000000000 Z", "  :score: 0.0", "  :status: processed"]
        previous = people
    (out / "submission_metadata.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def drawn(rng: random.Random, submissions: list[Files], third: list[Files]) -> Files:
    """One of the submissions, with one of the third sections beside it, if there are any."""
    return {**rng.choice(submissions), **(rng.choice(third) if third else {})}


def write_submission(folder: Path, files: Files, index: int) -> None:
    """Write the files; no two students write the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        stamp = f"\n# student {index}\n".encode() if path.endswith(".py") and not data.startswith(b"{") else b""
        target.write_bytes(data + stamp)
    if any(path.endswith(".ipynb") for path in files):
        (folder / "README.md").write_text(f"student {index}\n")
        (folder / f"notes_{index}.txt").write_text("")


def described(name: str, sid: str, email: str) -> list[str]:
    quoted = name.replace("'", "''")
    return [f"  - :name: '{quoted}'", f"    :sid: '{sid}'", f"    :email: {email}"]


def person(index: int, rng: random.Random) -> tuple[str, str, str]:
    name = ODD[index % len(ODD)] if index % 50 == 3 else f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    return name, f"{index:07d}", f"student{index}@example.edu"


if __name__ == "__main__":
    make_class(int(sys.argv[1]), Path(sys.argv[2]), len(sys.argv) > 3)
