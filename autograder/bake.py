"""Build time, trusted: run the solution on drawn inputs and keep inputs and outputs as arrays.

The file it writes holds ``HIDDEN_SETS`` hidden sets and one public set; no code and no seed. Only this module
runs the staff's solution, in its own process, never beside student code.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import secrets
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

from autograder.intake import Submission, take_in
from autograder.judge import load_kit_lib as load_lib
from autograder.kit import Case, lowered, on_arrays
from autograder.kit.diagnose import alike, outputs_of
from autograder.model import Assignment, GraderError, Question, Section, load
from autograder.references import REFERENCES, load_module, packed, probe_sources, stored_fingerprint
from autograder.sandbox.child import open_stage
from autograder.sandbox.values import make_decoder, make_encoder
from autograder.slice import Slicer
from autograder.toml import tomllib

HIDDEN_SETS = 8
FORMAT = 1


def secret_seed(build: Path) -> int:
    """The hidden inputs' seed: AUTOGRADER_SEED, else ``.seed`` beside ``build``, made once, never packed or committed."""
    path = build.parent / ".seed"
    if os.environ.get("AUTOGRADER_SEED"):
        return int.from_bytes(hashlib.sha256(os.environ["AUTOGRADER_SEED"].encode()).digest()[:8], "little")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{secrets.randbits(63)}\n")
    return int(path.read_text())


def fingerprint(assignment: Assignment, solutions: Path, seed: int) -> str:
    """Hash of all that the baked file depends on."""
    digest = hashlib.sha256(f"{FORMAT} {seed}".encode())
    engine = Path(__file__).parent
    sources = [engine / name for name in ("bake.py", "slice.py", "effects.py", "statements.py", "readers.py")]
    for path in [*sources, *sorted(assignment.folder.rglob("*")), *sorted(Path(solutions).glob("*.[ip][py]*"))]:
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def bake(assignment: Assignment, solutions: Path, seed: int) -> dict[str, Any]:
    """All that a grader needs: ``{"fingerprint", "sets": [packed tree, …], "public": tree, "says", "noise"}``.

    A tree has ``cases`` (question id -> group -> list of cases, see ``kit.Case``), ``worlds`` (section -> what its probes work
    on) and ``bank`` (question id -> mistake -> group -> outputs). ``says``: what the author of a mistake reads; ``noise``: the
    solution's own numerical error. Raises GraderError when the solution fails or disagrees with the assignment's own second
    opinion.
    """
    recipe = load_module(assignment.folder / "bake.py", "assignment_bake")
    submission = take_in(assignment, solutions)
    mistakes = load_bank(assignment)["mistake"]
    lib = load_lib(assignment)
    trees = []
    for number in range(HIDDEN_SETS + 1):
        public = number == HIDDEN_SETS
        drawn = None if public else seed + number
        worlds = recipe.worlds(drawn, public=public) if hasattr(recipe, "worlds") else {}
        with Solution(assignment, submission, worlds) as solution:
            names, further = solution.names(), {"stages": solution.stages} if worlds else {}
            cases = _fill(recipe.draw(drawn, public=public, names=names, **further), solution, names, lib)
            problem = recipe.second_opinion(cases)
            if problem:
                raise GraderError(f"the solution disagrees with the second opinion: {problem}")
            called = [m for m in mistakes if not assignment.question(m["item"]).probe]
            trees.append({"cases": cases, "worlds": worlds, "bank": mistake_outputs(solution, cases, called, names, lib)})
            if public:  # symptoms that probes see are the same in every world; what is like another mistake bears its name
                further = [m for m in mistakes if m not in called and "like" not in m]
                observed = mistake_outputs(solution, cases, further, names, lib)
    for tree in trees:
        tree["bank"] |= observed
    says: dict[str, dict[str, str]] = {}
    for mistake in mistakes:
        for question in _same_answer(assignment, mistake["item"]):
            says.setdefault(question.id, {})[mistake["id"]] = mistake["says"]
    return {"fingerprint": fingerprint(assignment, solutions, seed), "sets": [packed(tree) for tree in trees[:-1]],
            "public": trees[-1], "says": says, "noise": noise(trees[:-1], names, assignment)}


def load_bank(assignment: Assignment) -> dict[str, list[dict]]:
    """``bank/*.toml``: known mistakes and correct alternatives; empty where an assignment keeps none."""
    bank: dict[str, list[dict]] = {"mistake": [], "alternative": []}
    known = {q.id for q in assignment.questions}
    for path in sorted(assignment.folder.glob("bank/*.toml")):
        for kind, entries in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for entry in entries:
                if entry["item"] not in known or not known >= set(entry.get("also", ())):
                    raise GraderError(f"{path.name}: {entry['id']!r} names no item of the rubric")
            bank[kind] += entries
    return bank


def _same_answer(assignment: Assignment, item: str) -> list[Question]:
    """The questions that a mistake may show up in: for a function, all that judge it by calling it."""
    question = assignment.question(item)
    return [question] if question.value or question.probe else [q for q in assignment.questions if q.names == question.names]


