"""The objects that code can reach, each with the way to restore what it holds.

Code reaches what it names: the globals in its byte code and in its strings, closures, default values, and from there whatever
lies in containers, attributes and methods. Code that looks names up at run time reaches everything in the notebook.
"""

from __future__ import annotations

import collections
import dis
import functools
import gc
import io
import operator
import random
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import contents
from .settings import is_own, reset

Undo = Callable[[], Any]
MAX_OBJECTS, MAX_ITEMS = 60_000, 2000  # of longer containers the items themselves are kept, not what is in them
ATOMS = {int, float, complex, bool, str, bytes, type(None), type(Ellipsis), range, slice, types.BuiltinFunctionType}
GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME", "STORE_GLOBAL", "DELETE_GLOBAL")
# Code with one of these can reach what it does not name.
LOOKUPS = {"globals", "eval", "exec", "importlib", "gc", "inspect", "get_ipython", "__main__", "sys.modules", "sys._getframe"}
STANDARD = {"collections", "types", "argparse", "functools", "contextlib", "random", "copy", "string", "configparser"}
FOREIGN = {"IPython", "ipykernel", "zmq", "traitlets", "jupyter_client", "google", "pytest", "_pytest", "builtins"}
IN_C = {"_csv", "itertools", "functools", "builtins"}
OURS = __package__.partition(".")[0]
CLASS_KEEPS = {"__dict__", "__weakref__", "__doc__", "__module__", "_abc_impl"}


@dataclass
class Reach:
    """What has been found so far.

    ``queue``: values to look into; ``words``: attributes and globals that code names; ``lookups``: whether it looks names up
    at run time; ``libraries``: modules and classes; ``modules``: name -> whether it is the student's.
    """

    names: dict[str, Any]
    left: list[str]
    undo: list[Undo] = field(default_factory=list)
    queue: list[Any] = field(default_factory=list)
    seen: dict[int, Any] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    lookups: bool = False
    libraries: list[Any] = field(default_factory=list)
    modules: dict[str, bool] = field(default_factory=dict)
    kept: contents.Kept = field(default_factory=contents.Kept)


def objects(names: dict[str, Any], roots: Iterable[Any], left: list[str]) -> list[Undo]:
    """Note everything that code which begins at these values can reach."""
    reach = Reach(names, left, kept=contents.Kept(left=left))
    reach.seen |= {id(one): one for one in output()}
    before = dict(names)
    reach.undo.append(lambda: reset(names, before))
    reach.queue += [*roots, *log_files()]
    done = 0
    while reach.queue or done < len(reach.libraries):
        while reach.queue:
            visit(reach, reach.queue.pop())
        if reach.lookups and id(names) not in reach.seen:
            reach.seen[id(names)] = names
            reach.queue += names.values()
            continue
        for owner in reach.libraries[done:]:
            done += 1
            keep_named(reach, owner)
    words = frozenset(reach.words)
    for owner in reach.libraries:
        reach.undo += patched(reach, owner, words)
    reach.undo += [contents.watch(name, value, left) for name, value in before.items() if id(value) not in reach.seen]
    return reach.undo


def output() -> list[Any]:
    """Where the check itself prints, which may be an object of the notebook's: that has to stay."""
    streams = [sys.stdout, sys.stderr]
    return [*streams, *(held for one in streams for held in getattr(one, "__dict__", {}).values() if type(held) not in ATOMS)]


def log_files() -> Iterator[Any]:
    """The files that loggers write to."""
    for reference in getattr(sys.modules.get("logging"), "_handlerList", []):
        stream = getattr(reference(), "stream", None)
        if isinstance(stream, io.IOBase):
            yield stream


def visit(reach: Reach, value: Any) -> None:
    """Note how to restore a value, and queue what can be reached from it."""
    kind = type(value)
    if kind in ATOMS or id(value) in reach.seen or len(reach.seen) > MAX_OBJECTS:
        return
    reach.seen[id(value)] = value
    for kinds, look in LOOKS:
        if isinstance(value, kinds):
            look(reach, value)
            return
    if (undo := reach.kept.data(value)) is not None:
        reach.undo += undo
        reach.queue += contents.inside(value)
        return
    instance(reach, value)


