"""`kill -9` of receiver and daemon at random moments, under load: what was answered 2xx reaches GSS, once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.proofs.daemon_stage import Kills, a_round

KILLS_A_ROUND = 80


def killed(folder: Path, kills: int, seed: int, *, has_exports: bool = True, tells: bool = False) -> Kills:
    """Rounds until there were so many kills; a failing round's folder stays."""
    done = Kills()
    while done.all < kills:
        seed += 1
        with a_round(folder / f"round-{seed}", seed, has_exports=has_exports) as stage:
            stage.play(min(KILLS_A_ROUND, kills - done.all))
            said = f"{len(stage.clients.answered)} deliveries answered 2xx, {len(stage.wants)} orders"
        done.add(stage.kills)
        shutil.rmtree(folder / f"round-{seed}")
        if tells:
            print(f"seed {seed}: {said}; so far {figures(done)}", flush=True)
    return done


def figures(done: Kills) -> str:
    """The closing line."""
    return (
        f"{done.all} kills: {done.receiver} of the receiver, {done.daemon} of the daemon, {done.both} of both at once; "
        f"{done.amid_calls} of them with calls to GSS under way"
    )


def test_I9_receiver_and_daemon_killed_at_a_few_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    print(figures(killed(tmp_path, 10, seed=7, has_exports=False)))


@pytest.mark.slow
def test_I9_receiver_and_daemon_killed_at_2000_random_moments_lose_and_double_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kills, seed = int(os.environ.get("KILLS", "2000")), int(os.environ.get("KILL_SEED", "100"))
    with capsys.disabled():
        print("\n" + figures(killed(tmp_path, kills, seed, tells=True)))
