"""Against the cage itself: what the scratch folder holds, what is left for the next worker, limits of a user, native code.

Most cases set ``broke`` where an attempt succeeds; the answer is right unless one did, so a hole in the cage loses points here.
"""

from __future__ import annotations

from hostile.case import S3, Hostile, function

PREAMBLE = """
import ctypes, os
libc, broke, held = ctypes.CDLL(None, use_errno=True), [], []
def attempt(what, *more):
    try:
        result = what(*more)
    except (OSError, ValueError, OverflowError):
        return
    if result is None or not isinstance(result, int) or result >= 0:
        broke.append(result)
"""
CLUTTER = {
    "colliding names": "for a in range(9):\n    os.makedirs(f'd{a}/x/y')\n    for b in range(20): os.makedirs(f'd{a}.{b}/z')",
    "numbered names": "for a in range(9): os.makedirs(f'{a}/{a}.1/{a}.2'); os.makedirs(f'x/{a}.{a}')",
    "names of 255 bytes": "for a in 'ab': os.makedirs('/'.join(a * 255 for _ in range(9)))",
    "names that are not UTF-8": "os.makedirs(b'\\xff/\\xfe\\x80/\\xc3'); open(b'\\xff/\\xfe\\x80/\\n', 'w').close()",
    "a folder of mode 0": "os.makedirs('open/inner'); os.mkdir('open/closed', 0); os.mkdir('closed', 0)",
    "a mask that leaves no rights": "old = os.umask(0o777); os.mkdir('dark'); os.umask(old)",
    "folders that nobody may list": "os.mkdir('blind', 0o300); os.mkdir('blind/too', 0o300)",
    "open folders and files": "os.makedirs('a/b'); held += [os.open('a/b', 0), os.open('a/f', os.O_CREAT)]",
    "a working folder that is gone": "libc.mkdir(b'gone', 448); libc.chdir(b'gone'); libc.rmdir(b'../gone'); libc.chdir(b'/')",
}
FLOODS = {
    "below PATH_MAX": "for _ in range(20): os.mkdir('d' * 250); os.chdir('d' * 250)\n"
    "for n in range(20): open(str(n), 'wb').write(bytes((8 << 20) - 1))",
    "in open files without a name": "for n in range(22):\n"
    "    held.append(open('x', 'wb')); held[-1].write(bytes(8 << 20)); os.unlink('x')",
    "in mapped files without a name": "import mmap\nfor n in range(22):\n    with open('x', 'w+b') as file:\n"
    "        file.write(bytes(8 << 20)); file.flush(); held.append(mmap.mmap(file.fileno(), 4096))\n    os.unlink('x')",
    "in folders that nobody may list": "os.mkdir('d', 0o300)\nfor n in range(20): open(f'd/{n}', 'wb').write(bytes(8 << 20))",
    "in one file beyond its limit": "with open('x', 'wb', 0) as file:\n"
    "    for n in range(40): file.write(bytes(4 << 20)) or file.seek(1 << 40)",
    "by a tree of folders": "for a in range(100):\n    for b in range(100): os.makedirs(f'{a}/{b}')",
    "by an endless depth": "while True: os.mkdir('d'); os.chdir('d')",
}
LEFT = """
for place in ('/tmp', '/var/tmp', '/dev/shm', '/run/lock', '/dev/mqueue', os.path.dirname(os.__file__) + '/__pycache__'):
    attempt(libc.open, (place + '/left-by-a-submission').encode(), 0o101, 0o666)  # no function that maps paths into the folder
    attempt(libc.mkdir, (place + '/left-by-a-submission-too').encode(), 0o777)
"""
OTHERS = {
    "leftovers in shared memory and queues": "attempt(libc.shmget, 4711, 4096, 0o1666); attempt(libc.semget, 4711, 1, 0o1666)\n"
    "attempt(libc.msgget, 4711, 0o1666); attempt(libc.syscall, 240, b'left', 0o102, 0o666, None)\n"
    "attempt(libc.syscall, 248, b'user', b'left', b'x', 1, -3); attempt(libc.inotify_init)",
    "leftovers in abstract sockets": "import socket\nfor kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
    "    attempt(lambda: socket.socket(socket.AF_UNIX, kind).bind('\\0left'))\n    attempt(socket.socketpair)",
    "leftovers in public folders": LEFT,
    "children by every system call": "import signal\nflags = signal.SIGCHLD\n"
    "def child(*call):\n    pid = libc.syscall(*call)\n    return os._exit(0) if pid == 0 else pid\n"
    "attempt(child, 57); attempt(child, 56, flags, 0, 0, 0, 0); attempt(child, 56, 0x4000 | flags, 0, 0, 0, 0)\n"
    "attempt(child, 435, bytes(32) + flags.to_bytes(8, 'little') + bytes(48), 88)",
    "system calls that are newer than the list": "os.O_PATH\nattempt(libc.syscall, 452, -100, b'/dev/null', 0o666, 0)\n"
    "for number in range(450, 520): attempt(libc.syscall, number, -1, 0, 0, 0, 0, 0)",
    "options with high bits": "for option in (1, 4):\n"
    "    attempt(libc.prctl, ctypes.c_ulong(1 << 32 | option), ctypes.c_ulong(1), 0, 0, 0)",
    "priority, affinity, limits": "import resource\nattempt(os.nice, 1); attempt(os.sched_setaffinity, os.getppid(), [0])\n"
    "attempt(os.setpriority, os.PRIO_USER, 0, 19); attempt(resource.prlimit, os.getppid(), resource.RLIMIT_AS, (1, 1))\n"
    "attempt(resource.setrlimit, resource.RLIMIT_NOFILE, (9, 9)); attempt(libc.open, b'/proc/self/oom_score_adj', 1)",
    "signals by fcntl and ioctl": "import fcntl, struct\nowner = struct.pack('ii', 1, os.getppid())\nfor pipe in range(3, 9):\n"
    "    attempt(fcntl.fcntl, pipe, 8, os.getppid()); attempt(fcntl.fcntl, pipe, 10, 9)\n"
    "    attempt(fcntl.fcntl, pipe, 15, owner)\n"
    "    for request in (0x8901, 0x8902, 0x5452): attempt(fcntl.ioctl, pipe, request, owner[4:])\n"
    "    attempt(fcntl.fcntl, pipe, 4, os.O_ASYNC); attempt(fcntl.fcntl, pipe, 1024, 0)\n"
    "    attempt(fcntl.fcntl, pipe, 1026, 1 << 31)",
    "memory that cannot be paged out": "page = ctypes.create_string_buffer(1 << 16)\nattempt(libc.mlock, page, 1 << 16)\n"
    "attempt(libc.mlockall, 3); attempt(libc.syscall, 206, 1 << 14, ctypes.byref(ctypes.c_ulong(0)))",
    "pending signals": "one = ctypes.byref(ctypes.c_int())\n"
    "made = sum(libc.syscall(222, 1, None, one) == 0 for _ in range(2000))\n"
    "attempt(lambda: 0 if made > 500 else -1)",
    "every descriptor": "try:\n    while True: held += os.pipe()\nexcept OSError:\n    pass\n"
    "attempt(lambda: 0 if len(held) > 200 else -1)\n"
    "for one in held: os.close(one)",
}
ENDS = {
    "it stops itself by a timer": "timer = ctypes.c_int()\n"
    "libc.syscall(222, 1, bytes(8) + (19).to_bytes(4, 'little') + bytes(52), ctypes.byref(timer))\n"
    "libc.syscall(223, timer, 0, (0).to_bytes(24, 'little') + (1000).to_bytes(8, 'little'), None)\nwhile True: pass",
    "a pipe that is half closed": "for n in range(3, 9): libc.shutdown(n, 1)",
    "a pipe that is closed for reading": "for n in range(3, 9): libc.shutdown(n, 0)\nos._exit(0)",
    "a pipe that is filled": "for n in range(3, 9):\n"
    "    try:\n        while True: os.write(n, b'\\0' * 65536)\n    except OSError: pass",
    "another descriptor for the pipe": "held = [os.dup(n) for n in range(3, 4)]\nos.dup2(0, 3)\nreturn F.softmax(A, dim=-1)",
    "a pipe that does not block": "import fcntl\nfcntl.fcntl(3, 4, os.O_NONBLOCK)\nos.write(3, b'\\xff')",
    "another architecture's system calls": "import mmap, platform\nif platform.machine() != 'x86_64': os.abort()\n"
    "code = mmap.mmap(-1, 4096, prot=7); code[:8] = b'\\xb8\\x02\\0\\0\\0\\xcd\\x80\\xc3'\n"
    "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()\nreturn A",
}


