"""What is known about why a training loop raises, from what was observed of its model until then."""

from __future__ import annotations

import re
from typing import Any

OF_NOTHING = re.compile(r"'NoneType' object has no attribute '(backward|item|detach)'")
OF_A_NUMBER = re.compile(r"'(float|int)' object has no attribute 'backward'")
NO_GRAPH = "does not require grad and does not have a grad_fn"


def explained(error: Exception, recorder: Any) -> Exception:
    """The same exception; where the cause is known, its message says so, in a form that diagnosis adds nothing to.

    ``recorder``: see ``watch.Recorder``.
    """
    if cause := cause_of(type(error), str(error), recorder):
        error.args = (f"{error} (because {cause})",)
    return error


def cause_of(kind: type, message: str, recorder: Any) -> str:
    """The cause in words; '' if it is not known."""
    if kind is AttributeError and OF_NOTHING.match(message) and recorder.modes and recorder.unlabelled:
        return 'the model was given no labels, so its output has no loss: pass labels=batch["label_encoding"], too'
    if kind is AttributeError and OF_A_NUMBER.match(message):
        return "a plain number, as .item() returns it, knows nothing of the model: backward() belongs to the loss itself"
    if kind is RuntimeError and NO_GRAPH in message and recorder.modes:
        return (
            "the model ran without tracking gradients, as inside torch.no_grad()"
            if not recorder.graphs[-1]
            else "what backward() is called on is cut off from the model, as by .detach(), .item() or torch.tensor(…)"
        )
    return ""
