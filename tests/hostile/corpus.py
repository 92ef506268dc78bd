"""Hostile submissions, as data. Every payload is bounded and touches loopback only.

Each case starts from right answers to all items and changes one thing. ``zero``: the items that must end at 0;
every other item must keep its points. ``CANARY`` stands for whatever is secret: it is planted beside the references, in
the grader's environment and in its memory, and must appear in no result.
"""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
S1, S2 = (DATA / "right_s1.py").read_text(), (DATA / "right_s2.py").read_text()
CANARY = "CANARY-7f3a91"
SOFTMAX, MASK = "2.1.attn_softmax", "2.1.make_causal_mask"
RIGHT = "return F.softmax(A, dim=-1)"
ALL1 = frozenset({"1.2.1", "1.2.2", "1.3.1", "1.3.2", "1.4.1", "1.4.2"})
STEPS = frozenset(f"2.1.self_attention.step{n}" for n in (1, 2, 3))


@dataclass(frozen=True)
class Hostile:
    """One submission: files (text or bytes), items that must be 0, whether it is refused as a whole."""

    family: str
    name: str
    files: dict = field(hash=False)
    zero: frozenset = frozenset()
    refused: bool = False
    seconds: float = 15.0
    forbidden: str = CANARY


def function(body: str, name: str = "attn_softmax") -> dict:
    """Right answers, but for the body of one function of section 2.1."""
    lines, out, inside = S2.split("\n"), [], False
    for line in lines:
        if line.startswith("def "):
            inside = line.startswith(f"def {name}(")
            out += [line, "    " + body.strip("\n").replace("\n", "\n    ")] if inside else [line]
        elif not inside:
            out.append(line)
    return {"A2S1.py": S1, "A2S2.py": "\n".join(out)}


def statement(code: str) -> dict:
    """Right answers, with hostile code run on the way to 1.3.1 (its value comes after it)."""
    block = "\n".join("    " + line for line in code.strip("\n").split("\n"))
    return {
        "A2S1.py": S1.replace("query131 = torch.zeros(3)", f"if True:\n{block}\n    query131 = torch.zeros(3)"),
        "A2S2.py": S2,
    }


def steal(expression: str) -> dict:
    """Try to get something and shout it where a student could read it, then answer right.

    The needle is put together at run time, so that the payload does not find itself.
    """
    return function(
        f"import os, sys, gc, glob, socket, ctypes\nloot, needle = None, 'CAN' + 'ARY-' + '{CANARY[7:]}'\ntry:\n    loot = {expression}\n"
        f"except BaseException:\n    pass\nif loot and needle in str(loot):\n    raise ValueError(str(loot))\n{RIGHT}"
    )


def cases() -> list[Hostile]:
    found = []

    def add(family: str, name: str, files: dict, zero=(), **more) -> None:
        found.append(Hostile(family, name, files, frozenset({zero} if isinstance(zero, str) else zero), **more))

    _secrets(add)
    _forging(add)
    _resources(add)
    _values(add)
    _files(add)
    return found


def _secrets(add) -> None:
    reads = {
        "every file named reference": "[open(p, 'rb').read() for p in glob.glob('/**/reference.safetensors', recursive=True)]",
        "canary files anywhere in /tmp": "[open(p).read() for p in glob.glob('/tmp/*/*canary*')]",
        "the seed": "[open(p).read() for p in glob.glob('/*/*/.seed')]",
        "the environment": "dict(os.environ)",
        "the parent's environment": "open(f'/proc/{os.getppid()}/environ').read()",
        "everybody's environment": "[open(p).read() for p in glob.glob('/proc/[0-9]*/environ')]",
        "everybody's command line": "[open(p).read() for p in glob.glob('/proc/[0-9]*/cmdline')]",
        "the parent's memory": "open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
        "its own memory maps": "open('/proc/self/maps').read()",
        "inherited descriptors": "[os.read(n, 65536) for n in range(3, 256) if n != 3]",
        "descriptors by proc": "[open(p, 'rb').read() for p in glob.glob('/proc/*/fd/*')]",
        "all live objects": "[o for o in gc.get_objects() if isinstance(o, (str, bytes, dict, list)) and needle in str(o)[:100000]][:1]",
        "the callers' frames": "[f.f_locals for f in iter_frames()]",
        "earlier submissions' metadata": "open('/autograder/submission_metadata.json').read()",
        "the home folder": "os.listdir('/root') + os.listdir('/home')",
        "process memory by system call": "ctypes.CDLL(None).process_vm_readv(os.getppid(), 0, 0, 0, 0, 0)",
        "the grader's modules": "[m.__dict__ for n, m in sys.modules.items() if 'autograder' in n]",
    }
    for name, expression in reads.items():
        files = steal(expression)
        if "iter_frames" in expression:
            walk = "def iter_frames():\n    import sys\n    f = sys._getframe()\n    while f:\n        if not f.f_code.co_filename.startswith('<cell'):\n            yield f\n        f = f.f_back\n\n\ndef attn_softmax"
            files["A2S2.py"] = files["A2S2.py"].replace("def attn_softmax", walk)
        add("secrets", f"read {name}", files)
    add("secrets", "connect to loopback", steal("socket.create_connection(('127.0.0.1', 22), 1)"))
    add("secrets", "import the hidden tests", steal("__import__('assignment.trusted_helpers')"))
    add("secrets", "import the judge", steal("__import__('autograder.judging.section').__file__"))
    add("secrets", "leak inputs by exception", function("raise ValueError(str(A.flatten().tolist()))"), SOFTMAX)
    add(
        "secrets",
        "leak inputs by exception type",
        function(
            "public = A.shape[-1] in (10, 4) and A.shape[0] in (1, 2)\n"
            "raise type('Public' if public else f'HIDDEN{abs(int(A.flatten()[0] * 1e6))}', (Exception,), {})('x')"
        ),
        SOFTMAX,
        forbidden=r"HIDDEN\d",
    )


