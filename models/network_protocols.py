"""What a network of the zoo offers, so that one restorer and one trainer serve all of them.

A network is called with what its architecture's colour rule says (models.zoo.color_of):

    "rgb"           (batch, 3, rows, columns), the decoded picture, 0..1
    "ycbcr"         the same as full-range Y, Cb, Cr
    "planes"        (batch, 1, rows, columns), Y, Cb or Cr at its own size, 0..1
    "coefficients"  (batch, 64, rows/8, columns/8), dequantized DCT amplitudes of Y, Cb or Cr in units of grey
                    levels, channel 8 * vertical + horizontal frequency

and, where it is steered, with the condition of the whole picture. It returns a picture (batch, 3 or 1, rows,
columns), in the same colours and not clamped, or a list of one per stage name; one with stage names takes `stages` too.
"""

from typing import Protocol

from torch import Tensor


class Network(Protocol):
    """Any network of the zoo.

    Attributes:
        multiple: rows and columns must be multiples of this; of 8, or 1 where blocks do not matter. 8 for networks
            of coefficients.
        overlap: pixels around a tile that its result noticeably depends on.
        stage_names: optional; names of the pictures it returns, the last being the result.
        full_resolution: optional, True where a network of whole pictures keeps its features at their size, so that
            its tiles must be smaller.
        keeps_to_cells: optional, True where the last picture of a steered network of "rgb" is to be moved into the
            file's quantization cells.
    """

    multiple: int
    overlap: int

    def __call__(self, inputs: Tensor) -> Tensor | list[Tensor]:
        """See the module's text; `stages` stops after that many pictures, None gives all."""
        ...

    def mmac_per_pixel(self) -> float:
        """1e6 multiply-accumulates per pixel; for single planes, per pixel of a 4:2:0 picture."""
        ...


class SteeredNetwork(Network, Protocol):
    """A network of "rgb" with `condition`: what is known of the whole picture reaches every tile.

    It may look at the whole picture, in one of two ways: with `summarize`, from (batch, 3, rows, columns) 0..1
    to (batch, summary), a mean over 8x8 blocks; or with an attribute `overview_side`, then its summary is the
    picture resized by area to (batch, 3, overview_side, overview_side). Otherwise the summary is None.
    """

    def condition(self, summary: Tensor | None, tables: Tensor | None = None) -> Tensor:
        """What steers pictures.

        Args:
            summary: as above.
            tables: (batch, 128) quantization steps, luma then chroma, zeros in a half that does not exist; a
                row of zeros, or None for all, where nothing is known.

        Returns:
            (batch, anything).
        """
        ...

    def __call__(self, inputs: Tensor, condition: Tensor) -> Tensor | list[Tensor]:
        """Every correction is added to a float32 picture, so that all else may run in bfloat16."""
        ...


class EstimatingNetwork(Network, Protocol):
    """A steered network that sees the quality factor in the picture, and can be told another one."""

    def predicted_quality_factor(self, summary: Tensor) -> Tensor:
        """(batch, summary) -> (batch,), 1..100."""
        ...

    def condition(
        self, summary: Tensor, quality_factor: Tensor | None = None, tables: Tensor | None = None
    ) -> Tensor:
        """Like SteeredNetwork.condition; quality_factor is (batch,) 1..100, None for its own estimate."""
        ...

    def __call__(self, inputs: Tensor, condition: Tensor) -> Tensor | list[Tensor]:
        """Like SteeredNetwork's."""
        ...
