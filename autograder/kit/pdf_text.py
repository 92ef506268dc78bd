"""A PDF's text, page by page: bytes on stdin, JSON on stdout. A program of its own: a hostile PDF can hang or eat memory.

Run with limits by ``writeup.read_pdf``, which believes nothing of what comes back. Needs pypdf.
"""

from __future__ import annotations

import io
import json
import logging
import sys

READ_PAGES = 60
PAGE_CHARACTERS = 20_000
SECONDS, MEMORY = 20, 1 << 30


def limit() -> None:
    """Processor time and memory, and no files written, where the system knows such limits."""
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline still holds
        return
    limits = {"CPU": SECONDS, "AS": MEMORY, "FSIZE": 0, "CORE": 0}
    for name, value in limits.items():
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
        except (ValueError, OSError):  # macOS refuses some of them
            pass


def describe(data: bytes, limited: bool = True) -> dict:
    """``{"pages": count, "text": [str, …], "pictures": [count, …]}``, or ``{"problem": one word}``; never raises."""
    try:
        import pypdf
    except ImportError:
        return {"problem": "pypdf"}
    logging.disable(logging.CRITICAL)
    if limited:
        limit()
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"problem": "encrypted"}
        count, text, pictures = len(reader.pages), [], []
        for number in range(min(count, READ_PAGES)):
            words, drawn = page_of(reader, number)
            text.append(words[:PAGE_CHARACTERS])
            pictures.append(drawn)
        return {"pages": count, "text": text, "pictures": pictures}
    except pypdf.errors.DependencyError:
        return {"problem": "encrypted"}
    except MemoryError:
        return {"problem": "memory"}
    except Exception:  # pypdf raises many kinds on damaged files
        return {"problem": "damaged"}


def page_of(reader, number: int) -> tuple[str, int]:
    """Text and number of pictures (images and embedded drawings) of a page; a damaged one has none."""
    try:
        page = reader.pages[number]
        words = page.extract_text()
    except MemoryError:
        raise
    except Exception:
        return "", 0
    try:
        return words, len(page["/Resources"]["/XObject"])
    except Exception:
        return words, 0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe(sys.stdin.buffer.read())))