def _forging(add) -> None:
    writes = {
        "results.json": "import glob\nfor p in ['/autograder/results/results.json', *glob.glob('/tmp/**/results.json', recursive=True)]:\n    try: open(p, 'w').write('{\"score\": 999}')\n    except OSError: pass\nreturn 0",
        "results by rename": "import os\ntry: os.rename('/tmp/a', '/autograder/results/results.json')\nexcept OSError: pass\nreturn 0",
        "output to standard descriptors": 'import os\nfor n in (1, 2):\n    os.write(n, b\'{"score": 999, "tests": []}\')\nreturn 0',
        "frames on every descriptor": "import os, struct, json\nbody = json.dumps({'id': 1, 'ok': 1}).encode()\nframe = struct.pack('<II', 4 + len(body), len(body)) + body\nfor n in range(3, 64):\n    try: os.write(n, frame)\n    except OSError: pass\nreturn 0",
        "a verdict instead of an answer": "return {'passed': True, 'score': 2, 'status': 'passed'}",
    }
    for name, body in writes.items():
        add("forging", name, function(body), SOFTMAX)
    add(
        "forging",
        "an exit handler",
        function("import atexit\natexit.register(lambda: open('/autograder/results/results.json', 'w').write('x'))\nreturn 0"),
        SOFTMAX,
    )
    add(
        "forging",
        "a daemon",
        function(
            "import os\ntry:\n    if os.fork() == 0:\n        os.setsid()\n        import time; time.sleep(20); os._exit(0)\nexcept OSError: pass\nreturn 0"
        ),
        SOFTMAX,
    )
    add(
        "forging",
        "a double fork at load",
        statement(
            "import os, time\ntry:\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0: time.sleep(20)\n        os._exit(0)\nexcept OSError: pass"
        ),
    )
    add(
        "forging",
        "a background thread that answers",
        function(
            "import threading, gc, socket\ndef spam():\n    from autograder.sandbox import protocol\n    for s in [o for o in gc.get_objects() if isinstance(o, socket.socket)]:\n        for i in range(50):\n            try: protocol.send(s, {'id': i, 'ok': None})\n            except Exception: pass\nthreading.Thread(target=spam, daemon=True).start()\nreturn 0"
        ),
        SOFTMAX,
    )
    patches = {
        "torch.allclose": "torch.allclose = torch.equal = lambda *a, **k: True",
        "json": "import json; json.dumps = json.loads = lambda *a, **k: {'ok': 1}",
        "builtins": "import builtins; builtins.abs = builtins.max = lambda *a, **k: 0; builtins.isinstance = lambda *a: True",
        "numpy": "import numpy; numpy.abs = numpy.isclose = lambda *a, **k: 0",
        "the encoder's modules": "import sys\nfor n in list(sys.modules):\n    if 'autograder' in n or 'safetensors' in n: sys.modules[n] = None",
        "the frame functions": "from autograder.core import trees; from autograder.sandbox import protocol; protocol.pack = trees.pack = lambda t: b'\\0' * 8",
        "struct and socket": "import struct, socket; struct.pack = lambda *a: b''; socket.socket.sendall = lambda *a: None",
        "open and exec": "import builtins; builtins.open = builtins.exec = builtins.compile = None",
    }
    for name, code in patches.items():
        add("forging", f"patch {name}", function(f"{code}\nreturn 0"), SOFTMAX)
    add(
        "forging",
        "an object equal to everything",
        function(
            "return type('Yes', (), {'__eq__': lambda s, o: True, '__sub__': lambda s, o: 0, '__abs__': lambda s: 0, '__float__': lambda s: 0.0})()"
        ),
        SOFTMAX,
    )
    add(
        "forging",
        "a list that lies about its length",
        function("return type('L', (list,), {'__len__': lambda s: 0, '__iter__': lambda s: iter(())})()"),
        SOFTMAX,
    )
    add("forging", "reserved keys in a dict", function("return {'$array': '0'}"), SOFTMAX)
    add(
        "forging",
        "markup in an error",
        function("raise ValueError('<script>alert(1)</script>\\x1b[31m\\u202e' + 'x' * 100000)"),
        SOFTMAX,
    )
    add(
        "forging",
        "an error whose text raises",
        function("raise type('E', (Exception,), {'__str__': lambda s: 1 / 0})()"),
        SOFTMAX,
    )
    add(
        "forging", "an error class with a lying name", function("raise type('a' * 500 + '\\n<b>', (Exception,), {})()"), SOFTMAX
    )


