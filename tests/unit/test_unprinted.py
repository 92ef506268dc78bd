"""What a probed function prints in a notebook is kept nowhere: a loop that prints takes no memory."""

import contextlib
import sys

import pytest

from autograder.checks import probe

PRINTS = {
    "print": lambda: print("x" * 1000),
    "a stream": lambda: sys.stdout.write("x" * 1000),
    "errors": lambda: print("x" * 1000, file=sys.stderr),
    "many lines": lambda: sys.stderr.writelines(["x" * 1000] * 10),
}


class Stage:
    def __init__(self, prints):
        self.prints = prints

    def observe(self, *_):
        for _ in range(100):
            self.prints()
        return len(sys.stdout.getvalue() + sys.stderr.getvalue())


@pytest.mark.parametrize("how", PRINTS)
def test_what_a_probe_prints_is_neither_shown_nor_kept(monkeypatch, capsys, how):
    monkeypatch.setattr(probe, "stage", lambda world: contextlib.nullcontext(Stage(PRINTS[how])))
    assert probe.LocalProbe("p", [], {}, None, lambda value: value)() == 0
    assert capsys.readouterr() == ("", "")
