"""Uploaded files: found in their folder only, opened in another process, and noted as their visitor's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.bounded_reading import read_at_most
from models.errors import InvalidSetting
from models.jpeg import JpegImage
from models.jpeg.limits import MAX_BYTES
from studio.server.files import PictureFolder
from studio.session.visitor import Photograph, open_photograph

OpenFile = Callable[[Any, Any], Photograph]
"""Opens an uploaded file by its place and its name, both untrusted; see Uploads.open."""


class Uploads:
    """What visitors have uploaded."""

    def __init__(
        self,
        pictures: PictureFolder,
        decode: Callable[[bytes], JpegImage],
        make_room: Callable[[], object] = lambda: None,
    ) -> None:
        """The folder that uploads arrive in, what opens them, see server.openings, and what is done before that."""
        self._pictures, self._decode, self._make_room = pictures, decode, make_room

    def open(self, place: Any, name: Any) -> Photograph:
        """The photograph in an uploaded file.

        Args:
            place: what the page says where it is; untrusted.
            name: what the visitor calls it; untrusted.

        Raises:
            RestorationError: with the sentence to show.
        """
        path = self._found(place)
        if path is None:
            raise _gone()
        self._pictures.adopt(path)
        try:
            data = read_at_most(path, MAX_BYTES)
        except OSError:
            raise _gone() from None
        self._make_room()
        return open_photograph(data, name if isinstance(name, str) else "", self._decode)

    def _found(self, place: Any) -> Path | None:
        """A file below the folder, whatever links and dots lead to it."""
        try:
            path = Path(place).resolve() if isinstance(place, str) else None
            if path is None or not path.is_relative_to(self._pictures.root.resolve()):
                return None
            return path if path.is_file() else None
        except (OSError, ValueError):  # too long, or with a zero byte
            return None


def _gone() -> InvalidSetting:
    return InvalidSetting(
        "The uploaded file is not there any more. Uploads are kept for a limited time. Drop it again."
    )
