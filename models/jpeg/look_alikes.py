"""Tells segments that may stand between two scans from damaged picture data that happens to look like one."""

from collections.abc import Callable, Sequence

_DHT, _DAC, _SOS, _DQT, _DNL, _DRI, _COM = 0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE
_LENGTHS = {_DNL: 2, _DRI: 2}


def may_stand_between_scans(marker: int, body: bytes, following: bytes, identifiers: Sequence[int]) -> bool:
    """True where a marker found behind the first scan begins a segment that a decoder can use or pass over.

    Args:
        marker: its second byte; no RST, SOI, EOI or TEM.
        body: what its length says belongs to it, without the length.
        following: a few bytes behind that.
        identifiers: of the frame's components.
    """
    if marker == _SOS:
        count = body[0] if body else 0
        chosen = body[1 : 1 + 2 * count : 2]
        return 1 <= count <= 4 and len(body) == 4 + 2 * count and set(chosen) <= set(identifiers)
    if marker == _DQT:
        return _ends_with_a_table(body, lambda head, rest: 128 if head >> 4 else 64)
    if marker == _DHT:
        return _ends_with_a_table(body, lambda head, rest: 16 + sum(rest[:16]))
    if marker == _DAC:
        return len(body) > 0 and len(body) % 2 == 0
    if marker in _LENGTHS:
        return len(body) == _LENGTHS[marker]
    if marker == _COM or 0xE0 <= marker <= 0xEF:
        return not following.lstrip(b"\0") or following.lstrip(b"\0")[:1] == b"\xff"
    return False  # no second frame belongs here, and other markers are reserved


def _ends_with_a_table(body: bytes, size_of: Callable[[int, bytes], int]) -> bool:
    """True where tables of one leading byte and `size_of(that byte, what follows)` more fill a segment exactly."""
    position = 0
    while position < len(body):
        head = body[position]
        if head & 0x0F > 3 or head >> 4 > 1:
            return False
        position += 1 + size_of(head, body[position + 1 : position + 17])
    return position == len(body) > 0


def scanned_components(identifiers: Sequence[int], scanned: Sequence[int]) -> list[int | None]:
    """Which components of a frame a scan holds, in the scan's order, as libjpeg finds them.

    Files exist whose components share a number; the first of them that the scan has not passed yet is meant.

    Args:
        identifiers: of the frame's components.
        scanned: those that the scan names.

    Returns:
        Positions in the frame, None where it has no such component.
    """
    found: list[int | None] = []
    for name in scanned:
        places = [place for place, own in enumerate(identifiers) if own == name and place not in found]
        found.append(places[0] if places else None)
    return found
