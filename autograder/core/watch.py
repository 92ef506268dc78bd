"""Which piece of untrusted text is being looked at, for whoever has to know what ended this process.

A process that reads a submission (``sandbox.judge_side.apart``) may end by the text that it reads: out of memory, out of
time, in a crash of Python's own parser, or by an error of ours. It notes each piece before it looks at it, and the whole (a
file, a section) that the piece is part of, in memory that its parent can read; the next process leaves that piece out, or the
whole. Elsewhere nothing is noted and nothing left out.
"""

from __future__ import annotations

import ast
import contextlib
import mmap
import signal
import struct
import warnings
from collections.abc import Iterator

MARK = struct.Struct("<qq")  # the whole, the piece of it; 0 for none
WHOLE_SECONDS = 2.5  # processor time
DEEP, LARGE = "is nested too deeply to be read", "needs more memory to be read than a submission has"
DEEP_OR_LARGE = "is nested too deeply, or too long, to be read"
OURS = "could not be read, because the grader itself failed on it; please tell the staff"


class Watch:
    """``left_out``: piece -> how it ended an earlier process, as the end of a sentence about it."""

    def __init__(self) -> None:
        self.mark: mmap.mmap | None = None
        self.left_out: dict[int, str] = {}
        self.whole = 0

    @contextlib.contextmanager
    def inside(self, kind: str, text: str) -> Iterator[str]:
        """Note a whole and limit the time for it; gives how it ended an earlier process ('' if it did not)."""
        if self.mark is None:
            yield ""
            return
        self.whole = hash((kind, text)) or 1
        signal.setitimer(signal.ITIMER_PROF, WHOLE_SECONDS)
        self.rest()
        yield self.left_out.get(self.whole, "")
        signal.setitimer(signal.ITIMER_PROF, 0)
        self.whole = 0
        self.rest()

    def at(self, kind: str, text: str) -> str:
        """Note that ``text`` is looked at from now on; returns how it ended an earlier process ('' if it did not)."""
        if self.mark is None:
            return ""
        piece = hash((kind, text)) or 1
        MARK.pack_into(self.mark, 0, self.whole, piece)
        return self.left_out.get(piece, "")

    def rest(self) -> None:
        """Note that no particular piece is looked at."""
        if self.mark is not None:
            MARK.pack_into(self.mark, 0, self.whole, 0)


watch = Watch()


def why(error: Exception) -> str:
    """Why a piece that raised this here cannot be read, as the end of a sentence about it."""
    return DEEP if isinstance(error, RecursionError) else LARGE if isinstance(error, MemoryError) else OURS


def parsed(source: str) -> tuple[ast.Module | None, str]:
    """(the tree of a source or None, why there is none if that is not for its syntax). Never raises."""
    if reason := watch.at("parse", source):
        return None, reason
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source), ""
    except RecursionError:
        return None, DEEP
    except MemoryError:  # Python's parser says so of deep nesting, too
        return None, DEEP_OR_LARGE
    except (SyntaxError, ValueError) as error:
        return None, DEEP if "too many nested" in str(error) or "too many levels" in str(error) else ""
    finally:
        watch.rest()
