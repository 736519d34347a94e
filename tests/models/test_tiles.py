"""Tiles cover a picture exactly once, lie on the grid, and see what they need."""

import numpy as np
import pytest

from models.tiles import cut_into_tiles, tiles_from

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


@pytest.mark.parametrize("shape", [(1000, 1400), (300, 2001), (640, 655)])
@pytest.mark.parametrize(
    "box", [(0, 0, 0.2, 0.2), (0.4, 0.45, 0.6, 0.7), (0.85, 0.9, 1, 1), (0.31, 0, 0.32, 1)]
)
@pytest.mark.parametrize("multiple", [1, 8])
def test_what_is_in_sight_comes_first_and_the_rest_goes_outward(shape, box, multiple) -> None:
    limits = {"longest": 256, "overlap": 32, "multiple": multiple}
    tiles = [(0, tile) for tile in cut_into_tiles(shape, **limits)]
    ordered = tiles_from(box, tiles, [shape], **limits)
    rest = ordered[len(ordered) - len(tiles) :]
    assert sorted(map(repr, rest)) == sorted(map(repr, tiles)), "each of them once"
    middles = [((t.rows.start + t.rows.stop) / 2, (t.columns.start + t.columns.stop) / 2) for _, t in rest]
    middle = [(low + high) / 2 * size for low, high, size in zip(box[:2], box[2:], shape, strict=True)]
    distances = [sum((a - b) ** 2 for a, b in zip(place, middle, strict=True)) for place in middles]
    assert distances == sorted(distances)
    assert len(ordered) == len(tiles) + 1
    first = ordered[0][1]
    picture = np.zeros(shape)
    seen = first.cut(picture)
    assert max(seen.shape) <= 256 and seen.shape[0] % multiple == seen.shape[1] % multiple == 0
    for span, low, high, size in zip((first.rows, first.columns), box[:2], box[2:], shape, strict=True):
        assert span.start % multiple == span.seen_start % multiple == 0 and span.stop <= size
        assert span.start - span.seen_start >= min(32, span.start)
        assert span.seen_stop - span.stop >= min(32, size - span.stop)
        if (high - low) * size <= 256 - 64 - multiple:
            assert span.start <= low * size and span.stop >= high * size, "all of what is in sight"


def test_a_view_of_nearly_everything_gets_no_tile_of_its_own() -> None:
    limits = {"longest": 256, "overlap": 32, "multiple": 8}
    tiles = [(0, tile) for tile in cut_into_tiles((400, 500), **limits)]
    assert len(tiles_from((0.2, 0.2, 0.9, 0.9), tiles, [(400, 500)], **limits)) == len(tiles)
    planes = [
        (part, tile)
        for part, shape in enumerate([(400, 500), (200, 250)])
        for tile in cut_into_tiles(shape, **limits)
    ]
    assert len(tiles_from((0.5, 0.5, 0.6, 0.6), planes, [(400, 500), (200, 250)], **limits)) == len(planes)
