"""Student code that asks Python for frames is reported, whatever it calls itself; ordinary code is not."""

import time

import pytest

from autograder.core.assignment import Limits
from autograder.sandbox.judge_side.worker import Worker
from support.programs import program

LIMITS = Limits(statement_seconds=60, call_seconds=60)
WRITTEN = "import os, sys\nopen('helper.py', 'w').write({text!r})\nsys.path.insert(0, os.getcwd())\nimport helper"
FORGED = "import enum, inspect, os, sys, traceback, types\ntext, found = {text!r}, []\nnames = {{'sys': sys, 'found': found}}\n"
TEXT = "found.append(sys._getframe(1))"

# What asks for a frame, and gets one, from the student's own code under some other name.
ASKS = {
    "a module that it wrote": WRITTEN.format(text="import sys\nfound = [sys._getframe(0).f_back]"),
    "a function of a module that it wrote": WRITTEN.format(text="import sys\ndef f():\n    return [sys._getframe(1)]")
    + "\nhelper.found = helper.f()",
    "a module in a package that it wrote": "import os, sys\nos.mkdir('site-packages')\nos.mkdir('site-packages/enum2')\n"
    "open('site-packages/enum2/__init__.py', 'w').write('import sys\\nfound = [sys._getframe(0)]')\n"
    "sys.path.insert(0, os.path.abspath('site-packages'))\nimport enum2",
    "a module that it wrote as a library is called": "import os, sys\n"
    "open('typing.py', 'w').write('import sys\\nfound = sys._getframe(0)')\n"
    "from importlib import util\nspec = util.spec_from_file_location('t', os.path.abspath('typing.py'))\n"
    "spec.loader.exec_module(util.module_from_spec(spec))",
    "code that says it is a library's": FORGED.format(text=TEXT) + "exec(compile(text, '/enum.py', 'exec'), names)",
    "code with the path of a library": FORGED.format(text=TEXT) + "exec(compile(text, enum.__file__, 'exec'), names)",
    "code with the path of a library, deep in itself": FORGED.format(text=f"def g():\n    {TEXT}\ndef f():\n    g()\nf()")
    + "exec(compile(text, traceback.__file__, 'exec'), names)",
    "code with a path beside a library": FORGED.format(text=TEXT)
    + "exec(compile(text, os.path.join(os.path.dirname(enum.__file__), 'x', 'enum.py'), 'exec'), names)",
    "code that says it is frozen": FORGED.format(text=TEXT) + "exec(compile(text, '<frozen os>', 'exec'), names)",
    "a function that has a library's name": FORGED.format(text=f"def findCaller():\n    {TEXT}\nfindCaller()")
    + "exec(compile(text, traceback.__file__, 'exec'), names)",
    "code whose file was replaced": FORGED.format(text=TEXT)
    + "exec(compile(text, '<cell 9>', 'exec').replace(co_filename=enum.__file__), names)",
    "code made from a library's": FORGED.format(text=TEXT)
    + "new = enum.global_str.__code__.replace(co_code=compile(text, '', 'exec').co_code, "
    "co_names=('found', 'append', 'sys', '_getframe'), "
    "co_consts=(1, None), co_argcount=0, co_varnames=(), co_nlocals=0, co_stacksize=20)\nexec(new, names)",
    "a loader that gives other text": FORGED.format(text=TEXT)
    + "from importlib import machinery\nclass Loader(machinery.SourceFileLoader):\n"
    "    def get_data(self, path): return text.encode() if path == enum.__file__ else b''\n"
    "    def path_stats(self, path): return {'mtime': 1, 'size': 1}\n"
    "    def _cache_bytecode(self, *_): pass\n"
    "exec(Loader('enum', enum.__file__).get_code('enum'), names)",
    "a library that hands out its caller": "import inspect\nfound = [inspect.currentframe()]",
    "a pool that calls what it is given": "import sys\nfrom concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor() as pool:\n    found = pool.submit(sys._getframe, 0).result()",
    "a thread that runs its code": "import sys, threading\nfound = []\n"
    "thread = threading.Thread(target=lambda: found.append(sys._getframe()))\nthread.start()\nthread.join()",
    "a library that calls what it is given": "import functools, sys\nfound = [*map(functools.partial(sys._getframe), [0])]",
}
ORDINARY = {
    "named tuples": "import collections, typing\nP = collections.namedtuple('P', 'x')\nclass Q(typing.NamedTuple):\n    x: int",
    "enumerations": "import enum\nclass C(enum.Enum):\n    A = 1\nD = enum.Enum('D', 'A B')",
    "data classes": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    x: int = 0\nprint(C())",
    "types": "import typing\nT = typing.TypeVar('T')\nclass P(typing.Protocol[T]):\n    pass",
    "warnings": "import warnings\nwarnings.warn('x')\nwarnings.warn_explicit('x', UserWarning, 'f', 1)",
    "logs": "import logging\nlogging.warning('x')\nlogging.getLogger('y').error('z', stack_info=True)",
    "tracebacks": "import traceback\ntry:\n    1 / 0\nexcept Exception:\n    traceback.print_exc()\ntraceback.print_stack()",
    "text that is compiled": "exec(compile('y = 1', 'run.py', 'exec'))\nexec('z = 2')\neval('1 + 1')",
    "a module that it wrote": WRITTEN.format(
        text="import dataclasses, logging\n@dataclasses.dataclass\nclass C:\n    x: int\nlogging.error(1)"
    ),
    "tests": "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertWarns(UserWarning)\n"
    "unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(T))",
    "deep copies and pickles": "import collections, copy, pickle\n"
    "P = collections.namedtuple('P', 'x')\ncopy.deepcopy(P(1))\npickle.dumps([1])",
    "threads": "import collections, logging\n"
    "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor() as pool:\n    [*pool.map(logging.warning, 'ab')]\n"
    "    pool.submit(collections.namedtuple, 'P', 'x').result()",
    "plots": "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\na, b = plt.subplots(1, 2)[1]",
    "bars": "from tqdm import tqdm\nfor _ in tqdm(range(3)):\n    pass",
    "torch": "import torch\nt = torch.ones(2).cuda()\nt.is_cuda, t.device, torch.get_default_device()\n"
    "first = torch.nn.Linear(2, 2)\n"
    "torch.optim.SGD(first.parameters(), lr=0.1).zero_grad()\n@torch.no_grad()\ndef g():\n    return first(t)\ng()",
}


