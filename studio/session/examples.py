"""The studio's own pictures: photographs inside scikit-image's package, and drawings the project made itself."""

from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

from models.errors import InvalidSetting
from models.places import shipped
from studio.server.files import served_file
from studio.session.visitor import Photograph, open_photograph

ASSETS = shipped("assets")
THUMBNAIL = 96
THUMBNAIL_QUALITY = 85


@dataclass(frozen=True)
class Example:
    """A picture that comes with the studio.

    Attributes:
        name: identifier.
        title: for people.
        file_name: in scikit-image's data folder, or in assets/ where `drawn`.
        drawn: made by this project.
    """

    name: str
    title: str
    file_name: str
    drawn: bool = False

    def read_bytes(self) -> bytes:
        """The file as it is stored."""
        if self.drawn:
            return (ASSETS / self.file_name).read_bytes()
        return (files("skimage") / "data" / self.file_name).read_bytes()


EXAMPLES = (
    Example("coffee", "Coffee: a clean photograph", "coffee.png"),
    Example("chelsea", "Chelsea: fur and whiskers", "chelsea.png"),
    Example("astronaut", "Astronaut: a portrait", "astronaut.png"),
    Example("rocket", "Rocket: a file that is JPEG already", "rocket.jpg"),
    Example("hubble", "Hubble: points of light, JPEG already", "hubble_deep_field.jpg"),
    Example("camera", "Camera: a gray photograph", "camera.png"),
    Example("text", "Text: rendered type", "text.png", drawn=True),
    Example("line-art", "Line art: flat colours and thin lines", "line-art.png", drawn=True),
)


def example(name: object) -> Example:
    """The example of that name.

    Raises:
        InvalidSetting: where there is none.
    """
    for one in EXAMPLES:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in EXAMPLES)
    raise InvalidSetting(f"There is no example called {name!r:.40}. There are {known}. Choose one of them.")


def open_example(name: object) -> Photograph:
    """The opened example of that name; all visitors share one, whose arrays nobody changes.

    Raises:
        InvalidSetting: where there is none.
    """
    return _opened(example(name))


@lru_cache(maxsize=len(EXAMPLES))
def _opened(one: Example) -> Photograph:
    return replace(open_photograph(one.read_bytes(), one.file_name), example=one.name)


def thumbnails(folder: Path) -> list[dict]:
    """Write a small square WebP per example and describe them for the page.

    Args:
        folder: existing folder to write into.
    """
    described = []
    for one in EXAMPLES:
        path = folder / f"{one.name}.webp"
        source = ASSETS / one.file_name if one.drawn else files("skimage") / "data" / one.file_name
        with Image.open(str(source)) as picture:
            rgb = picture.convert("RGB")
        side = min(rgb.size)
        left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
        square = rgb.resize(
            (THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS, (left, top, left + side, top + side)
        )
        Image.fromarray(np.asarray(square)).save(path, quality=THUMBNAIL_QUALITY)
        described.append({"name": one.name, "title": one.title, "file": served_file(path)})
    return described
