"""The 8x8 cosine transform of JPEG (DCT II, orthonormal), its inverse, and planes to blocks and back."""

import numpy as np
from numpy.typing import NDArray

BLOCK = 8
_CHUNK_BLOCKS = 65536


def _transform_matrix() -> NDArray[np.float32]:
    """(64, 64) float32: row-major block (as a row vector) @ matrix = row-major coefficients."""
    frequency, position = np.mgrid[:BLOCK, :BLOCK]
    cosines = np.cos((2 * position + 1) * frequency * np.pi / 16) / 2
    cosines[0] /= np.sqrt(2)
    return np.kron(cosines, cosines).T.astype(np.float32)


_FORWARD = _transform_matrix()


def _multiply_blocks(blocks: NDArray, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = blocks.reshape(-1, 64)
    product = np.empty(flat.shape, np.float32)
    for start in range(0, len(flat), _CHUNK_BLOCKS):  # in pieces: no second float copy of everything
        chunk = slice(start, start + _CHUNK_BLOCKS)
        np.matmul(flat[chunk].astype(np.float32), matrix, out=product[chunk])
    return product.reshape(blocks.shape)


def forward_dct(blocks: NDArray) -> NDArray[np.float32]:
    """Coefficients of sample blocks.

    Args:
        blocks: (..., 8, 8), samples with 128 already subtracted.

    Returns:
        (..., 8, 8) float32, rows are vertical frequencies; [0, 0] is 8 times the block's mean.
    """
    return _multiply_blocks(blocks, _FORWARD)


def inverse_dct(coefficients: NDArray) -> NDArray[np.float32]:
    """Sample blocks of dequantized coefficients; add 128 for 0..255. The inverse of forward_dct.

    Args:
        coefficients: (..., 8, 8).

    Returns:
        (..., 8, 8) float32, neither rounded nor clipped.
    """
    return _multiply_blocks(coefficients, _FORWARD.T)


def plane_to_blocks(plane: NDArray) -> NDArray:
    """Cut a plane into its 8x8 blocks, the last row and column repeated where it ends inside a block.

    Args:
        plane: (rows, columns).

    Returns:
        (block rows, block columns, 8, 8) of the same dtype.
    """
    rows, columns = plane.shape
    padded = np.pad(plane, ((0, -rows % BLOCK), (0, -columns % BLOCK)), mode="edge")
    tall, wide = padded.shape[0] // BLOCK, padded.shape[1] // BLOCK
    return np.ascontiguousarray(padded.reshape(tall, BLOCK, wide, BLOCK).swapaxes(1, 2))


def blocks_to_plane(blocks: NDArray, rows: int, columns: int) -> NDArray:
    """Put blocks together again and cut off what reaches beyond the plane.

    Args:
        blocks: (block rows, block columns, 8, 8).
        rows, columns: size of the plane.

    Returns:
        (rows, columns) of the same dtype.
    """
    tall, wide = blocks.shape[:2]
    return blocks.swapaxes(1, 2).reshape(tall * BLOCK, wide * BLOCK)[:rows, :columns]
