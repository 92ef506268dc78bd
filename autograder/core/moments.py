"""Times of submission, as Gradescope writes them and staff type them."""

from __future__ import annotations

import datetime as dt
import re

MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?:\.\d+)? ?(Z|UTC|[+-]\d\d:?\d\d)?")


def moment(text: str, without_zone: dt.tzinfo | None = None) -> dt.datetime | None:
    """A moment as Gradescope's export writes it, ``2024-02-09 23:59:00.000000000 -08:00``; None for any other text.

    One without its time zone may be hours from what was meant: it is none, unless ``without_zone`` says which is meant.
    """
    found = MOMENT.fullmatch(text.strip())
    if not found:
        return None
    day, clock, zone = found.groups()
    zone = "+00:00" if zone in ("Z", "UTC") else f"{zone[:3]}:{zone[-2:]}" if zone else ""
    try:
        time = dt.datetime.fromisoformat(f"{day}T{clock}{zone}")
    except ValueError:
        return None
    return time if zone else time.replace(tzinfo=without_zone) if without_zone else None