def mistake_outputs(solution: "Solution", cases: dict, mistakes: list[dict], names: dict, lib: types.ModuleType) -> dict:
    """Run every mistake on the same inputs; a mistake that raises has no outputs there."""
    bank: dict[str, dict] = {}
    assignment = solution.assignment
    for mistake in mistakes:
        for question in _same_answer(assignment, mistake["item"]):
            scope = solution.scope(question.section) if question.probe else dict(names)
            exec(compile(mistake["code"], mistake["id"], "exec"), scope)
            answer = solution.answer(question, scope)
            if question.probe:
                answer = functools.cache(answer)  # its groups differ in what else is judged, not in what is seen
            signature = functools.partial(lib.signature, question.id)
            outputs = {group: outputs_of(answer, [Case(**case) for case in listed], signature)
                       for group, listed in cases[question.id].items() if group in ("own", "fresh")}
            # A mistake that gives right answers here (a wrong mask where none is asked for) explains no wrong one.
            right = all(alike(o, case["expected"]) for o, case in zip(outputs["own"], cases[question.id]["own"])
                        if o is not None and case["expected"] is not None)
            if question.value or not right or mistake["item"] == question.id:
                bank.setdefault(question.id, {})[mistake["id"]] = outputs
    return bank


def noise(trees: list[dict], names: dict, assignment: Assignment) -> dict[str, float]:
    """Largest difference of the solution's float32 outputs to its float64 ones, and between thread counts."""
    torch, found = sys.modules.get("torch"), {}
    if torch is None:
        return found
    import numpy

    for tree in trees:
        for id, groups in tree["cases"].items():
            question = assignment.question(id)
            for case in [] if question.value or question.probe else groups["own"]:
                precise = [a.astype(numpy.float64) if isinstance(a, numpy.ndarray) else a for a in case["args"]]
                outputs = [on_arrays(names[question.names[0]])(*precise, **case["kwargs"])]
                for threads in (1, 2):
                    torch.set_num_threads(threads)
                    outputs.append(on_arrays(names[question.names[0]])(*case["args"], **case["kwargs"]))
                for output in outputs:
                    with numpy.errstate(invalid="ignore"):
                        error = numpy.where(output == case["expected"], 0.0, numpy.abs(output - case["expected"])).max()
                    found[id] = max(found.get(id, 0.0), float(error))
    return found


def _fill(tree: dict, solution: "Solution", names: dict[str, Any], lib: types.ModuleType) -> dict:
    """Compute ``expected`` of each case that names a solution ``function``, and of those that a probe observes."""
    encode, decode = make_encoder(), make_decoder()
    for id in tree:
        for cases in tree[id].values():
            for case in cases:
                function = case.pop("function", None)
                if function:
                    args = decode(case["args"])
                    case["expected"] = encode(names[function](*args, **case["kwargs"]))
    for question in (q for q in solution.assignment.questions if q.probe):
        answer = solution.answer(question, solution.scope(question.section))
        for case in (case for cases in tree[question.id].values() for case in cases):
            case["expected"] = lib.signature(question.id, answer(), Case(**case))
    missing = {q.id for q in solution.assignment.questions} - set(tree)
    if missing:
        raise GraderError(f"bake.py draws no cases for {', '.join(sorted(missing))}")
    return tree


class Solution:
    """The solution run in this process, its probed sections in the given worlds. Use as a context manager."""

    def __init__(self, assignment: Assignment, submission: Submission, worlds: dict[str, Any]):
        self.assignment, self.submission = assignment, submission
        for name in [*assignment.preload, *(name for section in assignment.sections for name in section.preload)]:
            importlib.import_module(name)
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)  # as in workers; on small tensors more only wait for each other
        self.stages = {s.id: open_stage(probe_sources(assignment, s), worlds[s.id]) for s in assignment.sections if s.probes}

    def __enter__(self) -> "Solution":
        return self

    def __exit__(self, *_: Any) -> None:
        for stage in self.stages.values():
            stage.close()

    def names(self) -> dict[str, Any]:
        """All names that the sections' slices bind."""
        return {key: value for section in self.assignment.sections for key, value in self.scope(section).items()
                if not key.startswith("__")}

    def scope(self, section: Section) -> dict[str, Any]:
        """One section's slice, run anew."""
        found = self.submission.sections[section.id]
        if found.parsed is None:
            raise GraderError(f"solutions/: {found.problem}")
        slicer = Slicer(self.assignment, section, found.parsed, self.submission.modules)
        module = sys.modules[f"solution_{section.id}"] = types.ModuleType(f"solution_{section.id}")
        exec(compile(section.prelude, f"{section.id} given", "exec"), module.__dict__)
        for statement in slicer.program(self.assignment.of_section(section)).statements:
            exec(compile(statement.code, f"{section.id} {found.parsed.document.place(statement.cell, statement.line)}", "exec"),
                 module.__dict__)
        return module.__dict__

    def answer(self, question: Question, scope: dict[str, Any]) -> Any:
        """The question's answer in these names, as tests see it: a value, a function, or what a probe observes."""
        if question.probe:
            return lambda: self.stages[question.section.id].observe(question.probe, scope, make_encoder())
        return lowered(scope[question.names[0]]) if question.value else on_arrays(scope[question.names[0]])


def fresh_references(folder: Path, solutions: Path, build: Path) -> Path:
    """The baked file, made anew when missing or stale, in a process of its own, which may import torch.

    Raises GraderError with what that process said.
    """
    path = build / REFERENCES
    if stored_fingerprint(path) != fingerprint(load(folder), solutions, secret_seed(build)):
        command = [sys.executable, "-m", "autograder", "--assignment", str(folder), "--solutions", str(solutions),
                   "--build", str(build), "bake"]
        root = Path(__file__).resolve().parents[1]
        environment = {**os.environ, "PYTHONPATH": str(root), "OMP_WAIT_POLICY": "PASSIVE"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise GraderError("baking failed: " + (done.stderr.strip() or done.stdout.strip()))
    return path