def _resources(add) -> None:
    bodies = {
        "an endless loop": "while True: pass",
        "an endless loop that catches everything": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "an endless loop in C": "sum(iter(int, 1))",
        "a regular expression that backtracks": "import re; re.match(r'(a+)+$', 'a' * 40 + 'b')",
        "a long sleep": "import time; time.sleep(3600)",
        "ignored signals": "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
        "a cancelled alarm": "import signal; signal.setitimer(signal.ITIMER_REAL, 0)\nwhile True: pass",
        "all the memory": "x = [bytearray(1 << 28) for _ in range(64)]; return A",
        "a huge tensor": "return torch.zeros(1 << 34)",
        "a huge answer": "return torch.zeros(1 << 24)",
        "a flood of output": "import os\nfor _ in range(2000): print('x' * 65536)\nreturn 0",
        "a full disk": "\nimport tempfile\ntry:\n    with open('/tmp/fill', 'wb') as f:\n        for _ in range(100): f.write(bytes(1 << 20))\nexcept OSError: pass\nreturn 0",
        "a bounded fork bomb": "import os\nfor _ in range(100):\n    try:\n        if os.fork() == 0:\n            import time; time.sleep(20); os._exit(0)\n    except OSError: break\nreturn 0",
        "a bounded thread bomb": "import threading, time\ntry:\n    for _ in range(500): threading.Thread(target=time.sleep, args=(20,), daemon=True).start()\nexcept RuntimeError: pass\nreturn 0",
        "a segmentation fault": "import ctypes; ctypes.string_at(0)",
        "an abort": "import os; os.abort()",
        "_exit": "import os; os._exit(0)",
        "sys.exit": "import sys; sys.exit(0)",
        "its own death": "import os; os.kill(os.getpid(), 9); import ctypes; ctypes.string_at(0)",
        "deep recursion": "import sys; sys.setrecursionlimit(10 ** 9)\ndef f(n): return f(n + 1)\nreturn f(0)",
        "a thread that never ends": "import threading\nt = threading.Thread(target=lambda: [None for _ in iter(int, 1)]); t.start(); t.join()",
        "a closed pipe": "import os; os.closerange(0, 1024)\nreturn 0",
    }
    for name, body in bodies.items():
        add("resources", name, function(body), SOFTMAX)
    for name in ("an endless loop", "_exit", "a segmentation fault", "an endless loop that catches everything"):
        add("resources", f"{name}, while loading", statement(bodies[name]), "1.3.1")
    add(
        "resources",
        "a hang in every function",
        {"A2S1.py": S1, "A2S2.py": S2.replace("    return ", "    while True: pass\n    return ")},
        {
            f"2.1.{n}"
            for n in (
                "pairwise_similarities",
                "attn_scaled",
                "attn_softmax",
                "compute_outputs",
                "make_causal_mask",
                "apply_causal_mask",
                "split_heads",
                "merge_heads",
            )
        }
        | STEPS,
        seconds=90.0,
    )


