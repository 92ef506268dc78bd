"""The process that workers are forked from: libraries imported once, nothing secret in memory.

Started by ``client.Zygote`` with an empty environment; argv: control socket number, package root,
modules to import. Control messages are frames with one descriptor attached to each "fork".
"""

from __future__ import annotations

import os
import signal
import socket
import sys


def main(control_fd: int, preload: list[str]) -> None:
    from autograder.sandbox import cage, frames
    from autograder.sandbox.child import Child

    cage.die_with_parent()
    control = socket.socket(fileno=control_fd)
    for name in preload:
        __import__(name)
    settle()
    frames.send(control, {"ready": True})
    children: set[int] = set()
    while True:
        try:
            message, descriptor = receive_with_descriptor(control)
        except frames.FrameError:
            break
        if message["op"] == "fork":
            pid = os.fork()
            if pid == 0:
                control.close()
                cage.enter(descriptor)
                Child(socket.socket(fileno=descriptor)).serve()
                os._exit(0)
            os.close(descriptor)
            children.add(pid)
            frames.send(control, {"pid": pid})
        elif message["op"] == "reap" and message["pid"] in children:
            children.discard(message["pid"])
            frames.send(control, reap(message["pid"]))
    for pid in children:
        reap(pid)


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


def reap(pid: int) -> dict:
    """Kill a child's whole process group and wait for it; only its parent may, so no pid is ever reused."""
    for kill, target in ((os.killpg, pid), (os.kill, pid)):
        try:
            kill(target, signal.SIGKILL)
        except OSError:
            pass
    _, status, usage = os.wait4(pid, 0)
    return {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
            "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0,
            "cpu": usage.ru_utime + usage.ru_stime}


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[2])
    main(int(sys.argv[1]), sys.argv[3:])
