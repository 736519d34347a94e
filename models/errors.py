"""What can go wrong in front of a person, as one small tree.

RestorationError                 root: every message people read
├── UnreadableImage              the file is damaged, or no picture at all
├── UnsupportedImage             a sound file of a kind the studio refuses (16-bit, lossless JPEG, too many scans, ...)
├── ImageTooLarge                more pixels or bytes than the studio handles
├── InvalidSetting               a control or an argument outside what is allowed
├── UnknownModel                 a name the zoo does not hold
├── BrokenCheckpoint             weights or card that do not fit the architecture
├── MissingExtra                 an optional package or file that is not installed
├── OutOfMemory                  even the smallest tile did not fit
└── RestorationCancelled         somebody pressed Stop

Every message has three parts: what happened (with the value), what is allowed, what to do next.
Callers' bugs stay plain ValueError; assert never checks what a person supplied.
"""

from typing import Any


class RestorationError(Exception):
    """Root of everything whose message is shown to people as it stands."""


class UnreadableImage(RestorationError):
    """The bytes are damaged or are no picture."""


class UnsupportedImage(RestorationError):
    """A sound picture of a kind the studio does not take."""


class ImageTooLarge(RestorationError):
    """More pixels, scans or bytes than allowed."""


class InvalidSetting(RestorationError):
    """A setting outside its range."""


class UnknownModel(RestorationError):
    """A model name that no checkpoint has."""


class BrokenCheckpoint(RestorationError):
    """A card or weights file that cannot be used."""


class MissingExtra(RestorationError):
    """An optional dependency that is not installed."""


class OutOfMemory(RestorationError):
    """Even the smallest tile did not fit into memory."""


class RestorationCancelled(RestorationError):
    """The person asked to stop.

    Attributes:
        unfinished: a models.restorer.Unfinished where the restoration can go on, else None.
    """

    unfinished: Any = None