def in_section3(code: str, after: str) -> dict[str, str | bytes]:
    """Right answers to section 3, whose compute_accuracy first does this, once, in its folder."""
    lines = f"{PREAMBLE}\n{code}".replace("\n", "\n        ")
    body = f"    if not hasattr(compute_accuracy, 'done'):\n        compute_accuracy.done = True{lines}\n{after}"
    start = S3.index("def compute_accuracy")
    end = S3.index("\n", start) + 1
    return {"A2S3.py": S3[:end] + body + S3[end:]}


def quietly(code: str) -> str:
    indented = code.strip("\n").replace("\n", "\n    ")
    return f"try:\n    {indented}\nexcept OSError:\n    pass"


ONLY_3, LOST_3 = {"sections": ("A2S3",)}, frozenset({"3.compute_accuracy"})
RIGHT_UNLESS = "return A if broke else F.softmax(A, dim=-1)"
CASES = [
    *(Hostile("folder", what, in_section3(f"os.getcwd()\n{code}", ""), **ONLY_3) for what, code in CLUTTER.items()),
    *(
        Hostile(
            "folder",
            f"a flood {how}",
            in_section3(quietly(code), "    return -1.0\n"),
            frozenset({"3.compute_accuracy"}),
            **ONLY_3,
        )
        for how, code in FLOODS.items()
    ),
    Hostile("folder", "files outside of it", in_section3(LEFT + "if broke: os._exit(1)", ""), **ONLY_3),
    *(Hostile("cage", what, function(f"{PREAMBLE}\n{code}\n{RIGHT_UNLESS}")) for what, code in OTHERS.items()),
    *(
        Hostile("cage", what, function(f"{PREAMBLE}\n{code}\nreturn A"), frozenset({"2.1.attn_softmax"}))
        for what, code in ENDS.items()
    ),
]
