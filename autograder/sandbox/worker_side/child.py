"""Worker side: the process that runs one submission's slice and answers the judge's requests.

It is forked from the zygote, owns nothing but one end of a socket pair, and exchanges frames:

    judge  -> {"id", "op": "load", "program"}            run the slice, report what it bound
           -> {"id", "op": "call", "name", "args", ...}   call a student function
           -> {"id", "op": "try", "codes", "calls", ...}   which of these edits of a statement make these calls right?
           -> {"id", "op": "observe", "codes", "probe", …}  what does a probe observe with each of these edits?
           -> {"id", "op": "stub", "names"}               have the judge answer calls of these helpers
           -> {"id", "op": "probe", "name"}               run one of our probes on the student's namespace
    child  -> {"id", "ok"} | {"id", "error"} | {"id", "done"} (a statement of the slice, or an edit, has run)
           -> {"id", "ask"} (a stub was called; the judge answers) | {"id", "tell"} (so does a probe ask)
           -> {"id", "loading"} (True before, False after libraries are loaded whose time is not the student's)
           -> {"id", "touch"} (what student code has asked Python for, see ``watched``)
"""

from __future__ import annotations
import __future__

import builtins
import signal
import socket
import sys
import types
from _thread import get_ident
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from autograder.checks import paths
from autograder.checks.diagnosis.trying import EDITED, Trial, survivors
from autograder.checks.sealed import sealed
from autograder.checks.traced import is_traced, make_tracer
from autograder.checks.values import make_decoder, make_encoder, make_tensor_check
from autograder.core import trees
from autograder.sandbox import protocol
from autograder.sandbox.stage import Modules, open_stage
from autograder.sandbox.worker_side import light_torch, other_branches, scratch, watched
from autograder.sandbox.worker_side.hidden import hide_ours, ours_shown
from autograder.sandbox.worker_side.statements import compiled, remember

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_REQUEST = 256 << 20
MAX_MESSAGE = 2000
handle: Any = vars(signal)["_signal"].signal  # the function in C: it is called twice for each call of a student's
ALARM, IGNORE = int(signal.SIGALRM), int(signal.SIG_IGN)


class Deadline(BaseException):
    """Raised by the alarm inside student code; not an Exception, so that `except Exception` does not catch it."""


