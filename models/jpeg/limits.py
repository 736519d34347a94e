"""How large a picture may be, and the advice that ends every refusal of a file."""

from models.errors import ImageTooLarge, UnreadableImage

MAX_PIXELS = 40_000_000
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 1_200_000_000
"""Pixels times scans, which is what a decoder passes over: 30 scans of the largest pictures."""
MAX_SEGMENTS = 20_000
MAX_BYTES = 100 * 2**20
MAX_ARITHMETIC_BYTES = 24 * 2**20
"""Arithmetic coding takes several times as long per byte as Huffman coding."""

TRY_ANOTHER = "Open it in another program and save it again as JPEG or PNG, or choose another picture."


def check_dimensions(rows: int, columns: int) -> None:
    """Refuse pictures of no size or of more than MAX_PIXELS.

    Raises:
        UnreadableImage: no rows or no columns.
        ImageTooLarge: more than MAX_PIXELS.
    """
    if rows <= 0 or columns <= 0:
        raise UnreadableImage(
            f"The file says its picture is {columns} x {rows} pixels. At least one row and one column are "
            f"needed. {TRY_ANOTHER}"
        )
    if rows * columns > MAX_PIXELS:
        raise ImageTooLarge(
            f"The picture is {columns} x {rows} pixels, {rows * columns / 1e6:.0f} megapixels. "
            f"Up to {MAX_PIXELS // 10**6} megapixels are allowed. Crop it or make it smaller first."
        )
