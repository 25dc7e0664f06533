"""A live shop and GSS stay in step, whatever people do while the shop is read and whatever fails: nothing missed,
nothing doubled, every slip as the shop says last. `make proof-shops` plays 200 seeds of 2,000 orders for each shop.

What the quick ones show is that the proof sees what it is there to see: it finds the misses of worse ways to read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from connector.sandbox.handle import Sandbox
from connector.sandbox.options import Options
from connector.sandbox.server import running
from tests.live.broken import ByChangeDate
from tests.live.shops import KINDS
from tests.live.world import Case, Outcome, play

SEEDS = 200
BLOCK = 10
"""Seeds that one slow test plays."""
TOLD = Path(__file__).parents[2] / "build" / "proof-shops.txt"


@pytest.fixture(scope="module")
def gss() -> Iterator[Sandbox]:
    with running(Options(port=0)) as sandbox:
        yield sandbox


def hold(outcome: Outcome) -> None:
    """Everything that is promised, of one history."""
    assert outcome.deeds["place"] == outcome.case.orders
    assert not outcome.faults.all(), f"{outcome.line()}\n" + "\n".join(outcome.faults.all())
    assert not outcome.unfounded, f"{outcome.line()}\n" + "\n".join(set(outcome.unfounded))
    if not outcome.hides_for_hours:
        assert outcome.missed == 0, f"{outcome.line()}\norders were found by the sweep alone"


def tell(outcome: Outcome) -> None:
    """A line as soon as there is one: the whole takes an hour or two, and may be cut short."""
    print(outcome.line())
    TOLD.parent.mkdir(exist_ok=True)
    with TOLD.open("a") as file:
        file.write(f"{outcome.line()}\n")


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_P11_a_live_shop_and_gss_stay_in_step(kind: str, seed: int, gss: Sandbox, tmp_path: Path) -> None:
    hold(play(Case(kind, seed, orders=120), gss, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
@pytest.mark.parametrize("kind", KINDS)
def test_P11_over_many_seeds_a_live_shop_and_gss_stay_in_step(
    kind: str, first: int, gss: Sandbox, tmp_path: Path
) -> None:
    for seed in range(first, first + BLOCK):
        outcome = play(Case(kind, seed), gss, tmp_path)
        tell(outcome)
        hold(outcome)


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["posts", "shopify"])
@pytest.mark.parametrize("hours", [-24, 24])
def test_P14_a_clock_of_ours_that_is_a_day_wrong_changes_nothing(
    kind: str, hours: int, gss: Sandbox, tmp_path: Path
) -> None:
    found = play(Case(kind, 2, orders=120, clock_off_h=hours), gss, tmp_path).faults
    assert not found.all()


@pytest.mark.no_cover
def test_without_sweeps_posts_storage_hides_edits_from_us(gss: Sandbox, tmp_path: Path) -> None:
    """The dates of edits don't move there (platforms.md 7, WooCommerce 2): what the sweep is for."""
    found = play(Case("posts", 1, orders=120, sweeps=False), gss, tmp_path).faults
    assert found.wrong
    assert found.left


@pytest.mark.no_cover
def test_P12_without_an_overlap_late_rows_are_found_by_the_sweep_alone(gss: Sandbox, tmp_path: Path) -> None:
    case = Case("hpos", 1, orders=200, late=0.6)
    assert play(case, gss, tmp_path).missed == 0
    assert play(msgspec.structs.replace(case, overlap_s=0), gss, tmp_path).missed


@pytest.mark.no_cover
def test_P29_paging_by_change_date_misses_orders_and_the_sweep_counts_them(gss: Sandbox, tmp_path: Path) -> None:
    """Before 10.4 equal dates have no second key (platforms.md 7, WooCommerce 1)."""
    case = Case("before-10.4", 1, orders=300, source=ByChangeDate)
    assert play(case, gss, tmp_path).missed
