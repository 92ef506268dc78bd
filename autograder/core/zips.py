"""Reproducible zip archives: the same members always give the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

EPOCH = (2020, 1, 1, 0, 0, 0)
UNIX = 3


def zip_bytes(members: Mapping[str, bytes], modes: Mapping[str, int] | None = None) -> bytes:
    """A zip of these members, sorted by name; ``modes`` holds permissions other than 0o644."""
    buffer, modes = io.BytesIO(), modes or {}
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in sorted(members.items()):
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = (0o100000 | modes.get(name, 0o644)) << 16
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, UNIX
            archive.writestr(info, data, compresslevel=9)
    return buffer.getvalue()
