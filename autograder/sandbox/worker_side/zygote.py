"""The process that workers are forked from: libraries imported once, nothing secret in memory.

Started by ``ZygoteClient`` with an almost empty environment. Arguments: the control socket's descriptor, the package root,
and a JSON object with the modules to import, further import paths, and layers to leave out. Control messages are frames;
each "fork" and "branch" comes with a descriptor.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

ADDED = [root for root in sys.argv[2:3] if __name__ == "__main__" and root not in sys.path]
sys.path[:0] = ADDED  # a checkout; an installed engine is found without it

# ruff: noqa: E402  # these imports need the path above
from autograder.checks import redirect
from autograder.sandbox import process, protocol, stage
from autograder.sandbox.worker_side import (
    cage,
    cpu_only,
    deferred,
    huge_pages,
    light_torch,
    own_disk,
    scratch,
    stub_packages,
    users,
    variables,
)
from autograder.sandbox.worker_side.child import Child
from autograder.sandbox.worker_side.hidden import hide_ours

ZYGOTE_GOES = 900  # inherited; of equals the kernel kills the one with most memory, which is a worker


def main(control_fd: int, root: str, options: dict[str, Any]) -> None:
    """Import the modules, prepare the cage, and serve until the judge closes the control socket."""
    if process.LINUX and os.geteuid() != 0:
        cage.first_to_go(ZYGOTE_GOES)
    no_disk = own_disk.separate() if process.LINUX and "tmpfs" not in options["without"] else "left out"
    process.die_with_parent()
    process.hide_from_debuggers()
    process.adopt_orphans()
    control = socket.socket(fileno=control_fd)
    sys.path.extend(options["paths"])
    preload(options["preload"])
    sys.path[:] = [path for path in sys.path if path not in ADDED]
    stub_packages.install()
    variables.install()
    plan = cage.prepare(Path(root), options["paths"], options["without"], no_disk)
    if plan.drop_user and not cage.open_to_all(Path(tempfile.gettempdir())):  # the judge's own folder, for nobody else
        os.environ.pop("TMPDIR", None)
        tempfile.tempdir = None
    Zygote(control, plan).serve()


@dataclass
class Resident:
    """A worker that has not been reaped: its uid (-1: ours), the descriptor that claims it, and its scratch folder."""

    uid: int
    claim: int
    folder: str


@dataclass
class Zygote:
    """Forks workers and branches of itself on request. ``children``: by pid; ``left``: folders that could not be removed yet.

    ``writing``: the plan for workers that get a folder where the others have none, once there has been one.
    """

    control: socket.socket
    plan: cage.Plan
    children: dict[int, Resident] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    branches: set[int] = field(default_factory=set)
    writing: cage.Plan | None = None

    def serve(self) -> None:
        """Answer until the judge closes the control socket, then end every child."""
        protocol.send(self.control, {"off": self.plan.off})
        while True:
            self.watch()
            try:
                message, descriptor = receive_with_descriptor(self.control)
            except protocol.FrameError:
                break
            if message["op"] == "fork":
                protocol.send(self.control, self.forked(descriptor, message["folder"]))
            elif message["op"] == "branch":
                self.branch(descriptor, message)
            elif message["op"] == "compact":
                huge_pages.collapse()
                protocol.send(self.control, {})
            elif message["op"] == "reap" and message["pid"] in self.children:
                self.reap(message["pid"])
                protocol.send(self.control, {})
        for pid in list(self.children):
            self.reap(pid)
        for folder in self.left:
            scratch.remove(folder)
        for pid in self.branches:
            os.waitpid(pid, 0)  # its judge has closed the other end, or will

    def forked(self, descriptor: int, may_write: bool) -> dict[str, Any]:
        """The answer to a judge that wants a worker: its pid, or why there is none."""
        try:
            return {"pid": self.fork(descriptor, may_write)}
        except OSError as error:
            return {"failed": str(error)}
        finally:
            os.close(descriptor)

    def fork(self, descriptor: int, may_write: bool = False) -> int:
        """Fork a caged worker that communicates through this descriptor; returns its pid. Raises OSError."""
        plan = self.plan_for(may_write)
        uid, claim = users.claim() if plan.drop_user else (-1, -1)
        folder = ""
        try:
            folder = scratch.make(uid, plan.disk) if plan.scratch else ""
            hide_ours()
            pid = os.fork()
        except OSError:
            if folder:
                scratch.remove(folder)
            if claim >= 0:
                os.close(claim)
            raise
        if pid == 0:
            self.become_worker(plan, descriptor, uid, folder)
        self.children[pid] = Resident(uid, claim, folder)
        return pid

    def become_worker(self, plan: cage.Plan, descriptor: int, uid: int, folder: str) -> NoReturn:
        """What a new process does: it says that it is in its cage, or why not, and serves the judge."""
        try:
            if folder and not redirect.UNDO:
                redirect.install(holders=redirect.HOLDERS)
            sock = socket.socket(fileno=descriptor)
            try:
                cage.enter(plan, descriptor, uid, folder)
                child = Child(sock, folder)
            except Exception as error:
                protocol.send(sock, {"failed": str(error) or type(error).__name__})
            else:
                protocol.send(sock, {"ready": True})
                child.serve()
        finally:
            os._exit(0)  # whatever happens: it is not to go on as a second zygote

    def plan_for(self, may_write: bool) -> cage.Plan:
        """The plan for one worker; with ``may_write`` it gets a folder to write in, also where the others have none."""
        if not may_write or self.plan.scratch:
            return self.plan
        if self.writing is None:
            self.writing = cage.with_scratch(self.plan)
        return self.writing

    def branch(self, descriptor: int, options: dict[str, Any]) -> None:
        """Fork another zygote, which may import further modules and give its workers a folder to write in.

        It ends when a judge closes its pipe, not with this process: it still has to remove its workers' folders.
        """
        self.branches = {pid for pid in self.branches if not os.waitpid(pid, os.WNOHANG)[0]}
        try:
            pid = os.fork()
        except OSError:
            os.close(descriptor)  # which tells its judge
            return
        if pid:
            os.close(descriptor)
            self.branches.add(pid)
            return
        self.control.close()
        for other in self.children.values():
            if other.claim >= 0:
                os.close(other.claim)
        control = socket.socket(fileno=descriptor)
        protocol.send(control, {"pid": os.getpid()})
        process.adopt_orphans()
        if options["scratch"]:
            redirect.install(holders=redirect.HOLDERS)  # no effect until a worker has a layer
        with stub_packages.uninstalled():
            preload(options["preload"])
        stage.compile_ahead(options["sources"])
        plan = cage.with_scratch(self.plan) if options["scratch"] else self.plan
        Zygote(control, plan).serve()
        os._exit(0)

    def reap(self, pid: int) -> None:
        """End a worker, remove its folder and give back its uid."""
        child = self.children.pop(pid)
        reap(pid, {*self.children, *self.branches})
        if child.folder and not scratch.remove(child.folder):
            self.left.append(child.folder)
        if child.uid >= 0 and self.plan.ruleset < 0:
            scratch.remove_files_of(child.uid)
        if child.claim >= 0:
            os.close(child.claim)

    def watch(self) -> None:
        """Wait for the judge; meanwhile kill every worker whose folder exceeds its limits, where the kernel sets none."""
        watched = {} if self.plan.disk else {pid: child.folder for pid, child in self.children.items() if child.folder}
        while watched and not select.select([self.control], [], [], scratch.WATCH_SECONDS)[0]:
            for pid, folder in watched.items():
                if scratch.too_full(folder):
                    end(pid)


def preload(modules: list[str]) -> None:
    """Import these modules and get ready to fork.

    The first time that torch is among them, it is limited to one thread and the CPU, and what frames need is imported.
    """
    had_torch = "torch" in sys.modules
    gc.disable()  # what is imported stays: searching it for garbage, once or at each step, takes long and finds next to none
    light = not had_torch and "torch" in modules and light_torch.represent()
    with deferred.without_clusters() if had_torch else contextlib.nullcontext():
        for name in modules:
            importlib.import_module(name)
    deferred.build()
    if "torch" in sys.modules and not had_torch:
        import safetensors.numpy  # noqa: F401  # so that workers need not

        sys.modules["torch"].set_num_threads(1)
        cpu_only.install()
        deferred.install()
        if light:
            light_torch.install()
    gc.enable()
    gc.freeze()


def receive_with_descriptor(control: socket.socket) -> tuple[dict[str, Any], int]:
    """Read one control message and the descriptor sent with it (-1: none); raises FrameError."""
    try:
        head, descriptors, _, _ = socket.recv_fds(control, 4, 1)
    except OSError as error:
        raise protocol.FrameError(str(error)) from None
    if len(head) < 4:
        raise protocol.FrameError("judge is gone")
    length = int.from_bytes(head, "little")
    message = protocol.tree_of(protocol.receive_exactly(control, length, None))
    return message, descriptors[0] if descriptors else -1


def reap(pid: int, others: set[int]) -> None:
    """Kill a child's process group, wait for it, then kill whatever it left behind.

    Only a parent can reap, so no pid is reused before we do. Descendants that escaped into their own session were adopted
    by this process (see ``process.adopt_orphans``): any child that is not one of ``others`` is such a stray.
    """
    end(pid)
    os.waitpid(pid, 0)
    while strays := children_now() - others:
        for stray in strays:
            try:
                os.kill(stray, signal.SIGKILL)
                os.waitpid(stray, 0)
            except OSError:
                pass


def end(pid: int) -> None:
    """Kill a child and its process group."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)


def children_now() -> set[int]:
    """All living or unreaped children of this process (on Linux; elsewhere always empty)."""
    try:
        return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
    except OSError:
        return set()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
    os._exit(0)  # taking apart what was imported takes longer than grading a section