def sequence(reach: Reach, value: Any) -> None:
    """A list, tuple, set or the like; a class of its own may add attributes."""
    reach.undo += contents.container(value)
    if len(value) <= MAX_ITEMS:
        reach.queue += list(contents.base(value).__iter__(value))
    attributes(reach, value)


def mapping(reach: Reach, value: Any) -> None:
    reach.undo += contents.container(value)
    if len(value) <= MAX_ITEMS:
        reach.queue += list(contents.base(value).values(value))
    attributes(reach, value)


def function(reach: Reach, value: Any) -> None:
    """A function of the notebook, or one that a library made of it."""
    for cell in value.__closure__ or ():
        try:
            held = cell.cell_contents
        except ValueError:
            continue  # nothing in it yet
        reach.undo.append(functools.partial(setattr, cell, "cell_contents", held))
        reach.queue.append(held)
    reach.queue.append(vars(value).get("__wrapped__"))
    if not own(reach, value):
        return
    for name in ("__defaults__", "__kwdefaults__", "__code__"):
        reach.undo.append(contents.attribute(value, name))
        reach.queue.append(getattr(value, name))
    attributes(reach, value)
    globals_of, words = words_of(value.__code__)
    reach.words |= words
    reach.lookups |= not LOOKUPS.isdisjoint(globals_of)
    reach.queue += [value.__globals__[word] for word in globals_of if word in value.__globals__]
    if value.__globals__ is not reach.names and id(value.__globals__) not in reach.seen:
        reach.seen[id(value.__globals__)] = value.__globals__
        before = dict(value.__globals__)
        reach.undo.append(functools.partial(reset, value.__globals__, before))


