"""Tiles cover a picture exactly once, lie on the grid, and see what they need."""

import numpy as np
import pytest

from models.tiles import cut_into_tiles

SHAPES = [(1, 1), (8, 8), (100, 300), (257, 64), (64, 1001)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("longest", "overlap", "multiple"), [(64, 16, 8), (80, 9, 8), (40, 9, 1), (48, 8, 16)]
)
def test_every_pixel_is_kept_once_and_is_where_it_was(shape, longest, overlap, multiple) -> None:
    picture = np.arange(shape[0] * shape[1]).reshape(shape)
    kept = np.zeros(shape, int)
    copy = np.full(shape, -1)
    for tile in cut_into_tiles(shape, longest=longest, overlap=overlap, multiple=multiple):
        seen = tile.cut(picture)
        assert max(seen.shape) <= longest
        assert seen.shape[0] % multiple == seen.shape[1] % multiple == 0
        assert tile.rows.seen_start % multiple == tile.columns.seen_start % multiple == 0
        kept[tile.rows.kept, tile.columns.kept] += 1
        copy[tile.rows.kept, tile.columns.kept] = seen[tile.rows.inner, tile.columns.inner]
        for span, size in zip((tile.rows, tile.columns), shape, strict=True):
            assert span.start - span.seen_start >= min(overlap, span.start)
            assert span.seen_stop - span.stop >= min(overlap, size - span.stop)
    assert (kept == 1).all()
    np.testing.assert_array_equal(copy, picture)


def test_tiles_start_on_a_coarser_grid_and_see_multiples_of_the_finer_one() -> None:
    tiles = cut_into_tiles((200, 328), longest=136, overlap=24, multiple=8, grid=16)
    starts = {(tile.rows.start, tile.columns.start) for tile in tiles}
    assert len(starts) == len(tiles) > 4
    assert all(row % 16 == column % 16 == 0 for row, column in starts)
    assert {tile.columns.seen_stop for tile in tiles if tile.columns.stop == 328} == {328}


def test_what_lies_beyond_the_picture_repeats_its_edge() -> None:
    picture = np.arange(6).reshape(2, 3)
    (tile,) = cut_into_tiles((2, 3), longest=64, overlap=8, multiple=4)
    np.testing.assert_array_equal(tile.cut(picture), [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [3, 4, 5, 5]])


def test_tiles_are_of_nearly_equal_size() -> None:
    tiles = cut_into_tiles((8, 1000), longest=400, overlap=48, multiple=8)
    sizes = [tile.columns.size for tile in tiles]
    assert max(sizes) - min(sizes) <= 8 * len(sizes)
    assert len(sizes) == 4


def test_tiles_that_would_be_all_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        cut_into_tiles((1000, 1000), longest=64, overlap=32, multiple=8)
