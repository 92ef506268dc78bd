"""The process that workers are forked from: libraries imported once, nothing secret in memory.

Started by ``client.Zygote`` with an empty environment; argv: control socket number, package root, and a JSON object
with the modules to import, further import paths, and layers to leave out. Control messages are frames, with one
descriptor attached to each "fork" and "clone".
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path


def main(control_fd: int, root: str, options: dict) -> None:
    from autograder.sandbox import cage, inert

    cage.die_with_parent()
    cage.hide_from_debuggers()
    sys.path.extend(options["paths"])
    for name in options["preload"]:
        __import__(name)
    settle()
    sys.path.remove(root)
    inert.install()
    serve(control_fd, cage.prepare(Path(root), options["paths"], options["without"]))


def serve(control_fd: int, plan) -> None:
    """Fork, clone and reap until the judge closes the control socket.

    A clone is another zygote, warm from its birth: it has a judge and children of its own.
    """
    from autograder.sandbox import cage, frames
    from autograder.sandbox.child import Child

    cage.die_with_parent()
    cage.adopt_orphans()
    control = socket.socket(fileno=control_fd)
    frames.send(control, {"ready": True, "off": plan.off})
    children: dict[int, int] = {}
    clones: set[int] = set()
    while True:
        try:
            message, descriptor = receive_with_descriptor(control)
        except frames.FrameError:
            break
        if message["op"] == "fork":
            # Counted from our pid, so that graders side by side do not share their workers' users either.
            number = next(n for n in range(os.getpid(), os.getpid() + len(children) + 1) if n not in children.values())
            pid = os.fork()
            if pid == 0:
                del control
                cage.enter(plan, descriptor, number)
                Child(socket.socket(fileno=descriptor)).serve()
                os._exit(0)
            os.close(descriptor)
            children[pid] = number
            frames.send(control, {"pid": pid})
        elif message["op"] == "clone":
            pid = os.fork()
            if pid == 0:
                control.close()
                serve(descriptor, plan)
                os._exit(0)
            os.close(descriptor)
            clones = {clone for clone in clones if not os.waitpid(clone, os.WNOHANG)[0]} | {pid}
        elif message["op"] == "reap" and message["pid"] in children:
            del children[message["pid"]]
            frames.send(control, reap(message["pid"], clones | set(children)))
    for pid in list(children):
        reap(pid, set())


def settle() -> None:
    """One thread only, devices mapped to the CPU, libraries that frames need, garbage frozen for fork."""
    import gc

    if "torch" in sys.modules:
        import safetensors.numpy  # noqa: F401

        from autograder.sandbox import device

        sys.modules["torch"].set_num_threads(1)
        device.install()
    gc.collect()
    gc.freeze()


def receive_with_descriptor(control: socket.socket):
    from autograder.sandbox import frames

    try:
        head, descriptors, _, _ = socket.recv_fds(control, 4, 1)
    except OSError as error:
        raise frames.FrameError(str(error)) from None
    if len(head) < 4:
        raise frames.FrameError("judge is gone")
    length = int.from_bytes(head, "little")
    message = frames.unpack(frames._exactly(control, length, None))
    return message, descriptors[0] if descriptors else -1


def reap(pid: int, others: set[int]) -> dict:
    """Kill a child's process group, wait for it, then end whatever it left behind.

    Only a parent may reap, so no pid is ever reused under us. Descendants that fled into a session of their own were
    adopted by this process (see ``cage.adopt_orphans``): any child that is not one of ``others`` is such a stray.
    """
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass
    _, status, usage = os.wait4(pid, 0)
    while strays := children_now() - others:
        for stray in strays:
            try:
                os.kill(stray, signal.SIGKILL)
                os.waitpid(stray, 0)
            except OSError:
                pass
    return {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
            "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0,
            "cpu": usage.ru_utime + usage.ru_stime}


def children_now() -> set[int]:
    """All living or unreaped children of this process (Linux; elsewhere none are known)."""
    try:
        return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
    except OSError:
        return set()


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[2])
    main(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
