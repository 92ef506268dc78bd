"""The files of data that a submission's own code names, such as a config.yaml beside the notebook: text, and small."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from autograder.checks.formats import TEXT
from autograder.submission.files import File

MAX_FILE, MAX_ALL, MAX_FILES = 256 << 10, 1 << 20, 50  # bytes of one and of all, and how many
NAME = re.compile(r"[\w-]+(?:\.[\w-]+)+")
PART = re.compile(r"[\w -][\w .-]{0,99}")


def own_files(files: Iterable[File], code: Iterable[str]) -> dict[str, str]:
    """Path -> text of these files that the code names, by each path at which it may look for them; marks them as read.

    That is beside the notebook or below it, whichever of its folders that lies in. Of several with one path the highest counts.
    """
    some = list(filter(_may_be_data, files))
    named = {name for text in code for name in NAME.findall(text)} if some else set()
    found: dict[str, str] = {}
    left = MAX_ALL
    for file in sorted((one for one in some if one.path.name in named), key=_depth)[:MAX_FILES]:
        if (text := _text(file, left)) is not None:
            left, file.unread = left - len(text.encode()), ""
            for first in range(len(file.path.parts)):
                found.setdefault("/".join(file.path.parts[first:]), text)
    return found


def _may_be_data(file: File) -> bool:
    return file.kind in ("", TEXT) and file.data is not None and is_plain(file.path)


def _depth(file: File) -> tuple[int, str]:
    return len(file.path.parts), str(file.path)


def is_plain(path: PurePosixPath) -> bool:
    """Whether a path leads downwards, by ordinary names."""
    return 0 < len(path.parts) <= 8 and all(PART.fullmatch(part) for part in path.parts)


def _text(file: File, most: int) -> str | None:
    """What is in a file; None for more bytes than that, and for what is no text."""
    most = min(most, MAX_FILE)
    try:
        data = file.content() if file.size <= most else b""
        return data.decode("utf-8-sig") if len(data) == file.size <= most else None
    except Exception:  # zipfile raises many kinds
        return None
