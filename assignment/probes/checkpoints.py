"""The checkpoints that ``main`` leaves on disk, and whose epoch's weights they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from autograder.checks.paths import files_below

from .plain import np
from .watch import array as flat
from .watch import weights

Tensor, Parameter, Module = torch.Tensor, torch.nn.Parameter, torch.nn.Module
load, load_safetensors, load_array = torch.load, load_file, np.load
MAX_FILES, MAX_RAW = 100, 4 << 20  # MAX_RAW: bytes of all checkpoints that are handed to the judge
TOKENIZERS = ("token", "vocab", "merges", "bpe")  # in the names of a tokenizer's files
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".pkl", ".npz", ".model", ".tar", "")


def saved_files(folder: str, epochs: list[dict[str, np.ndarray]]) -> list[dict]:
    """The checkpoint files below a folder, oldest first: their epochs and bytes. Any suffix will do for a file with weights.

    An epoch's number counts from 0; -1: of none, -2: it cannot be loaded, -3: it holds no weights, -4: it holds a part of an
    epoch's, and no other files hold the rest.
    """
    paths = sorted(map(Path, files_below(folder)), key=lambda p: p.stat().st_mtime_ns)[:MAX_FILES]
    held = [held_in(path, epochs) for path in paths]
    whole = {number for number, _ in held if number >= 0 and is_whole(number, held, epochs)}
    files, left = [], MAX_RAW
    for path, (number, _) in zip(paths, held):
        epoch, size = number if number < 0 or number in whole else -4, path.stat().st_size
        raw = path.read_bytes() if epoch >= 0 and size <= left else b""
        left -= len(raw)
        if path.suffix in SUFFIXES or epoch > -2:
            files.append({"epoch": epoch, "raw": np.frombuffer(raw, np.uint8)})
    return files


def is_whole(number: int, held: list[tuple[int, set[str]]], epochs: list[dict[str, np.ndarray]]) -> bool:
    """Whether all weights of an epoch are in some file, as those of a model that is saved in several."""
    return epochs[number].keys() <= {name for epoch, names in held if epoch == number for name in names}


def without_tokenizer(folder: str) -> bool:
    """Whether ``save_pretrained`` has saved a model below a folder, and no file there is named like one of a tokenizer."""
    names = {Path(path).name.lower() for path in files_below(folder)}
    return {"config.json", "model.safetensors"} <= names and not any(word in name for name in names for word in TOKENIZERS)


def held_in(path: Path, epochs: list[dict[str, np.ndarray]]) -> tuple[int, set[str]]:
    """The epoch whose weights a file holds, as for ``saved_files``, and which of them: maybe some, under a part's names."""
    try:
        content = content_of(path)
    except Exception:
        return -2, set()
    state = parameters_in(content)
    if not state:
        return -3, set()
    found = ((number, part_of(state, epoch)) for number, epoch in enumerate(epochs))
    return next(((number, names) for number, names in found if names), (-1, set()))


def part_of(state: dict[str, np.ndarray], epoch: dict[str, np.ndarray]) -> set[str]:
    """The names of an epoch's weights that are in a state, under these names or a part's; none if it holds others, too."""
    first = next(iter(state))
    for prefix in (name.removesuffix(first) for name in epoch if name == first or name.endswith(f".{first}")):
        names = {prefix + name for name in state}
        if names <= epoch.keys() and all(same(epoch[prefix + name], value) for name, value in state.items()):
            # What is there under another name is tied to it, and is saved once.
            return names | {name for name, value in epoch.items() if any(same(value, kept) for kept in state.values())}
    return set()


def content_of(path: Path) -> Any:
    """What a file of torch, safetensors, numpy or pickle holds; raises an exception for any other."""
    if path.suffix == ".safetensors":
        return load_safetensors(path)
    try:
        return load(path, map_location="cpu", weights_only=False)
    except Exception:
        content = load_array(path, allow_pickle=True)
    if isinstance(content, np.ndarray):
        return content.item() if content.shape == () else content
    return dict(content) if isinstance(content, np.lib.npyio.NpzFile) else content


def parameters_in(content: Any, depth: int = 0) -> dict[str, np.ndarray]:
    """The parameters in a checkpoint, even if they are nested in a few dictionaries."""
    if isinstance(content, Module):
        return weights(content)
    if not isinstance(content, dict) or depth > 3:
        return {}
    own = {str(name): array.ravel() for name, value in content.items() if (array := array_of(value)).dtype.kind == "f"}
    return own or next((inner for inner in (parameters_in(value, depth + 1) for value in content.values()) if inner), {})


def array_of(value: Any) -> np.ndarray:
    """A tensor or an array as an array; an empty one of bytes for anything else."""
    if type(value) in (Tensor, Parameter):  # a derived class may answer whatever it likes
        return flat(value)
    return value if type(value) is np.ndarray else np.zeros(0, "S1")


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool((a == b).all())
