"""A fingerprint of all that a check has to leave alone: label -> text; what differs is what was touched."""

from __future__ import annotations

import builtins
import decimal
import hashlib
import locale
import logging
import os
import random
import signal
import sys
import threading
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

ATOMS = (int, float, str, bytes, bool, type(None), complex)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def fingerprint(names: dict[str, Any], folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    files(folder, found)
    process(found)
    libraries(found)
    seen: set[int] = set()
    for name, value in list(names.items()):
        if name not in ("__builtins__", "check"):
            found[f"global {name}"] = str(id(value))
            deep(f"global {name}", value, found, seen)
    return found


def files(folder: Path, found: dict[str, str]) -> None:
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        data = os.readlink(path) if path.is_symlink() else digest(path.read_bytes()) if path.is_file() else ""
        found[f"file {path.relative_to(folder)}"] = f"{data} {status.st_mode:o} {status.st_mtime_ns}"


def process(found: dict[str, str]) -> None:
    umask = os.umask(0)
    os.umask(umask)
    found["process"] = repr((os.getcwd(), sys.path, sys.argv, sys.getrecursionlimit(), umask, sys.meta_path, sys.gettrace()))
    found |= {f"environment {name}": value for name, value in os.environ.items()}
    found |= {f"signal {n}": repr(signal.getsignal(n)) for n in signal.valid_signals()}
    hooks = sys.stdout, sys.stderr, sys.excepthook, sys.displayhook, threading.excepthook
    found["alarm, hooks"] = repr((signal.getitimer(signal.ITIMER_REAL), *map(id, hooks)))
    found |= {f"builtin {name}": str(id(value)) for name, value in vars(builtins).items()}
    found |= {f"module {name}": str(id(module)) for name, module in sys.modules.items() if not of_library(name, module)}
    found["random"] = digest(repr(random.getstate()).encode())
    found["warnings"] = repr(warnings.filters)
    context = decimal.getcontext()
    found["decimal, locale"] = repr((context.prec, context.rounding, locale.setlocale(locale.LC_ALL)))
    loggers = [("root", logging.root), *logging.root.manager.loggerDict.items()]
    for name, one in loggers:
        if isinstance(one, logging.Logger) and (one.handlers or one.level):
            found[f"logger {name}"] = repr((one.level, list(map(id, one.handlers)), one.propagate))


def of_library(name: str, module: Any) -> bool:
    """Whether it is installed, or the checks' own: a check may be the first that imports such a module."""
    spec = getattr(sys.modules.get(name.partition(".")[0]), "__spec__", None)
    origin = str(getattr(spec, "origin", None) or getattr(spec, "loader", ""))
    return spec is not None and (name.startswith("a2checks") or not origin.startswith(os.getcwd()))


def libraries(found: dict[str, str]) -> None:
    found["numpy, random"] = digest(repr(np.random.mtrand._rand.get_state()).encode())
    found["numpy"] = repr((np.geterr(), np.get_printoptions()))
    found["torch, random"] = digest(torch.get_rng_state().numpy().tobytes())
    read = (
        torch.get_default_dtype,
        torch.get_default_device,
        torch.is_grad_enabled,
        torch.get_num_threads,
        torch.are_deterministic_algorithms_enabled,
        torch.is_anomaly_enabled,
        torch.get_float32_matmul_precision,
    )
    found |= {f"torch, {one.__name__}": str(one()) for one in read}
    found["torch, printing"] = repr(torch._tensor_str.PRINT_OPTS)
    found["torch, hooks"] = repr(torch.nn.modules.module._global_forward_hooks)
    for owner in (torch, torch.nn.functional, torch.nn.Module, torch.optim.Optimizer, torch.utils.data.DataLoader, os):
        found |= {
            f"library {owner.__name__}.{name}": f"{id(value)} {getattr(value, '__module__', '')}"
            for name, value in vars(owner).items()
            if callable(value)
        }
    if "matplotlib.pyplot" in sys.modules:
        import matplotlib.pyplot as plt

        found |= {f"matplotlib {name}": repr(value) for name, value in dict.items(plt.rcParams)}
        found["figures"] = repr(plt.get_fignums())
        for number in plt.get_fignums():
            found[f"figure {number}"] = repr([(len(ax.lines), ax.get_title(), ax.get_xlim()) for ax in plt.figure(number).axes])


def deep(label: str, value: Any, found: dict[str, str], seen: set[int]) -> None:
    """What a value holds, as far as it is the notebook's own."""
    if isinstance(value, ATOMS):
        found[label] = repr(value)
        return
    if id(value) in seen or label.count(" > ") > 8:
        return
    seen.add(id(value))
    if isinstance(value, torch.Tensor):
        tensor(label, value, found, seen)
    elif isinstance(value, np.ndarray):
        found[label] = f"{value.shape} {value.dtype} {value.flags.writeable} {digest(value.tobytes())}"
    elif isinstance(value, (torch.Generator, np.random.Generator, random.Random)):
        found[label] = digest(state_of(value))
    elif isinstance(value, (dict, list, tuple, set)):
        items_of(label, value, found, seen)
    elif hasattr(value, "getvalue") or hasattr(value, "seekable"):
        found[label] = f"{value.closed} {value.tell()}"
    else:
        thing(label, value, found, seen)


def state_of(value: Any) -> bytes:
    if isinstance(value, torch.Generator):
        return value.get_state().numpy().tobytes()
    return repr(value.getstate() if isinstance(value, random.Random) else value.bit_generator.state).encode()


def items_of(label: str, value: Any, found: dict[str, str], seen: set[int]) -> None:
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    found[label] = f"{len(pairs)} {digest(repr([(str(key), id(item)) for key, item in pairs]).encode())}"
    for key, item in pairs[:300]:
        deep(f"{label} > {key}", item, found, seen)


def tensor(label: str, value: torch.Tensor, found: dict[str, str], seen: set[int]) -> None:
    data = value.detach()
    found[label] = (
        f"{data.dtype} {tuple(data.shape)} {digest(data.contiguous().numpy().tobytes())} {value.requires_grad} "
        f"{len(value._backward_hooks or ())}"
    )
    if value.is_leaf:
        found[f"{label}.grad"] = str(id(value.grad))
        deep(f"{label}.grad", value.grad, found, seen)


def parts_of(function: Any) -> dict[str, Any]:
    if function.__module__ != "__main__":
        return {}
    held = {"defaults": function.__defaults__, "keywords": function.__kwdefaults__, "attributes": vars(function)}
    return held | {f"cell {n}": cell.cell_contents for n, cell in enumerate(function.__closure__ or ())}


def attributes_of(value: Any) -> dict[str, Any]:
    slots = [name for name in getattr(type(value), "__slots__", ()) if name != "__dict__"]
    return dict(getattr(value, "__dict__", {})) | {name: getattr(value, name, None) for name in slots}


def thing(label: str, value: Any, found: dict[str, str], seen: set[int]) -> None:
    """A function, a class or an object of the notebook's own, or an object of torch's."""
    own = getattr(value if isinstance(value, type) else type(value), "__module__", "") == "__main__"
    if isinstance(value, types.FunctionType):
        held = parts_of(value)
    elif isinstance(value, type):
        held = {name: one for name, one in vars(value).items() if own and not name.startswith(("__", "_abc_impl"))}
        found[label] = repr([(name, id(one)) for name, one in held.items()])
    else:
        held = attributes_of(value) if own or type(value).__module__.startswith("torch.") else {}
        found[label] = repr([(name, id(one)) for name, one in held.items()])
    for name, one in held.items():
        deep(f"{label} > {name}", one, found, seen)


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [
        f"{label}: {str(before.get(label))[:120]} -> {str(after.get(label))[:120]}"
        for label in sorted(before.keys() | after.keys())
        if before.get(label) != after.get(label) and not (label not in before and from_import(label, after[label]))
    ]


def from_import(label: str, text: str) -> bool:
    """Whether it was added by a library, which a check may be the first to import."""
    kind, _, name = label.partition(" ")
    return (kind == "library" and "__main__" not in text) or (
        kind == "logger" and name != "__main__" and name.partition(".")[0] in sys.modules
    )
