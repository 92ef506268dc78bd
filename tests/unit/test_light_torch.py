"""Torch without what only tensors without data and exported programs need is torch, whatever a submission does with it."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from autograder.sandbox.judge_side.worker import Worker, WorkerError
from autograder.sandbox.worker_side import light_torch
from support.project import ROOT
from support.torch_uses import USES

# What the parts add to what other modules hold. Everything else that torch holds is the same without them.
ADDED = {
    # of the parts' own: operators, what is known of them, and what exported programs and passes are marked with
    "torch._higher_order_ops.utils.hops_that_skip_faketensor_cache",
    "torch._higher_order_ops.utils.registered_hop_fake_fns",
    "torch._library.custom_ops.OPDEF_TO_LIB",
    "torch._library.simple_registry.singleton._data",
    "torch._ops._higher_order_ops",
    "torch.fx._compatibility._MARKED_WITH_COMPATIBILITY",
    "torch.fx.experimental.proxy_tensor._side_effectful_functions",
    "torch.fx.node._side_effectful_functions",
    "torch.jit._builtins._builtin_table",  # an operator is added where it is first used
    "torch.library._defs",
    "torch.library._keep_alive",
    "torch.ops._dir",
    # read when a library of operators is opened, a dispatch mode entered, or a type given to an own operator
    "torch.library._impls",
    "torch._subclasses.fake_impls.op_implementations_dict",
    "torch._library.opaque_object._OPAQUE_TYPES_BY_NAME",
    # `install` does the same
    "torch.Generator",
    "torch._C.Generator",
    "torch._C.Generator.__module__",
    "torch.utils.data.dataset.Generator",
}


def output(script, *arguments):
    command = [sys.executable, str(ROOT / "tests" / "support" / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def states():
    return {which: output("torch_state.py", which) for which in ("light", "whole")}


@pytest.mark.slow
def test_the_parts_are_all_that_is_left_out(states):
    left_out = set(states["whole"]["loaded"]) - set(states["light"]["loaded"])
    assert {name for name in left_out if name.rpartition(".")[0] not in left_out} == set(light_torch.PARTS)


@pytest.mark.slow
def test_what_the_parts_add_elsewhere_is_known(states):
    light, whole = states["light"], states["whole"]
    left_out = tuple(f"{name}." for name in {*whole["loaded"]} - {*light["loaded"]})
    namespaces = {f"torch.ops.{name}" for name in light_torch.REGISTERED}
    other = {name for name, held in whole["modules"].items() if light["modules"].get(name) != held}
    assert {n for n in other if not n.startswith(left_out)} - {*light_torch.PARTS} - namespaces == ADDED


@pytest.mark.slow
def test_operators_have_all_their_kernels_but_those_for_meta(states):
    light, whole = states["light"]["kernels"], states["whole"]["kernels"]
    assert {name.partition("::")[0] for name in {*whole} - {*light}} == {*light_torch.DEFINED} - {"higher_order"}
    mps = {"aten::linalg_lu_solve.out"}  # for Apple's processors
    assert {name for name in light if light[name] != whole[name]} == mps
    registered = {name.partition("/")[0] for name in {*states["whole"]["impls"]} - {*states["light"]["impls"]}}
    assert registered <= {*light_torch.REGISTERED}


@pytest.mark.slow
def test_a_tensor_on_meta_is_made_by_the_known_operators_only(states):
    made = {name for name in states["light"]["factories"] if name.startswith("aten::")}
    assert made == {f"aten::{name}" for name in light_torch.FACTORIES}


@pytest.mark.slow
def test_once_loaded_torch_holds_what_it_always_does(states):
    later, whole = states["light"]["later"], states["whole"]
    assert later["kernels"] == whole["kernels"]
    assert later["impls"] == whole["impls"]
    names = {*later["modules"]} ^ {*whole["modules"]}
    assert {name for name in names if name.rpartition(".")[2] not in ("prims", "_prims", "refs")} == set()  # names in the parts


@pytest.mark.slow
@pytest.mark.many(of=8)
@pytest.mark.parametrize("uses", [list(USES)[first::8] for first in range(8)], ids=lambda uses: uses[0])
def test_whatever_is_used_prints_the_same(uses):
    light, whole = output("torch_uses.py", "light", *uses), output("torch_uses.py", "whole", *uses)
    assert light.keys() == set(uses)
    assert {use: text for use, text in light.items() if text != whole[use]} == {}


LATE = """
import sys, time
class Slow:  # an import takes as long as it does on a busy machine
    def find_spec(self, name, *_):
        if name == "torch._decomp":
            time.sleep(4)