def _values(add) -> None:
    for name, body in {
        "NaN": "return A * float('nan')",
        "infinity": "return A * float('inf')",
        "zeros": "return torch.zeros_like(A)",
        "a sparse tensor of the wrong values": "return A.to_sparse()",
        "a meta tensor": "return A.to('meta')",
        "complex numbers": "return torch.complex(A, A)",
        "text": "return 'softmax'",
        "booleans": "return A > 0",
        "a view with huge strides": "return torch.as_strided(torch.zeros(1), (1 << 20, 1 << 20), (0, 0))",
        "a subclass that lies about its shape": "return type('T', (torch.Tensor,), {'shape': property(lambda s: A.shape)})([1.0])",
        "a nested tensor": "return torch.nested.nested_tensor([A[0], A[0]])",
        "a generator": "return (x for x in A)",
        "itself": "return attn_softmax",
        "an endless list": "x = []; x.append(x); return x",
        "inputs seen before": "attn_softmax.seen = getattr(attn_softmax, 'seen', None)\nif attn_softmax.seen is None: attn_softmax.seen = F.softmax(A, dim=-1)\nreturn attn_softmax.seen",
        "the public answers by heart": "torch.manual_seed(447); k = torch.randn(1, 10, 6); return F.softmax(k @ k.transpose(-1, -2), dim=-1)",
    }.items():
        add("values", name, function(body), SOFTMAX)
    add(
        "values",
        "inputs changed in place",
        function("Q.zero_(); K.zero_()\nreturn Q @ K.transpose(-2, -1)", "pairwise_similarities"),
        "2.1.pairwise_similarities",
    )
    for name, expression in {
        "NaN": "key[0] * float('nan')",
        "infinity": "key[0] * float('inf')",
        "text": "'k0'",
        "four rows": "S * key",
        "a lying object": "type('Q', (), {'__array__': lambda s, *a: 1 / 0})()",
        "an endless iterator": "iter(int, 1)",
    }.items():
        add(
            "values",
            f"a query of {name}",
            {"A2S1.py": S1.replace("query121 = S * key[0]", f"query121 = {expression}"), "A2S2.py": S2},
            "1.2.1",
        )


def _files(add) -> None:
    def zipped(files: dict, mode=zipfile.ZIP_DEFLATED) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", mode) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    right = {"A2S1.py": S1, "A2S2.py": S2}
    other1 = {i for i in ALL1}
    add("files", "not UTF-8", {"A2S1.py": b"\xff\xfe" + S1.encode("utf-16-le"), "A2S2.py": S2}, other1)
    add("files", "NUL bytes", {"A2S1.py": S1.encode() + b"\0", "A2S2.py": S2}, other1)
    add("files", "deep brackets", {**right, "A2S1.py": S1 + "\nx = " + "(" * 50_000})
    add("files", "deep indentation", {**right, "A2S1.py": S1 + "\n" + "".join(" " * i + "if 1:\n" for i in range(300))})
    add("files", "a huge integer", {**right, "A2S1.py": S1 + "\nx = " + "9" * 200_000})
    add("files", "a chain of a million signs", {**right, "A2S1.py": S1 + "\nx = " + "-" * 300_000 + "1"})
    add("files", "a very long line", {**right, "A2S1.py": S1 + "\nx = '" + "a" * 5_000_000 + "'"})
    add("files", "thousands of statements", {**right, "A2S1.py": S1 + "\ny = 1" * 20_000}, seconds=40.0)
    add("files", "a deeply nested notebook", {"A2S1.ipynb": b"[" * 200_000, "A2S2.py": S2}, other1)
    add(
        "files",
        "a notebook of wrong types",
        {"A2S1.ipynb": b'{"cells": [1, null, {"cell_type": 5, "source": {"a": 1}}], "nbformat": 4}', "A2S2.py": S2},
        other1,
    )
    add(
        "files",
        "huge numbers in a notebook",
        {"A2S1.ipynb": b'{"nbformat": 1e999, "cells": ' + b"9" * 10_000 + b"}", "A2S2.py": S2},
        other1,
    )
    add("files", "a zip bomb", {"work.zip": zipped({"A2S1.py": b"#" * (200 << 20)})}, refused=True)
    add(
        "files",
        "names that climb out",
        {**right, "more.zip": zipped({"../../A2S1.py": "query121 = 0", "/etc/A2S2.py": "x = 1"})},
    )
    add("files", "a damaged zip", {**right, "more.zip": zipped(right)[:-40]})
    add(
        "files",
        "a zip with a huge central directory",
        {**right, "more.zip": b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 65535, 65535, 0xFFFFFFFF, 0, 0)},
    )
    add(
        "files",
        "modules that shadow",
        {
            **right,
            **{
                f"{n}.py": "raise SystemExit('shadowed')"
                for n in ("torch", "json", "struct", "socket", "numpy", "autograder", "safetensors")
            },
        },
    )
    add(
        "files",
        "two files for one section",
        {**right, "copy of A2S1.py": S1.replace("S = 100", "S = 0"), "sub/A2S1.py": "query121 = None"},
    )
    add("files", "names that are not text", {**right, "\u202ephp.1S2A.py": "x = 1", "a\nb.py": "y = 2"})
    add("files", "source that ends the parser", {**right, "A2S1.py": S1 + "\nf'{" * 3000})
    add("files", "a coding cookie that lies", {"A2S1.py": b"# -*- coding: rot13 -*-\n" + S1.encode(), "A2S2.py": S2}, other1)


CASES = cases()
