"""Finding room for texts."""

from __future__ import annotations

import numpy as np
import pytest

from movies.report.plots.room import Box, Point, Room

FRAME = Box(0, 0, 400, 300)
NO_POINTS = np.empty((0, 2))


def test_a_free_text_stands_right_of_its_point() -> None:
    spot = Room(FRAME, NO_POINTS).find(Point(100, 100), 60, 20, 5, [])
    assert spot is not None
    assert spot.box == Box(113, 90, 173, 110)


def test_a_text_at_the_right_edge_stands_left_of_its_point() -> None:
    spot = Room(FRAME, NO_POINTS).find(Point(395, 150), 60, 20, 0, [])
    assert spot is not None
    assert spot.box.right < 395


def test_texts_keep_clear_of_texts_and_of_their_lines() -> None:
    room = Room(FRAME, NO_POINTS)
    spots = []
    for x in (100, 104, 108):
        spot = room.find(Point(x, 150), 80, 20, 4, [])
        assert spot is not None
        spots.append((Point(x, 150), spot.box))
        room.take(spot, Point(x, 150))
    for place, (point, box) in enumerate(spots):
        for other_point, other in spots[:place]:
            assert not box.overlaps(other)
            assert not box.meets_line(other_point, other.centre)
            assert not other.meets_line(point, box.centre)


def test_a_text_moves_away_from_points() -> None:
    crowd = np.column_stack((np.linspace(110, 180, 8), np.full(8, 150.0)))
    spot = Room(FRAME, crowd).find(Point(100, 150), 60, 20, 0, [])
    assert spot is not None
    assert spot.box.holds(crowd) == 0


def test_a_text_stands_apart_from_other_named_points() -> None:
    other = Box.around(Point(150, 150), 20, 20)
    spot = Room(FRAME, NO_POINTS).find(Point(100, 150), 60, 20, 0, [other])
    assert spot is not None
    assert not spot.box.overlaps(other)


@pytest.mark.parametrize(
    "room",
    [
        pytest.param(Room(Box(0, 0, 50, 15), NO_POINTS), id="frame-too-small"),
        pytest.param(Room(FRAME, np.random.default_rng(0).uniform(0, 400, (4000, 2))), id="too-crowded"),
    ],
)
def test_without_room_there_is_no_text(room: Room) -> None:
    assert room.find(Point(25, 7), 60, 20, 0, []) is None


@pytest.mark.parametrize(
    ("start", "end", "meets"),
    [
        pytest.param((0, 5), (20, 5), True, id="through"),
        pytest.param((5, 0), (5, 20), True, id="upright"),
        pytest.param((20, 5), (30, 5), False, id="stops-before"),
        pytest.param((0, 20), (20, 20), False, id="passes-above"),
        pytest.param((5, 5), (6, 6), True, id="inside"),
        pytest.param((-10, 5), (5, 20), False, id="passes-the-corner"),
    ],
)
def test_lines_meet_a_box(start: tuple[int, int], end: tuple[int, int], meets: bool) -> None:
    assert Box(0, 0, 10, 10).meets_line(Point(*start), Point(*end)) is meets
