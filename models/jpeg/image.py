"""JpegImage: a picture together with everything its file says about how it was compressed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from models.images import RgbImage
from models.jpeg.coefficients import JpegComponent, components_from_bitstream, components_from_pixels
from models.jpeg.density import Density
from models.jpeg.header import JpegHeader
from models.jpeg.judgement import Judgement, judge_picture
from models.jpeg.metadata import to_srgb, upright, upright_place
from models.jpeg.tables import QualityEstimate, QuantizationTable, estimated_quality_factor

_MODELS_WITH_CHROMA = ("YCbCr", "YCCK")
MODELS_WITH_LUMA = ("gray", "YCbCr")
"""Color models whose first component is the luma of the decoded picture."""

CoefficientReader = Callable[[bytes, JpegHeader], tuple[JpegComponent, ...] | None]
"""Reads the coefficients a file holds, as models.jpeg.coefficients.components_from_bitstream does."""


class ColorConverter(Protocol):
    """Converts pixels to sRGB, as models.jpeg.metadata.to_srgb does."""

    def __call__(self, pixels: RgbImage, icc_profile: bytes, *, is_gray: bool) -> RgbImage: ...


@dataclass(frozen=True, eq=False)
class JpegImage:
    """One opened file. Never change its arrays: they are shared, not copied.

    Attributes:
        data: the file's own bytes.
        decoded_pixels: (rows, columns, 3) uint8 RGB as the decoder gives them, in the file's own 8x8 grid and
            colours: before EXIF rotation and colour conversion. CMYK and YCCK are RGB already, gray has three
            equal channels.
        format: the name of one of models.jpeg.formats.FORMATS.
        header: the JPEG header, None for other formats.
        is_gray: True where the file stores gray.
        alpha: (rows, columns) uint8, upright like `pixels`, or None.
        exif, icc_profile: the file's own blocks, or None; `pixels` have both applied already. Where another process
            opened the file, exif is only what models.jpeg.kept_exif keeps, and icc_profile is there if it applies.
        orientation: EXIF orientation still to be applied to decoded_pixels, 1..8.
        profile_applies: True where decoded_pixels are in icc_profile's colours and not in sRGB.
        notes: what was done to the picture that a person should know, such as "16-bit converted to 8-bit".
        density: how large the upright picture is printed, None where the file does not say.
        read_coefficients: how `components` are read from the file, here or in another process.
        convert_colors: how pixels get from icc_profile to sRGB, here or in another process.
        shown: `pixels`, where they were made together with decoded_pixels.
    """

    data: bytes
    decoded_pixels: RgbImage
    format: str
    header: JpegHeader | None = None
    is_gray: bool = False
    alpha: NDArray[np.uint8] | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None
    orientation: int = 1
    profile_applies: bool = False
    notes: tuple[str, ...] = ()
    density: Density | None = None
    read_coefficients: CoefficientReader = components_from_bitstream
    convert_colors: ColorConverter = to_srgb
    shown: RgbImage | None = None

    @cached_property
    def pixels(self) -> RgbImage:
        """(rows, columns, 3) uint8, upright and sRGB; decoded_pixels itself where nothing had to be done."""
        return self.present(self.decoded_pixels) if self.shown is None else self.shown

    def present(self, pixels: RgbImage) -> RgbImage:
        """Turn a restoration of decoded_pixels upright and into sRGB.

        `pixels` is made of decoded_pixels in the same way.

        Args:
            pixels: (rows, columns, 3) uint8, the shape of decoded_pixels.

        Raises:
            ValueError: for another shape.
            RestorationError: another process could not convert the colours.
        """
        if pixels.shape != self.decoded_pixels.shape:
            raise ValueError(f"pixels have shape {pixels.shape}, decoded_pixels {self.decoded_pixels.shape}")
        return upright(self._in_srgb(pixels), self.orientation)

    def present_part(self, pixels: RgbImage, row: int, column: int) -> tuple[int, int, RgbImage]:
        """The same for a rectangle of decoded_pixels, which begins at that row and column.

        Returns:
            Row and column of its top left corner in the upright picture, and its pixels there.

        Raises:
            RestorationError: another process could not convert the colours.
        """
        size, whole = pixels.shape[:2], self.decoded_pixels.shape[:2]
        place = upright_place(row, column, size, whole, self.orientation)
        return *place, upright(self._in_srgb(pixels), self.orientation)

    def _in_srgb(self, pixels: RgbImage) -> RgbImage:
        if not self.profile_applies or self.icc_profile is None:
            return pixels
        return self.convert_colors(pixels, self.icc_profile, is_gray=self.is_gray)

    @property
    def jpeg_header(self) -> JpegHeader:
        """The header of a picture that was saved as JPEG.

        Raises:
            ValueError: it was not.
        """
        if self.header is None:
            raise ValueError("this picture was not saved as JPEG, so that it has no header")
        return self.header

    @property
    def saved_as_jpeg(self) -> bool:
        """True where the file itself is a JPEG, so that its tables and coefficients are known."""
        return self.header is not None

    @property
    def subsampling(self) -> str | None:
        """One of "4:4:4", "4:2:2", "4:2:0", "gray", or a rarer one; None for files that are no JPEG."""
        return self.header.subsampling if self.header else None

    @property
    def luma_table(self) -> QuantizationTable | None:
        """(8, 8) int64 table of the first component, or None for files that are no JPEG."""
        return self.header.components[0].table if self.header else None

    @property
    def chroma_table(self) -> QuantizationTable | None:
        """(8, 8) int64 table of Cb, or None for gray, RGB and CMYK files and those that are no JPEG."""
        if self.header is None or self.header.color_model not in _MODELS_WITH_CHROMA:
            return None
        return self.header.components[1].table

    @cached_property
    def estimated_quality_factor(self) -> QualityEstimate | None:
        """What the file's tables say of its quality, or None for files that are no JPEG."""
        if self.luma_table is None:
            return None
        return estimated_quality_factor(self.luma_table, self.chroma_table)

    @cached_property
    def judgement(self) -> Judgement:
        """What the file proves: saved before or not, neutral or not, a repeated pattern or not."""
        has_luma = self.header is None or self.header.color_model in MODELS_WITH_LUMA
        return judge_picture(self.components, self.decoded_pixels, has_luma=has_luma)

    @property
    def bits_per_pixel(self) -> float:
        """Bits of the whole file, metadata included, per pixel of the picture."""
        rows, columns = self.decoded_pixels.shape[:2]
        return 8 * len(self.data) / (rows * columns)

    @cached_property
    def components(self) -> tuple[JpegComponent, ...]:
        """Quantized coefficients of every component, read when first asked for.

        From the bitstream where the file is a JPEG whose coefficients can be read; otherwise recomputed from
        decoded_pixels as unsubsampled Y, Cb, Cr (Y alone for gray) with tables of ones.
        """
        found = self.read_coefficients(self.data, self.header) if self.header else None
        return found or components_from_pixels(self.decoded_pixels, is_gray=self.is_gray)

    @property
    def coefficients_from(self) -> Literal["bitstream", "pixels"]:
        """Where `components` come from."""
        return self.components[0].coefficients_from
