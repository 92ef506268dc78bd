"""What an assignment's rules may define, and what holds where they do not."""

from __future__ import annotations

import importlib
import importlib.util
import types

FUNCTIONS = ("signature", "wanted_weights", "weights_of", "teller", "right_value", "broken_property", "reason", "pictured")
MAPPINGS, SEQUENCES = ("CONCEPTS", "ABOUT", "STEPS", "WORTH", "SPARE"), ("EDITS", "STATEMENTS")


def with_defaults(rules: types.ModuleType) -> types.ModuleType:
    """The rules with defaults for what is optional: functions that return None, and empty data.

    ``signature(id, value, case)`` describes an answer's behaviour as an array, to compare it with known mistakes;
    ``wanted_weights(id, case)`` is the attention that pictures show as the target, and
    ``weights_of(id, value, case)`` that of an answer which is a value; ``pictured(id)`` what such a picture shows;
    ``teller(probe, world)`` has an ``answer`` to what a probe asks while it runs, and an ``account``, which becomes the
    observation's "told"; ``right_value(name, case)`` is a right answer of that name, for answers that are computed from it;
    ``broken_property(id, case, result)`` says what a wrong result breaks. Each may return None.

    For diagnosis (``checks.diagnosis``): ``reason(id, value, case, context)`` tells (concept, sentence) about a wrong value;
    ``CONCEPTS``: concept -> the question about a line; ``ABOUT``: question id -> the concept of its known mistakes that
    have no tag in the bank; ``STEPS``: question id -> the functions that its composite calls, in order; ``EDITS``:
    (concept, find, put), and ``STATEMENTS``: (concept, code), which may repair an answer; ``WORTH``: question id -> how many
    edits its probe is tried with; ``SPARE``: question id -> the parameters that a right answer may leave unused.
    """
    for name in FUNCTIONS:
        if not hasattr(rules, name):
            setattr(rules, name, lambda *_: None)
    for name in (*MAPPINGS, *SEQUENCES):
        if not hasattr(rules, name):
            setattr(rules, name, {} if name in MAPPINGS else ())
    return rules


def rules_beside(package: str) -> types.ModuleType:
    """The rules in the students' checks package, with defaults; an assignment may have none."""
    there = importlib.util.find_spec(".rules", package)
    return with_defaults(importlib.import_module(".rules", package) if there else types.ModuleType("rules"))