sys.meta_path.insert(0, Slow())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "use",
    [
        "import torch\nf = str(torch.ones(2, device='meta').shape)",
        "import torch._refs\nf = torch._refs.abs.__name__",
        "from torch.export import Dim\nf = 1",
    ],
)
def test_in_the_cage_the_time_that_libraries_take_is_not_the_students(grader, use):
    limits = replace(grader.assignment.limits, statement_seconds=1.0)
    with Worker(grader.zygote, limits) as worker:
        loaded = worker.load(program(LATE, use))
        assert (loaded.failures, list(loaded.bound), worker.touches) == ([], ["f"], [])
        assert worker.loads == 2


@pytest.mark.parametrize("op", ["load", "call"])
def test_a_request_that_ends_while_libraries_are_said_to_load_breaks_the_protocol(grader, op):
    forge = """
import gc
child = next(one for one in gc.get_objects() if type(one).__name__ == "Child")
f = lambda: child.answer({"loading": True})
"""
    with Worker(grader.zygote, grader.assignment.limits) as worker:
        if op == "call":
            worker.load(program(forge))
        with pytest.raises(WorkerError) as caught:
            worker.call("f", [], {}) if op == "call" else worker.load(program(forge, "f()"))
        assert caught.value.kind == "protocol"


def test_a_worker_has_that_time_once(grader):
    with Worker(grader.zygote, grader.assignment.limits) as worker:
        begun = worker._loading({"loading": True}, None)
        assert begun is not None
        assert worker._loading({"loading": True}, begun) is None
        assert worker._loading({"loading": False}, begun) is not None
        assert worker._loading({"loading": True}, begun) is None
        assert worker._loading({"loading": False}, begun) is None


def test_student_code_gets_no_hold_of_the_worker_through_what_loads_libraries(grader):
    code = """
import sys, torch
from torch.utils._python_dispatch import TorchDispatchMode
namespaces = torch._ops._OpNamespace.__getattr__, torch._ops._HigherOrderNamespace.__getattr__
found = [
    name
    for one in (torch.library.Library.__init__, TorchDispatchMode.__enter__, type(torch.export).__getattr__, *namespaces)
    for name in ("__globals__", "__closure__", "__code__", "__self__")
    if hasattr(one, name)
]
"""
    with Worker(grader.zygote, grader.assignment.limits) as worker:
        loaded = worker.load(program(code, "f = lambda: found"))
        assert not loaded.failures
        assert worker.call("f", [], {}) == []


def program(*lines):
    statements = [{"code": code, "cell": 0, "line": number} for number, code in enumerate(lines, 1)]
    return {"statements": statements, "watch": [], "report": ["f"], "prelude": "", "future": [], "modules": {}}


def test_libraries_that_load_for_ever_end_as_code_does_that_hangs(grader, monkeypatch):
    monkeypatch.setattr("autograder.sandbox.judge_side.worker.LOADING_SECONDS", 1.0)
    with Worker(grader.zygote, replace(grader.assignment.limits, statement_seconds=1.0)) as worker:
        endless = LATE.replace("time.sleep(4)", "time.sleep(10**6)")
        loaded = worker.load(program(endless, "import torch\ntorch._refs.abs", "f = 1"))
        assert [failure["type"] for failure in loaded.failures] == ["Deadline"]
        assert list(loaded.bound) == ["f"]
