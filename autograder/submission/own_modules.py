"""Which of a submission's own modules its code may import, within limits on all of them together."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.core.text import clean

MAX_MODULES = 8 << 20  # characters, as they are sent
NAMED = 8  # of those left out, in a note
WORD = re.compile(r"\w+")


@dataclass
class Shelf:
    """The modules that any section may import: source -> number, each counted once."""

    texts: dict[str, int] = field(default_factory=dict)
    left: int = MAX_MODULES

    def admitted(self, code: Iterable[str], modules: dict[str, str]) -> tuple[dict[str, str], list[str]]:
        """The modules that this code, or a module that it may import, has a word for; and a note on what is too much."""
        by_root: dict[str, list[str]] = {}
        for name in modules:
            by_root.setdefault(name.partition(".")[0], []).append(name)
        found: dict[str, str] = {}
        left_out: list[str] = []
        pending = deque(code)
        while pending and by_root:
            text = pending.popleft()
            for root in dict.fromkeys(word[0] for word in WORD.finditer(text) if word[0] in by_root):
                for name in by_root.pop(root):
                    if self._fits(modules[name]):
                        found[name] = modules[name]
                        pending.append(modules[name])
                    else:
                        left_out.append(name)
        return found, [_note(left_out)] if left_out else []

    def _fits(self, source: str) -> bool:
        if source not in self.texts:
            if len(source) > self.left or (size := len(json.dumps(source))) > self.left:
                return False
            self.left -= size
            self.texts[source] = len(self.texts)
        return True


def _note(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    listed = ", ".join(clean(name) for name in names[:NAMED])
    return f"your own modules {listed}{more} cannot be imported: together they may have {MAX_MODULES >> 20} million characters"
