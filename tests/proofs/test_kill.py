"""`kill -9` at random moments of `connector sync`, into a faulty GSS: nothing lost or doubled, the newest wins."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.proofs import truth
from tests.proofs.stage import CYCLE_S, LATER_S, Round, a_round, length_of_a_run
from tests.proofs.truth import Phase, Wreck

MOST_RUNS_A_ROUND = 20


class Task(msgspec.Struct, frozen=True):
    """How much is proven: orders a shop has, orders in a PUT, how many kills, and how many of them amid calls."""

    orders: int
    batch_size: int
    kills: int
    amid_calls: int


class Proof(msgspec.Struct):
    """What was done: what each kill left, and in which states the slips of all rounds ended."""

    task: Task
    wrecks: list[Wreck] = []
    ends: Counter[str] = msgspec.field(default_factory=Counter)
    rounds: int = 0

    @property
    def amid_calls(self) -> int:
        """Kills of runs that had calls under way. One that dies before it has looked still has those of the last."""
        return sum(wreck.open_attempts > 0 and wreck.phase is not Phase.STARTING for wreck in self.wrecks)

    @property
    def is_enough(self) -> bool:
        """Whether the task is done."""
        return len(self.wrecks) >= self.task.kills and self.amid_calls >= self.task.amid_calls


def killed(folder: Path, task: Task, seed: int) -> Proof:
    """Rounds until there were enough kills."""
    length_s = length_of_a_run(folder / "unharmed", task.orders, task.batch_size)
    proof = Proof(task)
    while not proof.is_enough:
        proof.rounds += 1
        with a_round(folder / "round", task.orders, task.batch_size, seed + proof.rounds) as stage:
            play(stage, max(task.kills - len(proof.wrecks), 1), length_s)
            proof.ends.update(truth.states_of(stage.state).values())
        proof.wrecks += stage.wrecks
        shutil.rmtree(folder / "round")
    return proof


def play(stage: Round, most_kills: int, length_s: float) -> None:
    """One round: sync is killed and started again until it survives; on the way the shop shows its newer export.

    Then the faults end, sync comes to rest, and every order is held against what the shop said last: as soon as the
    ledger calls it settled, and once more when read-back must have noticed every label.
    """
    newer_export_after = stage.chance.randint(1, 3)
    for run in range(1, MOST_RUNS_A_ROUND + 1):
        is_done = not stage.run_and_kill(length_s)
        if (is_done and stage.has_shown_all) or len(stage.wrecks) == most_kills:
            break
        stage.between_runs()
        if not stage.has_shown_all and (is_done or run >= newer_export_after):
            stage.show_more()
    if not stage.has_shown_all:
        stage.show_more()
    stage.end_the_faults()
    stage.come_to_rest(LATER_S)
    expect_nothing_wrong(stage, are_labels_read=False)
    stage.come_to_rest(CYCLE_S)
    expect_nothing_wrong(stage, are_labels_read=True)


def expect_nothing_wrong(stage: Round, *, are_labels_read: bool) -> None:
    wrong = truth.all_wrong(stage.state, stage.shop.later, stage.orders(), are_labels_read=are_labels_read)
    assert not wrong, f"{len(wrong)} orders are not as they should be\n" + "\n".join(wrong[:10])


def figures(proof: Proof) -> str:
    """The closing lines."""
    phases = Counter(wreck.phase for wreck in proof.wrecks)
    moments = ", ".join(f"{phases[phase]} {phase}" for phase in Phase)
    ends = ", ".join(f"{count:,} {state}" for state, count in proof.ends.most_common())
    return (
        f"{len(proof.wrecks)} kills in {proof.rounds} rounds of {proof.task.orders:,} orders: {moments}; "
        f"{proof.amid_calls} of them amid calls.\n"
        f"No order lost, none doubled, the newest version everywhere: {ends} (each of the late with its alert)."
    )


def test_L1_sync_killed_at_a_few_random_moments_loses_and_doubles_nothing(tmp_path: Path) -> None:
    print(figures(killed(tmp_path, Task(orders=300, batch_size=10, kills=4, amid_calls=1), seed=1)))


@pytest.mark.slow
def test_L1_sync_killed_at_300_random_moments_loses_and_doubles_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = killed(tmp_path, Task(orders=5000, batch_size=50, kills=300, amid_calls=60), seed=1000)
    with capsys.disabled():
        print("\n" + figures(proof))
    hit = Counter(wreck.phase for wreck in proof.wrecks)
    assert min(hit[phase] for phase in (Phase.READING, Phase.SENDING, Phase.READING_BACK)) >= 5, hit