@pytest.fixture
def told(grader):
    """What the judge hears of while code runs in a worker with a folder to write in."""

    def touches(code):
        with Worker(grader.zygote, LIMITS, folder=True) as worker:
            loaded = worker.load(program(code, "f = 1"))
            assert not loaded.failures and list(loaded.bound) == ["f"]
            return [what for what, _, _ in worker.touches]

    return touches


@pytest.mark.parametrize("who", ASKS)
def test_whoever_asks_for_a_frame_in_a_students_name_is_reported(told, who):
    assert set(told(ASKS[who])) == {"sys._getframe"}


@pytest.mark.parametrize("what", ORDINARY)
def test_ordinary_code_is_not_reported(told, what):
    assert told(ORDINARY[what]) == []


UNASKED = {
    "a thread": "threading.Thread(target=later, daemon=True).start()",
    "a handler of a signal": "signal.signal(signal.SIGPROF, lambda *_: asks())\nsignal.setitimer(signal.ITIMER_PROF, 0.2)\n"
    "threading.Thread(target=lambda: sum(range(10**8)), daemon=True).start()",
    "a timer": "threading.Timer(0.3, asks).start()",
    "many threads": "for n in range(10): threading.Thread(target=later, daemon=True).start()",
}


@pytest.mark.parametrize("who", UNASKED)
def test_what_asks_between_two_requests_is_reported_with_the_next_reply_and_ends_nothing(grader, who):
    code = f"""
import inspect, signal, threading, time
def asks():
    done.append(inspect.currentframe())
def later():
    time.sleep(0.3)
    asks()
def f():
    return len(done)
done = []
{UNASKED[who]}
"""
    with Worker(grader.zygote, LIMITS) as worker:
        worker.load(program(code))
        time.sleep(0.6)
        deadline = time.monotonic() + 60
        while not worker.call("f", [], {}) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert {what for what, _, _ in worker.touches} == {"sys._getframe"}
