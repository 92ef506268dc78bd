"""Worker side: a user for each worker that is never another worker's at the same time, on the whole machine.

A user is claimed by binding a socket to a name that only one process may use; the kernel gives it back when the process
that holds it ends, however it ends. Graders in containers of their own share no names with others, and no files either.
"""

from __future__ import annotations

import errno
import secrets
import socket

# A range that no distribution assigns to accounts. The first one is the PDF reader's: several may share it.
PDF_READER, FIRST_UID, UIDS = 61200, 61201, 4000


def claim() -> tuple[int, int]:
    """A uid that no worker on this machine has, and the descriptor that holds it until it is closed.

    Raises OSError if there is none.
    """
    start = secrets.randbelow(UIDS)  # containers count a user's processes together
    for step in range(UIDS):
        uid = FIRST_UID + (start + step) % UIDS
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as holder:
            try:
                holder.bind(f"\0autograder-worker-{uid}")
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return uid, holder.detach()
    raise OSError(errno.EUSERS, "every user for workers is in use")