class Child:
    """State of one worker: the student's namespace, the pipe to the judge and the folder to write in, if it has one."""

    def __init__(self, sock: socket.socket, folder: str = ""):
        self.sock, self.folder = sock, folder
        self.namespace: dict[str, Any] = {}
        self.send, self.receive = protocol.send, protocol.receive
        self.encode, self.decode, self.no_tensor = make_encoder(), make_decoder(), make_tensor_check()
        self.trace = make_tracer(self.decode)
        self.encode_exactly = make_encoder(exact=True)
        self.request = 0
        self.stage: Any = None
        self.thread, self.asked = get_ident(), False
        self.unsent: list[dict[str, Any]] = []
        light_torch.AROUND.append(sealed(self.loading))
        handle(ALARM, IGNORE)

    def serve(self) -> None:
        """Answer requests until the judge closes the pipe."""
        handlers = {
            "load": self.load,
            "call": self.call,
            "try": self.try_edits,
            "observe": self.observe_edits,
            "stub": self.stub,
            "probe": self.probe,
        }
        while True:
            try:
                message = self.receive(self.sock, MAX_REQUEST)
            except protocol.FrameError:
                return
            self.request, self.asked = message["id"], True
            try:
                reply = {"ok": handlers[message["op"]](message)}
            except BaseException as error:
                reply = {"error": describe(error)}
            self.asked = False
            self.answer(reply)

    def answer(self, reply: dict[str, Any]) -> None:
        while self.unsent:
            self.send(self.sock, {"id": self.request, **self.unsent.pop(0)})
        try:
            self.send(self.sock, {"id": self.request, **reply})
        except TypeError:
            self.send(self.sock, {"id": self.request, "error": {"type": "Unsendable", "message": "", "where": []}})

    def touched(self, what: str, cell: str, line: int) -> None:
        """Report what student code asks Python for, see ``watched``: with the next reply, if it does so unasked.

        Its other threads do, and its handlers of signals.
        """
        if self.asked and get_ident() == self.thread:
            self.answer({"touch": [what, cell, line]})
        else:
            self.unsent.append({"touch": [what, cell, line]})

    def loading(self, begins: bool) -> None:
        """Tell the judge, whose clock stands still meanwhile, that libraries are loaded; other threads do not send."""
        if get_ident() == self.thread:
            self.answer({"loading": begins})

    def load(self, message: dict[str, Any]) -> dict[str, Any]:
        """Run the prelude, then the statements one by one; a failing statement is recorded and skipped.

        Returns the names bound (with their kind), the failures, and a snapshot of each watched name after every statement that
        changed its value.
        """
        program = message["program"]
        self._set_up(program)
        exec(compile(program["prelude"], "<given>", "exec"), self.namespace)
        # Annotations may name packages that are missing here, and no answer depends on them: never evaluate them.
        flags = __future__.annotations.compiler_flag
        for feature in program["future"]:
            flags |= getattr(__future__, feature).compiler_flag
        failures: list[dict[str, Any]] = []
        snapshots: list[dict[str, Any]] = []
        last: dict[str, bytes] = {}
        hung = 0
        for index, statement in enumerate(program["statements"]):
            try:
                text, file = statement["code"], f"<cell {statement['cell']}>"
                code = compiled(text, file, statement["line"], flags)
                remember(file, text, statement["line"])
                seconds = message["seconds"] if hung < message["patience"] else message["hurried"]
                with_deadline(seconds, other_branches.run, text, code, self.namespace)
            except BaseException as error:
                hung += isinstance(error, Deadline)
                failures.append({"index": index, **describe(error)})
            for name in program["watch"]:
                if name in self.namespace:
                    value = self.encode(self.namespace[name])
                    fingerprint = trees.pack(value)
                    if last.get(name) != fingerprint:
                        last[name] = fingerprint
                        snapshots.append({"name": name, "index": index, "value": value})
            self.answer({"done": index})
        bound = {name: kind_of(self.namespace[name]) for name in program["report"] if name in self.namespace}
        return {"bound": bound, "failures": failures, "snapshots": snapshots}

    def _set_up(self, program: dict[str, Any]) -> None:
        """Make the student's module and the stage, before any student code, which therefore cannot patch what they use."""
        main = types.ModuleType("__main__")
        self.namespace = main.__dict__
        self.namespace["__builtins__"] = builtins
        sys.modules["__main__"] = main
        sys.argv = ["main.py"]  # for an argparse that reads the command line
        if program.get("probes"):
            with ours_shown():
                self.stage = open_stage(program["probes"]["sources"], program["probes"]["world"])
            self.stage.calls, self.stage.ask = program.get("calls", {}), self.told
        if self.folder:
            scratch.fill(self.folder, program.get("files", {}))
        if self.folder and program.get("mapped"):  # from here on, whatever path the code names, it writes there
            paths.LAYERS.append(paths.Layer(self.folder))
        hide_ours()
        sys.meta_path.append(Modules(program["modules"]))
        watched.install(self.touched, type(self.stage).__module__)

    def observe_edits(self, message: dict[str, Any]) -> list[Any]:
        """Try edits of one statement; returns what a probe observes with each, None where it fails."""
        calm()
        found: list[Any] = []
        for number, code in enumerate(message["codes"]):
            try:
                exec(compile(code, EDITED, "exec", dont_inherit=True), self.namespace)
                observe = partial(self.stage.observe, message["probe"], self.namespace, self.encode)
                found.append(with_deadline(message["seconds"], observe))
            except BaseException:
                found.append(None)
            self.answer({"done": number})
        return found

    def try_edits(self, message: dict[str, Any]) -> list[list[int]]:
        """Try edits of one statement on groups of calls of a function; see ``survivors`` for what comes back."""
        groups = [
            [
                Trial(partial(self.decode, args), partial(self.decode, kwargs), wanted, tolerance)
                for args, kwargs, wanted, tolerance in calls
            ]
            for calls in message["calls"]
        ]

        def define(code: Any) -> Any:
            exec(code, self.namespace)
            return self.namespace[message["name"]]

        def plain(result: Any) -> Any:
            return None if message.get("tensor") and self.no_tensor(result) else self.encode(result)

        calm()
        seconds, codes, tell = message["seconds"], message["codes"], self.answer
        try:
            found: list[list[int]] = with_deadline(
                seconds, survivors, codes, define, groups, plain, lambda n: tell({"done": n})
            )
            return found
        finally:
            exec(compiled(message["own"], f"<cell {message['cell']}>", message["line"]), self.namespace)

    def call(self, message: dict[str, Any]) -> Any:
        """Call a student function on fresh copies of the judge's arguments."""
        function, seconds = self.namespace[message["name"]], message["seconds"]
        if any(map(is_traced, message["args"])):
            calm()
            return with_deadline(seconds, self.trace, function, message["args"], message["kwargs"])
        args, kwargs = self.decode(message["args"]), self.decode(message["kwargs"])
        calm()
        result = with_deadline(seconds, function, *args, **kwargs)
        return (message.get("tensor") and self.no_tensor(result)) or self.encode(result)

    def probe(self, message: dict[str, Any]) -> Any:
        """Run one of the assignment's probes on the student's namespace; returns what it observes."""
        calm()
        return with_deadline(message["seconds"], self.stage.observe, message["name"], self.namespace, self.encode)

    def stub(self, message: dict[str, Any]) -> list[str]:
        """Replace helpers by functions that send their arguments to the judge and return its answer, or by ones run here."""
        names: list[str] = message["names"]
        for name in names:
            self.namespace[name] = self._stub_for(name)
        beside: dict[str, Any] = {}
        exec(message["source"] if message["beside"] else "", beside)
        for name in dict(message["beside"]):
            broken = [id for other, id in message["beside"] if other == name]
            self.namespace[name] = beside[name](self.namespace.get(name), self.namespace, broken)
        return names

    def told(self, what: str) -> Any:
        """What the judge answers to a question of the running probe's."""
        self.send(self.sock, {"id": self.request, "tell": what})
        return self._answered()

    def _answered(self) -> Any:
        answer = self.receive(self.sock, MAX_REQUEST)
        if "refused" in answer:
            raise ValueError(answer["refused"])
        return answer["answer"]

    def _stub_for(self, name: str) -> Callable[..., Any]:
        def helper(*args: Any, **kwargs: Any) -> Any:
            question = {
                "name": name,
                "args": [self.encode_exactly(value) for value in args],
                "kwargs": {key: self.encode_exactly(value) for key, value in kwargs.items()},
            }
            self.send(self.sock, {"id": self.request, "ask": question})
            return self.decode(self._answered())

        own = self.namespace.get(name)
        outside: Callable[..., Any] = sealed(helper, instead=own if isinstance(own, types.FunctionType) else None)
        return outside


