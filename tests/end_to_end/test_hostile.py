"""No submission can read a secret, forge a grade, harm another item or outlive the run."""

import json
import os
import random
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import psutil
import pytest

from support import share
from support.hostile_runs import MODES, SYSTEM_PYTHON, corpus, same_version, tally
from support.project import ROOT, TESTS


@pytest.mark.many(of=3)
@pytest.mark.parametrize("mode", MODES)
def test_a_sample_of_the_corpus_is_contained(references, tmp_path, mode, capsys):
    rows = corpus(references, tmp_path, mode, first=random.Random(f"{share.SEED} {mode}").randrange(120), step=120)
    with capsys.disabled():
        print("\n" + tally(mode, rows))
    assert rows and not [r for r in rows if r["broken"]]


@pytest.mark.slow
def test_the_corpus_can_fail(references, monkeypatch, tmp_path):
    """Without the cage, the same payload reads the same secret."""
    from hostile.corpus import CASES

    first = [case.name for case in CASES].index("read canary files anywhere in /tmp")
    monkeypatch.setenv("HOSTILE_WITHOUT", "user,landlock,seccomp")
    done = subprocess.run(
        [sys.executable, str(TESTS / "hostile" / "run.py"), str(references), "here", str(first), "9999"],
        capture_output=True,
        text=True,
    )
    assert "a secret got out" in json.loads(done.stdout)["broken"]


def test_without_the_cages_layers_the_doctor_reaches_the_canary(tmp_path):
    if sys.platform != "linux":
        pytest.skip("the cage's layers are Linux's")
    from autograder.core.assignment import Limits
    from autograder.sandbox.judge_side.doctor import examine
    from autograder.sandbox.judge_side.zygote_client import ZygoteClient

    with ZygoteClient((), without=("user", "landlock", "seccomp")) as zygote:
        bare = examine(zygote, Limits(), tmp_path)
    with ZygoteClient(()) as zygote:
        caged = examine(zygote, Limits(), tmp_path)
    assert not bare.safe and {f.name for f in bare.findings if not f.held} >= {"read a hidden file", "open a socket", "fork"}
    assert caged.safe and all(f.held for f in caged.findings)


@pytest.mark.parametrize("without", [("landlock",), ("seccomp",), ("landlock", "seccomp")])
def test_running_as_root_without_some_layer_still_hides_everything(tmp_path, without):
    if os.geteuid() != 0 or not same_version():
        pytest.skip("needs root and a Python that another user can read")
    from autograder.core.assignment import Limits
    from autograder.sandbox.judge_side.doctor import examine
    from autograder.sandbox.judge_side.zygote_client import ZygoteClient

    with ZygoteClient((), SYSTEM_PYTHON, (sysconfig.get_paths()["purelib"],), without) as zygote:
        assert examine(zygote, Limits(), tmp_path).safe


def test_an_unsafe_platform_never_loads_hidden_references_unless_overridden(references, s1, tmp_path, monkeypatch):
    from autograder.core.errors import GraderError
    from autograder.core.loading import load_assignment
    from autograder.core.references import read_references
    from autograder.judging.grader import Grader
    from autograder.judging.run import require_isolation
    from autograder.sandbox.judge_side.zygote_client import ZygoteClient

    assignment = load_assignment(ROOT / "assignment")
    with ZygoteClient((), without=("user", "landlock", "seccomp")) as zygote:
        grader = Grader(assignment, read_references(references), zygote)
        with pytest.raises(GraderError, match="kept apart"):
            require_isolation(grader, tmp_path, lambda line: None)
        monkeypatch.setenv("AUTOGRADER_ISOLATION", "process")
        require_isolation(grader, tmp_path, lambda line: None)
        assert grader.inputs(grader.choose(assignment.sections[0], b"any code")) is grader.references["public"]


def test_torchs_own_attention_is_flagged_for_staff_and_not_marked_down(submit, s2):
    body = (
        "    return F.scaled_dot_product_attention(*(x.unflatten(-1, (n_heads, -1)).transpose(1, 2) for x in (Q, K, V)), "
        "is_causal=causal).transpose(1, 2).flatten(2)\n"
    )
    start, end = s2.index("    B, n_tok, n_embd = Q.shape"), s2.index("def pairwise")
    graded = submit({"A2S2.py": s2[:start] + body + s2[end:]})
    steps = [t for t in graded.tree["tests"] if "self_attention" in t["number"]]
    assert all(t["score"] and t["extra_data"]["flags"] == ["scaled_dot_product_attention"] for t in steps)
    assert "scaled_dot" not in "".join(t["output"] for t in steps)


def passed(results: Path) -> set[str]:
    tests = json.loads(results.read_text())["tests"] if results.exists() else []
    return {t["number"] for t in tests if t["score"]}


@pytest.mark.slow
def test_workers_die_with_a_killed_grader_and_the_results_stay_truthful(references, settings, s2, tmp_path):
    (tmp_path / "A2S2.py").write_text(s2.replace("return F.softmax(A, dim=-1)", "while True: pass"))
    command = [
        sys.executable,
        "-m",
        "autograder",
        "--build",
        str(settings["build"]),
        "grade",
        str(tmp_path / "A2S2.py"),
        "--output",
        str(tmp_path / "r.json"),
    ]
    grader = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while "2.1.attn_scaled" not in passed(tmp_path / "r.json"):  # the item before the one that hangs
        assert grader.poll() is None, "the grader exited early"
        time.sleep(0.1)
    family = psutil.Process(grader.pid).children(recursive=True)
    assert len(family) >= 2  # the zygote and a worker
    grader.kill()
    grader.wait()
    _, alive = psutil.wait_procs(family, timeout=600)
    assert not alive
    tree = json.loads((tmp_path / "r.json").read_text())
    assert not tree["extra_data"]["complete"]
