"""Run a notebook's checks in a folder full of a student's things, as a program, and report what each of them has touched.

``python -m support.touching NOTEBOOK FOLDER [MEMBERS.json]``: each cell up to the last check is run. With members, each (name,
id of the check, code) is then run and checked by itself. Prints JSON: name -> [what the check printed, differences, how often
the member's code ran].
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import traceback
import types
from pathlib import Path

import nbformat

from support.fingerprint import differences, fingerprint

CHECK = re.compile(r'^check\("(.*)"\)$')
MINE = """
import collections, contextlib, decimal, functools, gc, io, locale, logging, os, random, shutil, signal, socket, sys, threading
import time, warnings
from pathlib import Path
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
import matplotlib, matplotlib.pyplot as plt

class Meter:
    total, seen = 0, []
    def __init__(self):
        self.values, self.by_name = [1.0], {"a": [1]}
        self.best = torch.zeros(2)

class Slotted:
    __slots__ = ("count", "items")
    def __init__(self):
        self.count, self.items = 1, [1]

def remember(value=None, seen=[], *, kept={}):
    seen.append(value), kept.update({len(kept): value})

def counter():
    count, log = 0, []
    def up():
        nonlocal count
        count += 1
        log.append(count)
    return up

@functools.lru_cache
def looked_up(key):
    return [key]

bare = functools.lru_cache(len)
del bare.__wrapped__

torch.manual_seed(5), random.seed(5), np.random.seed(5)
mine = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
fixed = nn.Linear(3, 2).eval()
other = nn.Linear(3, 2)
steps = torch.optim.AdamW(mine.parameters(), lr=0.1)
schedule = torch.optim.lr_scheduler.StepLR(steps, 1)
mine(torch.ones(5, 3)).sum().backward()
steps.step()
mine[0].register_forward_hook(lambda *_: None)
history, table, numbers = [1, 2, [3]], {"x": torch.ones(3), "y": {"z": [1]}}, np.arange(4.0)
queue, chosen, raw, plain = collections.deque([1, 2], maxlen=5), {1, 2}, bytearray(b"abc"), 1
meter, slotted, up, text = Meter(), Slotted(), counter(), io.StringIO("kept")
generator, dice, cards = torch.Generator().manual_seed(1), np.random.default_rng(1), random.Random(1)
deck = torch.utils.data.DataLoader(range(8), batch_size=2, shuffle=True, generator=generator)
journal = open("journal.txt", "a")
journal.write("kept\\n"), journal.flush()
figure, axes = plt.subplots()
axes.plot([1, 2, 3])
pending = mine[2](torch.ones(1, 4)).sum()
torch.set_num_threads(1)
warnings.filterwarnings("ignore", message="mine")
"""
WISHES = "torch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)"


def furnish(folder: Path) -> None:
    """Fill a folder with a student's things."""
    import torch

    for name in ("checkpoints", "outputs/run 1", "checkpoint"):
        (folder / name).mkdir(parents=True)
    torch.save(torch.nn.Linear(2, 2).state_dict(), folder / "checkpoints" / "best.pt")
    (folder / "outputs" / "run 1" / "losses.csv").write_text("1,2\n")
    (folder / "notes on attention.txt").write_text("kept")
    (folder / "helper.py").write_text("state = [1]\nrate = 1\n\ndef bump():\n    state.append(2)\n")
    (folder / "latest").symlink_to("checkpoints")
    (folder / "final.txt").write_text("done")
    (folder / "final.txt").chmod(0o444)


def looked(work, names: dict, folder: Path) -> tuple[str, list[str]]:
    """What is printed meanwhile, and what differs afterwards."""
    before, said = fingerprint(names, folder), io.StringIO()
    with contextlib.redirect_stdout(said):
        out = sys.stdout
        try:
            work()
        except BaseException:
            said.write(traceback.format_exc())
        stayed = sys.stdout is out
    return said.getvalue(), differences(before, fingerprint(names, folder)) + ([] if stayed else ["standard output"])


def main(notebook: str, folder: str, members: str = "") -> dict:
    furnish(Path(folder))
    os.chdir(folder)
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    names = vars(module)
    exec(MINE, names)
    results, cells = {}, [c.source for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    last = max(i for i, source in enumerate(cells) if CHECK.match(source))
    for source in cells[: last + 1]:
        if found := CHECK.match(source):
            if not members:
                with apart(
                    names, WISHES if "A2S3" not in notebook or "student" in notebook else WISHES.split("\n", maxsplit=1)[0]
                ):
                    results[found[1]] = [*looked(lambda s=source: exec(s, names), names, Path(folder)), 1]
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            exec(source, names)
    for name, id, code in json.loads(Path(members).read_text()) if members else []:
        reading, writing = os.pipe()
        names["PROOF"] = writing
        exec(code, names)
        said, touched = looked(lambda id=id: names["check"](id, names), names, Path(folder))
        os.close(writing)
        with os.fdopen(reading, "rb") as proof:
            results[name] = [said, touched, len(proof.read())]
    return results


@contextlib.contextmanager
def apart(names: dict, wishes: str):
    """With the settings that a student may have wished for; cells need the usual ones."""
    exec(wishes, names)
    yield
    exec("torch.set_default_dtype(torch.float32)\ntorch.set_grad_enabled(True)", names)


if __name__ == "__main__":
    terminal = sys.stdout
    print(json.dumps(main(*sys.argv[1:])), file=terminal)
