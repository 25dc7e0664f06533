"""`kill -9` at random moments of `connector sync`, into a faulty GSS: nothing lost, nothing doubled, the newest wins."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.proofs import truth
from tests.proofs.stage import a_round, length_of_a_run
from tests.proofs.truth import Phase, Wreck

MOST_KILLS_A_ROUND = 12


def killed(folder: Path, orders: int, kills: int, seed: int) -> tuple[list[Wreck], int]:
    """Rounds until there were so many kills; what each kill left, and how many rounds it took.

    A round: sync is killed and started again until a run survives; on the way the shop shows a newer export. Then the
    faults end, sync comes to rest, and every order is compared with what the shop said last.
    """
    length_s = length_of_a_run(folder / "unharmed", orders)
    wrecks: list[Wreck] = []
    rounds = 0
    while len(wrecks) < kills:
        rounds += 1
        wrecks += one_round(folder / "round", orders, kills - len(wrecks), seed + rounds, length_s)
        shutil.rmtree(folder / "round")
    return wrecks, rounds


def one_round(folder: Path, orders: int, most_kills: int, seed: int, length_s: float) -> list[Wreck]:
    """One round on fresh state; what its kills left."""
    with a_round(folder, orders, seed) as stage:
        newer_export_at = stage.chance.randint(1, 3)
        while len(stage.wrecks) < min(most_kills, MOST_KILLS_A_ROUND) and stage.run_and_kill(length_s):
            stage.between_runs()
            if len(stage.wrecks) == newer_export_at:
                stage.show(stage.shop.later)
        if stage.exports == 1:
            stage.show(stage.shop.later)
        stage.come_to_rest()
        wrong = truth.in_the_end(stage.state, stage.shop.later, stage.orders())
        assert not wrong, f"round {seed}: {len(wrong)} orders\n" + "\n".join(wrong[:10])
        return stage.wrecks


def figures(wrecks: list[Wreck], rounds: int, orders: int) -> str:
    """The closing line."""
    phases = Counter(wreck.phase for wreck in wrecks)
    moments = ", ".join(f"{phases[phase]} {phase}" for phase in Phase)
    under_way = sum(wreck.open_attempts > 0 for wreck in wrecks)
    return (
        f"{len(wrecks)} kills in {rounds} rounds of {orders:,} orders: {moments}; "
        f"in {under_way} of them calls were open. No order lost, none doubled, the newest version everywhere."
    )


def test_L1_sync_killed_at_a_few_random_moments_loses_and_doubles_nothing(tmp_path: Path) -> None:
    wrecks, rounds = killed(tmp_path, orders=600, kills=6, seed=1)
    print(figures(wrecks, rounds, 600))
    assert len(wrecks) == 6


@pytest.mark.slow
def test_L1_sync_killed_at_300_random_moments_loses_and_doubles_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrecks, rounds = killed(tmp_path, orders=5000, kills=300, seed=1000)
    with capsys.disabled():
        print("\n" + figures(wrecks, rounds, 5000))
    hit = Counter(wreck.phase for wreck in wrecks)
    assert min(hit[phase] for phase in (Phase.READING, Phase.SENDING, Phase.READING_BACK)) >= 5, hit
