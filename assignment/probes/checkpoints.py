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
    """The checkpoint files below a folder, oldest first: their epochs (see ``epoch_of``) and bytes.

    Any suffix will do for a file with weights.
    """
    paths = sorted(map(Path, files_below(folder)), key=lambda p: p.stat().st_mtime_ns)
    files, left = [], MAX_RAW
    for path in paths[:MAX_FILES]:
        epoch, size = epoch_of(path, epochs), path.stat().st_size
        raw = path.read_bytes() if epoch >= 0 and size <= left else b""
        left -= len(raw)
        if path.suffix in SUFFIXES or epoch > -2:
            files.append({"epoch": epoch, "raw": np.frombuffer(raw, np.uint8)})
    return files


def without_tokenizer(folder: str) -> bool:
    """Whether ``save_pretrained`` has saved a model below a folder, and no file there is named like one of a tokenizer."""
    names = {Path(path).name.lower() for path in files_below(folder)}
    return {"config.json", "model.safetensors"} <= names and not any(word in name for name in names for word in TOKENIZERS)


def epoch_of(path: Path, epochs: list[dict[str, np.ndarray]]) -> int:
    """The epoch whose weights a file holds, from 0; -1: of none, -2: it cannot be loaded, -3: it holds no weights."""
    try:
        content = content_of(path)
    except Exception:
        return -2
    state = parameters_in(content)
    if not state:
        return -3
    for number, epoch in enumerate(epochs):
        if all(name in epoch and same(epoch[name], value) for name, value in state.items()):
            return number
    return -1


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
