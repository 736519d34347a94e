"""Reading files that anybody may have put there."""

import errno
import os
import stat
from pathlib import Path


def read_at_most(path: Path, most_bytes: int) -> bytes:
    """A regular file's bytes, of which no more than allowed are ever in memory.

    Raises:
        OSError: it cannot be read, is larger, or is a pipe, a device or a folder; strerror says so.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        data = b"" if facts.st_size > most_bytes else file.read(most_bytes + 1)
        if facts.st_size > most_bytes or len(data) > most_bytes:
            size = max(facts.st_size, len(data))
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than {most_bytes:,}", str(path))
        return data


def _open_at_once(path: str, flags: int) -> int:
    """Pipes that nobody writes to would be waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
