"""Worker side: stand-ins for progress bars, which loop over what they are given and draw nothing."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator
from typing import Any

from autograder.sandbox.worker_side.inert import NAMED, Base, Inert, inert


class Bar(Base):
    """A progress bar: loops over its first argument (or ``iterable=``, ``sequence=``, ``gen=``, ``it=``) and counts."""

    def __init__(self, iterable: Any = None, *_: Any, **named: Any):
        given = [named[name] for name in ("sequence", "gen", "it", "iterator") if name in named]
        found = given[0] if iterable is None and given else iterable
        self.iterable = found if hasattr(type(found), "__iter__") or hasattr(type(found), "__getitem__") else ()
        self.n: float = 0
        self.total = named.get("total")
        if self.total is None:
            self.total = operator.length_hint(self.iterable)

    def __iter__(self) -> Iterator[Any]:
        for item in self.iterable:
            yield item
            self.n += 1

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Bar(*args, **kwargs) if args and hasattr(type(args[0]), "__iter__") else Inert()

    def __len__(self) -> int:
        return int(self.total or 0)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return item in self.iterable

    def update(self, n: Any = 1, *_: Any, **__: Any) -> Any:
        self.n += n if isinstance(n, (int, float)) else 1
        return Inert()

    def reset(self, total: Any = None) -> None:
        self.n, self.total = 0, self.total if total is None else total


class BarKind(type):
    """Has every class attribute and method of ``tqdm`` that is not here, such as ``tqdm.write``."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return inert(name)


class Tqdm(Bar, metaclass=BarKind):
    """``tqdm`` is a class: it may be subclassed, and asked for with ``isinstance``."""


def shown(*values: Any) -> Any:
    """``icecream.ic`` returns what it shows."""
    return values[0] if len(values) == 1 else values or None


UNDER: dict[Any, tuple[str, ...]] = {
    Tqdm: ("tqdm", "tqdm_notebook", "tqdm_gui", "tqdm_pandas", "tqdm_asyncio"),
    Bar: ("track", "progress_bar", "master_bar", "progressbar", "ProgressBar", "alive_it"),
    (lambda *args, **_: Tqdm(range(*args))): ("trange", "tnrange", "tgrange", "tarange"),
    (lambda items, start=0, *_, **__: Tqdm(enumerate(items, start if type(start) is int else 0))): ("tenumerate",),
    (lambda *items, **_: Tqdm(zip(*items))): ("tzip",),
    (lambda *items, **_: Tqdm(itertools.product(*items))): ("tproduct",),
    (lambda function, *items, **_: map(function, *items)): ("tmap",),
    (lambda function, *items, **_: list(map(function, *items))): ("thread_map", "process_map"),
    shown: ("ic",),
}
NAMED |= {name: value for value, names in UNDER.items() for name in names}
