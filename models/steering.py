"""Steering: what belongs to a whole picture and is worked out once, before a network sees its first tile."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.images import RgbImage
from models.jpeg import JpegImage, quantization_tables
from models.jpeg.double import EarlierSave
from models.networks.base import Network
from models.orientations import ORIENTATIONS, UPRIGHT, Orientation, turn
from models.tensors import area_weights, pixels_to_tensor, table_to_tensor

SUMMARY_PIXELS = 1 << 19
"""Pixels looked at at once."""

BLOCK = 8

LOWEST_BY_TABLES = 5
TWO_SAVES_FACTOR = 1.4
LARGEST_COARSENESS, LOWEST_TOLD = 3.5, 25
"""See quality_of_two_saves()."""


@dataclass(frozen=True, eq=False)
class Steering:
    """What is known of a whole picture.

    Attributes:
        conditions: the network's condition by orientation; where only two are there, for upright and sideways
            pictures, they serve all.
        predicted: quality factor as the network sees it, None where it does not look for it.
        applied: quality factor that goes into the condition, None where none does.
        by_tables: the file's own tables go into the condition, and nothing else decides.
        sentence: what steered the run, for people.
    """

    conditions: dict[Orientation, Tensor]
    predicted: float | None
    applied: float | None
    by_tables: bool
    sentence: str

    def condition(self, orientation: Orientation) -> Tensor:
        """The condition for tiles that were flipped and turned that way."""
        if orientation in self.conditions:
            return self.conditions[orientation]
        turns, _ = orientation
        return self.conditions[turns % 2, False]


def steer(
    network: Network,
    image: JpegImage,
    device: torch.device,
    *,
    quality_factor: int | None,
    use_tables: bool,
    every_orientation: bool,
) -> Steering:
    """Look at the whole picture once; a quality factor set by hand wins over the file's tables.

    To networks that do not know quality factors it is handed as libjpeg's tables of that quality. Networks that do
    are steered by both of two saves, see quality_of_two_saves().

    Args:
        network: what is to be steered.
        image: the degraded picture.
        device: where the network is.
        quality_factor: 1..100 set by hand, or None.
        use_tables: let the network see the file's tables, where the file has them.
        every_orientation: prepare conditions for turned tiles too.
    """
    use_tables = use_tables and quality_factor is None and _has_usual_tables(image)
    estimates = network.estimates_quality
    sentence = _sentence(quality_factor, use_tables, estimates)
    earlier = image.judgement.coarser_save if use_tables and estimates else None
    if use_tables and estimates and (low := _quality_below_training(image)) is not None:
        use_tables, quality_factor = False, low
    elif earlier is not None:
        use_tables = False
        if earlier.kind == "aligned":
            quality_factor = earlier.quality_factor
            sentence = f"an earlier save at quality factor {quality_factor} on the file's own grid"
        elif (together := quality_of_two_saves(earlier)) is not None:
            quality_factor = together
            sentence = (
                f"an earlier save at quality factor {earlier.quality_factor} and the file's own, "
                f"together like one at {quality_factor}"
            )
        else:
            use_tables = True
    luma, chroma = (image.luma_table, image.chroma_table) if use_tables else (None, None)
    if quality_factor is not None and not estimates:
        luma, chroma = quantization_tables(quality_factor)
        chroma = None if image.is_gray else chroma
    scalar = None if quality_factor is None else torch.tensor([float(quality_factor)], device=device)
    predicted: float | None = None
    conditions: dict[Orientation, Tensor] = {}
    for orientation, summary in _summaries(network, image.decoded_pixels, device, every_orientation):
        tables = None
        if luma is not None:
            tables = table_to_tensor(luma, chroma, sideways=orientation[0] % 2 == 1).to(device)
        if predicted is None and (estimate := network.predicted_quality_factor(summary)) is not None:
            predicted = float(estimate)
        conditions[orientation] = network.condition(summary, quality_factor=scalar, tables=tables)
    applied = predicted if quality_factor is None else float(quality_factor)
    return Steering(conditions, predicted, applied, use_tables, sentence)


def quality_of_two_saves(earlier: EarlierSave) -> int | None:
    """The quality factor of one save that does as much harm as both that a picture went through.

    What two quantizations on different grids add to a picture is nearly independent, so their mean squares add up.
    The cascade corrects such pictures too weakly even then: of steps 1 to 2.5 times as large as the earlier save's,
    tried on validation photographs with seventeen pairs of qualities, TWO_SAVES_FACTOR times that root served best.
    An earlier save of very low quality that is more than LARGEST_COARSENESS times as coarse it sees better by itself.

    Args:
        earlier: a save on another grid, up to models.jpeg.judgement.MUCH_COARSER times as coarse as the file's own.

    Returns:
        1..100, or None where the file's own tables serve better.
    """
    first = earlier.quality_factor
    if first < LOWEST_TOLD and earlier.coarseness > LARGEST_COARSENESS:
        return None
    scale = 50 / first if first < 50 else 2 - first / 50  # of libjpeg's steps, 1 at quality factor 50
    scale *= TWO_SAVES_FACTOR * (1 + earlier.coarseness**-2) ** 0.5
    return max(1, round(50 / scale if scale > 1 else 100 - 50 * scale))


def _summaries(
    network: Network, pixels: RgbImage, device: torch.device, every_orientation: bool
) -> list[tuple[Orientation, Tensor]]:
    """What the network sees of the whole picture, for every orientation in which that differs."""
    if network.overview_side is not None:
        upright = _overview_of(pixels, network.overview_side, device)
        wanted = ORIENTATIONS if every_orientation else (UPRIGHT,)
        return [(orientation, turn(upright, orientation)) for orientation in wanted]
    summaries = []
    for sideways in (False, True) if every_orientation else (False,):
        seen = pixels.swapaxes(0, 1) if sideways else pixels
        summaries.append(((int(sideways), False), _summary_of(network, seen, device)))
    return summaries


def _overview_of(pixels: RgbImage, side: int, device: torch.device) -> Tensor:
    """Resize a whole picture by area, in strips: (rows, columns, 3) uint8 -> (1, 3, side, side), 0..1."""
    rows, columns = (area_weights(size, side).to(device) for size in pixels.shape[:2])
    strip = max(1, SUMMARY_PIXELS // pixels.shape[1])
    total = torch.zeros(1, 3, side, side, device=device)
    for top in range(0, len(pixels), strip):
        part = pixels_to_tensor(pixels[top : top + strip]).to(device)
        total += rows[:, top : top + strip] @ (part @ columns.T)
    return total


def _summary_of(network: Network, pixels: RgbImage, device: torch.device) -> Tensor:
    """Summarize a whole picture in strips of block rows.

    Blocks that the right and lower edge cut through are left out, unless there are no others.

    Args:
        network: takes a mean over blocks, or does not look.
        pixels: (rows, columns, 3) uint8.
        device: where the network is.

    Returns:
        (1, summary) float32.
    """
    rows, columns = (size // BLOCK * BLOCK or size for size in pixels.shape[:2])
    pixels = pixels[:rows, :columns]
    padding = [(0, -rows % BLOCK), (0, -columns % BLOCK), (0, 0)]
    if rows < BLOCK or columns < BLOCK:
        pixels = np.pad(pixels, padding, mode="edge")
    strip = max(1, SUMMARY_PIXELS // pixels.shape[1] // BLOCK) * BLOCK
    total = torch.zeros((), device=device)
    for top in range(0, len(pixels), strip):
        part = pixels[top : top + strip]
        summary = network.summarize(pixels_to_tensor(part).to(device))
        if not summary.numel():
            return summary
        total = total + summary * len(part)
    return total / len(pixels)


def _sentence(quality_factor: int | None, use_tables: bool, estimates: bool) -> str:
    if quality_factor is not None:
        return f"quality factor {quality_factor} set by hand"
    if use_tables:
        return "the file's quantization tables"
    return "its own estimate of the quality factor" if estimates else "the picture alone"


def _quality_below_training(image: JpegImage) -> int | None:
    """Of libjpeg's tables where it is so low that its number says more than steps cut off at 255; else None."""
    estimate = image.estimated_quality_factor
    if estimate is None or not estimate.standard or estimate.quality_factor is None:
        return None
    return estimate.quality_factor if estimate.quality_factor < LOWEST_BY_TABLES else None


def _has_usual_tables(image: JpegImage) -> bool:
    """Whether the file has a luma table, and a chroma table if it has colour; files that store RGB do not."""
    return image.luma_table is not None and (image.is_gray or image.chroma_table is not None)
