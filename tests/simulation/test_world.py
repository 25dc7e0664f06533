"""The whole of sync against a world that loses, delays and doubles calls: failures.md 3.5, over seeded histories."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.simulation.world import play_many

LONG_PROOF = 20_000


def test_no_invariant_breaks_in_a_hostile_world() -> None:
    _, broken = play_many(range(80))
    assert broken == []


def test_without_read_back_the_same_worlds_break_so_the_check_can_fail() -> None:
    _, broken = play_many(range(40), read_back=False)
    assert broken


@pytest.mark.slow
def test_twenty_thousand_histories_break_nothing_and_without_read_back_many_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProcessPoolExecutor() as pool:
        parts = list(pool.map(play_many, [range(start, start + 500) for start in range(0, LONG_PROOF, 500)]))
        control = list(pool.map(_without_read_back, [range(start, start + 500) for start in range(0, 2_000, 500)]))
    broken = [what for _, found in parts for what in found]
    broken_without = [what for _, found in control for what in found]
    with capsys.disabled():
        print(
            f"\n{LONG_PROOF} histories, {sum(orders for orders, _ in parts)} orders: {len(broken)} broken; "
            f"with read-back off, 2000 histories: {len(broken_without)} broken"
        )
    assert broken == []
    assert broken_without


def _without_read_back(seeds: range) -> tuple[int, list[str]]:
    return play_many(seeds, read_back=False)