@functools.lru_cache(maxsize=4096)
def words_of(code: types.CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """The globals that code names, and these with its attributes and strings; also those of the functions inside it."""
    found = {str(one.argval) for one in dis.get_instructions(code) if one.opname in GLOBAL} if code.co_names else set()
    if "sys" in found:
        found |= {f"sys.{name}" for name in code.co_names}
    words = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner, more = words_of(constant)
            found, words = found | inner, words | more
        elif isinstance(constant, str) and constant.isidentifier():
            words.add(constant)
    return frozenset(found), frozenset(words)


def kind_of_object(reach: Reach, value: type) -> None:
    """A class: one of the notebook's own is kept whole, of another only what the code names."""
    if not own(reach, value):
        reach.libraries.append(value)
        return
    before = {name: held for name, held in vars(value).items() if name not in CLASS_KEEPS}

    def restore() -> None:
        for name in [name for name in vars(value) if name not in before and name not in CLASS_KEEPS]:
            type.__delattr__(value, name)
        for name, held in before.items():
            if vars(value).get(name, reach) is not held:
                type.__setattr__(value, name, held)

    reach.undo.append(restore)
    reach.queue += [*before.values(), *value.__bases__]


def module(reach: Reach, value: types.ModuleType) -> None:
    reach.libraries.append(value)
    if own_module(reach, value.__name__):
        before = dict(vars(value))
        reach.undo.append(functools.partial(reset, vars(value), before))


def keep_named(reach: Reach, owner: Any) -> None:
    """Queue the modules and classes in a module or class that the code names, and all that it names in its own modules."""
    mine = isinstance(owner, types.ModuleType) and own_module(reach, owner.__name__)
    for name in vars(owner).keys() & reach.words:
        value = vars(owner)[name]
        if mine or isinstance(value, (types.ModuleType, type)):
            reach.queue.append(value)


def patched(reach: Reach, owner: Any, words: frozenset[str]) -> Iterator[Undo]:
    """What code that names these attributes may replace in a library."""
    before = {name: vars(owner)[name] for name in vars(owner).keys() & words}

    def restore() -> None:
        for name in vars(owner).keys() & words:
            if name not in before and own(reach, vars(owner)[name]):
                delattr(owner, name)
        for name, value in before.items():
            if vars(owner).get(name, reach) is not value:
                setattr(owner, name, value)

    yield restore


def wrapper(reach: Reach, value: Any) -> None:
    """Methods, properties and partial functions."""
    for name in ("__func__", "__self__", "fget", "fset", "fdel", "func", "args", "keywords", "__wrapped__"):
        reach.queue.append(getattr(value, name, None))


def cached(reach: Reach, value: Any) -> None:
    """A function with a cache: what it has computed from a check's inputs is forgotten."""
    before = value.cache_info().misses
    reach.undo.append(lambda: value.cache_clear() if value.cache_info().misses != before else None)
    reach.queue.append(getattr(value, "__wrapped__", None))


def generator(reach: Reach, value: Any) -> None:
    def place() -> Any:
        return None if value.gi_frame is None else value.gi_frame.f_lasti

    before = place()
    text = f"the generator {value.__name__} has moved on: make it again"
    reach.undo.append(lambda: reach.left.append(text) if place() != before else None)
    reach.queue += [] if value.gi_frame is None else list(value.gi_frame.f_locals.values())


def instance(reach: Reach, value: Any) -> None:
    """Any other object: its attributes, unless a part of Python or of the notebook server works with it meanwhile."""
    kind = type(value)
    if kind.__module__ in IN_C and not own(reach, kind):
        reach.queue += gc.get_referents(value) if hasattr(kind, "__next__") or kind.__module__ == "_csv" else []
        return
    package = kind.__module__.partition(".")[0]
    if not own(reach, kind):
        if package in FOREIGN or (package in sys.stdlib_module_names and package not in STANDARD) or package == OURS:
            return
    else:
        reach.queue.append(kind)
    attributes(reach, value)


def attributes(reach: Reach, value: Any) -> None:
    """Keep and queue what is in an object's dictionary and slots."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        held = None
    if type(held) is dict and id(held) not in reach.seen:
        reach.seen[id(held)] = held
        reach.undo += contents.container(held)
        reach.queue += list(held.values())
    for name in slots_of(type(value)):  # type: ignore[arg-type]  # classes are hashable
        try:
            inner = object.__getattribute__(value, name)
        except AttributeError:
            continue
        reach.undo.append(functools.partial(object.__setattr__, value, name, inner))
        reach.queue.append(inner)


@functools.lru_cache(maxsize=4096)
def slots_of(kind: type) -> tuple[str, ...]:
    found = [name for base in kind.__mro__ for name, member in vars(base).items() if type(member) is types.MemberDescriptorType]
    return tuple(name for name in found if kind.__module__ not in IN_C and not name.startswith("__"))


def own(reach: Reach, value: Any) -> bool:
    """Whether a function, a class or an object's class is the student's."""
    name = getattr(value, "__module__", None)
    return isinstance(name, str) and own_module(reach, name)


def own_module(reach: Reach, name: str) -> bool:
    if name not in reach.modules:
        ours = name.partition(".")[0] == OURS
        found = sys.modules.get(name)
        given = name in ("__main__", reach.names.get("__name__"))
        reach.modules[name] = given or (not ours and found is not None and is_own(found))
    return reach.modules[name]


LOOKS: list[tuple[Any, Callable[[Reach, Any], None]]] = [
    (types.FunctionType, function),
    (type, kind_of_object),
    (types.ModuleType, module),
    (dict, mapping),
    ((list, tuple, set, frozenset, collections.deque), sequence),
    ((types.MethodType, property, staticmethod, classmethod, functools.partial), wrapper),
    (type(functools.lru_cache(operator.neg)), cached),
    (types.GeneratorType, generator),
    (random.Random, lambda reach, value: reach.undo.append(functools.partial(value.setstate, value.getstate()))),
]
