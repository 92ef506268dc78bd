"""How much memory Python objects take."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Iterator


@contextlib.contextmanager
def at_most(most: int) -> Iterator[None]:
    """Fails if more bytes are in use at any time inside; whatever happens there, no later test is slowed down by tracing."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