def kind_of(value: Any) -> str:
    if value is None or value is Ellipsis:
        return "blank"
    return "function" if callable(value) else "value"


def with_deadline(seconds: float, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call ``function``; the judge's alarm may interrupt it, and if that fails, the judge kills the process."""
    started = monotonic()

    def ring(*_: Any) -> None:
        if monotonic() - started > seconds / 2:  # otherwise it was meant for the previous statement
            raise Deadline(f"no answer within {seconds:g} s")

    handle(ALARM, sealed(ring))
    try:
        return function(*args, **kwargs)
    finally:
        handle(ALARM, IGNORE)


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as data: type name, message, and the student's own lines (cell, line), innermost last."""
    where: list[list[Any]] = []
    trace = error.__traceback__
    while trace is not None and len(where) < 50:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith("<cell ") and file.endswith(">"):
            where.append([file[6:-1], trace.tb_lineno])
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and (file := str(error.filename)).startswith("<cell "):
        where.append([file[6:-1], error.lineno or 0])
    try:
        message = str(error)[:MAX_MESSAGE]
    except BaseException:
        message = ""
    return {
        "type": type(error).__name__[:80],
        "message": message.encode("utf-8", "replace").decode("utf-8"),
        "where": where[-3:],
    }


def calm() -> None:
    """Reset global torch settings that a notebook may have changed and that do not suit our float32 inputs."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
