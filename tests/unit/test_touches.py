"""What staff read about code that reaches for the interpreter around it."""

import ast
import json

import pytest

from autograder.slicing.effects import imported
from autograder.slicing.touches import by_kind, folded, noted, touches

FORGERIES = {
    "import sys\nsys.modules['assignment_probes']": "sys.modules",
    "import sys\nfor m in sys.modules.values(): pass": "sys.modules",
    "import sys\nsys.modules['torch'] = None": "sys.modules",
    "import sys as s\nx = s.modules": "sys.modules",
    "from sys import modules": "sys.modules",
    "import os\nos.sys.modules.clear()": "sys.modules",
    "import sys\ngetattr(sys, 'mod' + 'ules')": "sys.modules",
    "import sys\ngetattr(sys, name)": "getattr of sys",
    "import sys\nvars(sys)": "vars of sys",
    "import sys\nsys.__dict__['x']": "sys.__dict__",
    "import sys\nsys._getframe(1)": "_getframe",
    "import inspect\ninspect.stack()": "stack",
    "from inspect import currentframe as c": "inspect.currentframe",
    "import gc\ngc.get_referrers(x)": "get_referrers",
    "e.__traceback__.tb_frame": "tb_frame",
    "getattr(g, 'gi_' 'frame')": "gi_frame",
    "getattr(g, f'gi_{\"frame\"}')": "gi_frame",
    "getattr(g, 'emarf_ig'[::-1])": "gi_frame",
    "getattr(g, ''.join(['gi_', 'frame']))": "gi_frame",
    "'{0.gi_frame.f_back}'.format(g)": "gi_frame",
    "from operator import attrgetter\nattrgetter('a.__globals__')(f)": "__globals__",
    "__builtins__['len'] = None": "__builtins__",
    "object.__subclasses__()": "__subclasses__",
    "import builtins\nnames = vars(builtins)": "builtins",
    "import builtins\nbuiltins.exec(x)": "exec",
    "import marshal": "marshal",
    "import _ctypes": "_ctypes",
    "import __mp_main__ as here": "__mp_main__",
    "import typing\ntyping.get_type_hints(f)": "get_type_hints",
    "import signal\nsignal.getsignal(14)": "getsignal",
    "import signal\nsignal.signal(14, f)": "signal",
    "match it:\n    case object(gi_frame=frame): pass": "gi_frame",
    "run = exec\nrun(text, globals())": "exec under another name",
    "reach = [getattr][0]": "getattr under another name",
    "import types\ntypes.FunctionType(c, {})()": "FunctionType: code that is made at run time",
    "import logging\ngetattr(logging, 'cur' + str('rent'))()": "getattr of logging",
    "from unittest import mock\nmock.patch('torch.save', f).start()": "unittest.mock",
    "import unittest.mock": "unittest.mock",
    "import torch\nvars(torch)['tanh'] = None": "vars of torch[…] = …",
    "import torch\ntorch.nn.__dict__.update(x=1)": "update of torch.nn",
    "import torch\ntype.__setattr__(torch.nn.Linear, 'forward', f)": "__setattr__ of torch.nn.Linear",
    "import itertools\nitertools.islice = f": "itertools.islice = …",
    "import pathlib\npathlib.Path.stat = f": "pathlib.Path.stat = …",
    "import traceback\ntraceback.TracebackException(a, b, c, capture_locals=True)": "capture_locals",
    "import ctypes": "ctypes",
    "import autograder.sandbox.protocol": "autograder.sandbox.protocol",
    "import importlib\nimportlib.import_module('autograder.core')": "autograder.core",
    "__import__(name)": "__import__ of code that is made at run time",
    "exec(x)": "exec of code that is made at run time",
    "exec('import gc; gc.get_objects()')": "get_objects",
    "import torch\ntorch.save = f": "torch.save = …",
    "import torch\ntorch.nn.Module.__call__, x = f, 1": "torch.nn.Module.__call__ = …",
    "from torch.utils.data import DataLoader as D\nD.__iter__ = f": "D.__iter__ = …",
    "import torch\nsetattr(torch, 'save', f)": "setattr of torch",
    "x.__class__ = y": "x.__class__ = …",
    "for hook in model._forward_hooks.values(): hook()": "_forward_hooks",
}
ORDINARY = [
    "import sys\ncolab = 'google.colab' in sys.modules",
    "import sys\nif sys.modules.get('google.colab'): pass",
    "import sys\nhere = sys.modules[__name__]",
    "import sys\nsys.path.append('.'); print(sys.version, file=sys.stdout); sys.exit",
    "import gc\ngc.collect(); gc.disable()",
    "import builtins\nif hasattr(builtins, '__IPYTHON__'): pass\nbuiltins.print(1)",
    "import torchvision.models as models\nmodels.__dict__[name]()",
    "import sys, os\nsys.stdout = open(os.devnull); os.environ['A'] = 'b'; sys.excepthook = f",
    "match x:\n    case Point(x=1): pass",
    "import inspect\ninspect.getsource(f)",
    "import torch\ntorch.backends.cudnn.deterministic = True\ntorch.manual_seed(0)",
    "import torch\nmodel = torch.compile(model); model.eval(); model.modules()",
    "optimizer = getattr(torch.optim, name)(model.parameters())",
    "import importlib\nimportlib.import_module('torch')",
    "import re\nre.compile('x')",
    "self.model.train = 1; args.lr = 2",
    "'''The frame of __globals__.'''",
    "import transformers\ntransformers.logging.set_verbosity_error()",
    "import torch\ntorch.nn.functional.softmax(x); x.grad = None; x.data = y",
    "super().__init__(); type(self).__name__; self.__class__.__name__; self.__dict__.update(x)",
    "try:\n    f()\nexcept Exception as error:\n    print(error, error.__traceback__)",
]


def found(code: str) -> list[str]:
    tree = ast.parse(code)
    return [what for _, what in touches(tree, imported(tree.body))]


@pytest.mark.parametrize("code", FORGERIES)
def test_what_leads_out_of_student_code_is_named(code):
    assert FORGERIES[code] in found(code)


@pytest.mark.parametrize("code", ORDINARY)
def test_ordinary_code_is_not_flagged(code):
    assert found(code) == []


def test_the_line_is_the_one_that_does_it():
    assert list(touches(ast.parse("def f():\n    x = 1\n    return x.gi_frame"), {})) == [(3, "gi_frame")]


@pytest.mark.parametrize(("code", "text"), [("'a' + b", None), ("1", None), ("f'{x}'", None), ("'a' + 'b' + 'c'", "abc")])
def test_only_constants_are_folded(code, text):
    assert folded(ast.parse(code, mode="eval").body) == text


def test_a_flood_of_words_hides_nothing():
    code = "import sys\n" + "a = '__code__ f_back gi_frame __globals__'\n" * 50 + "sys._getframe()\n"
    tree = ast.parse(code)
    notes = by_kind([(what, noted(what, f"line {line}", [])) for line, what in touches(tree, imported(tree.body))])
    assert notes[0].startswith("_getframe at line 52") and notes[1].endswith("(and 49 more)") and len(notes) == 5


def test_a_note_is_of_bounded_size():
    assert len(json.dumps(noted("x" * 999, "\U0001f600" * 999, ["\U0001f600" * 999]))) <= 200
