"""Worker side: stand-ins whose values a program uses: the entries of a tracker's configuration, secrets, names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from autograder.sandbox.worker_side.inert import NAMED, SMALL, Inert

PLAIN = (bool, int, float, str, list, tuple, dict, type(None))
# What an entry of a configuration whose name matches is, if it is unknown: a whole number.
WHOLE = {
    "max_?len|length|seq": 512,
    "batch": 32,
    "epoch": 8,
    "warm": 0,
    "accum|num|^n_|seed|steps?$|size|dim|workers|layers|heads|patience|every|interval": 1,
}


def _computes_as(plain: type) -> Callable[[type], type]:
    """Give a stand-in the operators of a plain type; whatever the plain type lacks is a stand-in's."""
    kept = {"__new__", "__doc__", "__format__", "__getattribute__", "__iter__"}

    def filled(kind: Any) -> Any:
        for name in vars(plain).keys() - kept:
            setattr(kind, name, getattr(plain, name))
        kind.__reduce__ = lambda self: (kind, (plain(self),))
        return kind

    return filled


class Entry(Inert):
    """An unknown entry of a configuration; so are its own entries."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return unknown(name)

    def __getitem__(self, name: Any) -> Any:
        return unknown(str(name))


@_computes_as(float)
class Number(Entry, float):
    """Libraries that insist on a ``float`` (a learning rate) take it."""


@_computes_as(int)
class Whole(Entry, int):
    """Libraries that insist on an ``int`` (a batch size) take it."""


@_computes_as(str)
class Text(Inert, str):
    """``os.environ`` and files take it."""

    __slots__ = ()

    def __call__(self, *_: Any, **__: Any) -> Text:
        return self


class Config(Inert):
    """A configuration such as ``wandb.config``: keeps the plain values that it is given. Any other entry is a number."""

    def __init__(self) -> None:
        self.__dict__["known"] = {}

    def update(self, *values: Any, **more: Any) -> None:
        for given in (*values, more):
            entries = given if hasattr(given, "keys") else getattr(given, "__dict__", {})
            for name in list(entries.keys()):
                self[name] = entries[name]

    def setdefaults(self, values: Any) -> None:
        self.update({name: value for name, value in dict(values).items() if name not in self.known})

    def __setitem__(self, name: Any, value: Any) -> None:
        if isinstance(value, PLAIN):
            self.known[str(name)] = value

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __getitem__(self, name: Any) -> Any:
        return self.known[name] if name in self.known else unknown(str(name))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        method = getattr(self.known, name, None)  # keys, values, items, get
        return self.known[name] if name in self.known else method or self[name]

    def as_dict(self) -> dict[str, Any]:
        return dict(self.known)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.known)

    def __contains__(self, name: object) -> bool:
        return name in self.known

    def __len__(self) -> int:
        return len(self.known)


def unknown(name: str) -> Any:
    """A number that an entry of this name might be."""
    found = next((value for pattern, value in WHOLE.items() if re.search(pattern, name, re.IGNORECASE)), None)
    return Number(SMALL) if found is None else Whole(found)


class Secrets(Inert):
    """Texts by name: ``google.colab.userdata``, ``dotenv_values()``."""

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        return found if isinstance(found, type) else Text(".")

    def __getitem__(self, key: Any) -> Any:
        return Text(".")

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self


def init(*_: Any, config: Any = None, **__: Any) -> Any:
    """``wandb.init``: afterwards ``wandb.config`` holds the plain values of ``config``."""
    CONFIG.update(config)
    return Inert()


class Control(Inert):
    """A slider or a field of a form, as ipywidgets has them: it stands at the value that the program gives it."""

    def __init__(self, *_: Any, **given: Any) -> None:
        self.value = given.get("value")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "value" and isinstance(value, PLAIN) and value is not None:
            self.__dict__[name] = value

    def __call__(self, *given: Any, **more: Any) -> Any:
        return type(self)(*given, **more)


CONFIG = Config()
CONTROLS = (
    "IntSlider FloatSlider FloatLogSlider IntRangeSlider FloatRangeSlider BoundedIntText BoundedFloatText IntText FloatText "
    "Dropdown RadioButtons Select SelectMultiple SelectionSlider SelectionRangeSlider ToggleButton ToggleButtons Checkbox "
    "Text Textarea Combobox"
).split()
TEXTS = (
    *("name", "id", "dir", "url", "log_dir", "logdir", "run_id", "run_name", "experiment_id", "get_url", "get_key", "get_name"),
    *("get_secret", "get_token", "getpass", "getuser", "tabulate", "colored", "to_html", "to_jshtml", "to_html5_video"),
)
NAMED.update(
    dict.fromkeys(CONTROLS, Control())
    | {**dict.fromkeys(TEXTS, Text(".")), "userdata": Secrets(), "dotenv_values": Secrets(), "config": CONFIG, "init": init}
)
