"""How much of the disk the studio's files may take, in all and for each client, and what goes first."""

import asyncio
import contextlib
import errno
import json
import logging
import shutil
from collections import Counter, OrderedDict
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any

from studio.server.calls import answer
from studio.server.rates import client_of
from studio.server.routes import UPLOAD

logger = logging.getLogger(__name__)

MAX_BYTES = 2 * 2**30
CLIENT_BYTES = 512 * 2**20
"""Of one client in public: five of the largest uploads, or a hundred photographs."""

SHARE_OF_FREE = 0.5
"""Of what is free on the disk, and what lies there already."""

FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
NO_ROOM = (
    "The server has no room for this file now. Files are kept for half an hour, and old ones go first. "
    "Try again in a few minutes, or send a smaller file."
)


class DiskQuota:
    """Knows whose files lie in a folder; safe to call from several threads."""

    def __init__(self, folder: Path, *, most_bytes: int = MAX_BYTES, client_bytes: int | None = None) -> None:
        """Count nothing yet.

        Args:
            folder: where the files lie; its disk is asked for its room.
            most_bytes: of all of them.
            client_bytes: of one client's; None where nobody has to share.
        """
        self.folder = folder
        self._most, self._client_most = most_bytes, client_bytes
        self._files: OrderedDict[Path, tuple[str, int]] = OrderedDict()  # whose, and bytes; the oldest first
        self._held: Counter[str] = Counter()
        self._reserved: Counter[str] = Counter()  # by client, for files that are being written
        self._lock = Lock()

    def reserve(self, client: str, size: int) -> bool:
        """Keep room for a file of that many bytes, for which older ones may go; False where there is none.

        What was reserved is given back with release().
        """
        with self._lock:
            free, held = shutil.disk_usage(self.folder).free, self._held
            most = min(self._most, int((free + held.total()) * SHARE_OF_FREE))
            own_most = most if self._client_most is None else min(self._client_most, most)
            own, all_of_them = self._reserved[client] + size, self._reserved.total() + size
            if own > own_most or all_of_them > most:
                return False
            if held[client] + own > own_most or held.total() + all_of_them > most:
                self._forget_missing()
            self._delete_oldest(client, held[client] + own - own_most)
            while held.total() + all_of_them > most:
                greediest = max(held, key=lambda one: held[one])
                self._delete_oldest(greediest, held.total() + all_of_them - most)
            if shutil.disk_usage(self.folder).free < all_of_them:
                return False
            self._reserved[client] += size
            return True

    def release(self, client: str, size: int) -> None:
        """What was reserved is written by now, or will not be."""
        with self._lock:
            self._reserved[client] -= size
            if not self._reserved[client]:
                del self._reserved[client]

    def wrote(self, client: str, paths: Iterable[Path]) -> None:
        """These lie there now, and are the client's; what is too much by now goes, the oldest first."""
        with self._lock:
            for path in paths:
                with contextlib.suppress(OSError):
                    size = path.stat().st_size
                    self._forget(path)
                    self._files[path] = client, size
                    self._held[client] += size
        self.reserve(client, 0)

    def _delete_oldest(self, client: str, surplus: int) -> None:
        """Until so many bytes of a client's are gone."""
        left = self._held[client] - surplus
        for path in [path for path, (owner, _) in self._files.items() if owner == client]:
            if self._held[client] <= left:
                return
            self._forget(path)
            with contextlib.suppress(OSError):
                path.unlink()
                path.parent.rmdir()

    def _forget(self, path: Path) -> None:
        client, size = self._files.pop(path, ("", 0))
        self._held[client] -= size
        if not self._held[client]:
            del self._held[client]

    def _forget_missing(self) -> None:
        for path in [path for path in self._files if not path.exists()]:
            self._forget(path)


class UploadQuota:
    """ASGI middleware: an upload finds room, or is refused in a sentence; nothing stays of one that failed."""

    def __init__(self, app: Any, quota: DiskQuota, largest: int) -> None:
        """`largest` is the size in bytes of an upload that does not tell its own."""
        self._app, self._quota, self._largest = app, quota, largest
        self._under_way = 0

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """One connection."""
        if scope["type"] != "http" or scope["path"].rstrip("/") != UPLOAD or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        client = client_of((scope.get("client") or ("", 0))[0])
        declared = dict(scope["headers"]).get(b"content-length", b"")
        size = int(declared) if declared.isdigit() and len(declared) < 16 else self._largest
        if not await asyncio.to_thread(self._quota.reserve, client, size):
            await answer(send, 507, NO_ROOM)
            return
        told = bytearray()
        status = 0

        async def noted(message: dict) -> None:
            nonlocal status
            status = message.get("status", status)
            told.extend(message.get("body", b""))
            await send(message)

        self._under_way += 1
        try:
            await self._app(scope, receive, noted)
        except OSError as error:
            if error.errno not in FULL or status:
                raise
            logger.warning("an upload found no room on the disk: %s", error.strerror)
            await answer(send, 507, NO_ROOM)
        finally:
            self._under_way -= 1
            self._quota.release(client, size)
            if status == 200:
                await asyncio.to_thread(self._quota.wrote, client, _paths_in(told))
            elif not self._under_way:
                await asyncio.to_thread(_delete_unfinished, self._quota.folder)


def _paths_in(told: bytes | bytearray) -> list[Path]:
    """The files that Gradio's answer to an upload names."""
    try:
        return [Path(one) for one in json.loads(told) if isinstance(one, str)]
    except (ValueError, TypeError):
        return []


def _delete_unfinished(folder: Path) -> None:
    """What uploads have left: finished ones lie in folders of their own."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                path.unlink()
