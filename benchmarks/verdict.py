"""What was measured, beside our bounds: medians, ratios pair by pair, pass or miss. Runs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.measure import Run


@dataclass(frozen=True)
class Comparison:
    """The same work by both, several times in alternation: runs of peer and connector, pair by pair.

    bound  the most the connector may take of the peer's wall time; None where the figure is only shown
    """

    name: str
    bound: float | None
    peer: list[Run] = field(default_factory=list)
    ours: list[Run] = field(default_factory=list)

    def ratio(self) -> float:
        """The median of the pairs' ratios: a slow moment of the machine strikes one pair, not the result."""
        return median(ours.wall_s / peer.wall_s for peer, ours in zip(self.peer, self.ours, strict=True))

    def holds(self) -> bool | None:
        return None if self.bound is None else self.ratio() <= self.bound


@dataclass(frozen=True)
class Limit:
    """One figure and the most it may be."""

    name: str
    value: float
    bound: float

    def holds(self) -> bool:
        return self.value <= self.bound


def memory_limits(small: Run, large: Run) -> list[Limit]:
    """A ledger's size must not show in memory: peak at a million orders against 10,000, and as such."""
    return [
        Limit("peak memory, 1,000,000 over 10,000 orders", large.peak_mb / small.peak_mb, 1.2),
        Limit("peak memory at 1,000,000 orders, MB", large.peak_mb, 80.0),
    ]


Finding = Comparison | Limit

HEAD = f"{'':<38}{'':<11}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}{'ratio':>8}{'bound':>8}"


def table(findings: list[Finding]) -> str:
    """All findings as lines for people."""
    lines = [HEAD]
    for finding in findings:
        lines += _comparison_lines(finding) if isinstance(finding, Comparison) else [_limit_line(finding)]
    return "\n".join(lines)


def _comparison_lines(comparison: Comparison) -> list[str]:
    bound = "" if comparison.bound is None else f"{comparison.bound:.2f}"
    judged = f"{comparison.ratio():>8.2f}{bound:>8}  {verdict(comparison)}".rstrip()
    return [
        f"{comparison.name:<38}{'peer':<11}{_figures(comparison.peer)}",
        f"{'':<38}{'connector':<11}{_figures(comparison.ours)}{judged}",
    ]


def _figures(runs: list[Run]) -> str:
    wall, cpu, peak = (median(getattr(run, name) for run in runs) for name in ("wall_s", "cpu_s", "peak_mb"))
    return f"{wall:>9.2f}{cpu:>9.2f}{peak:>9.1f}"


def _limit_line(limit: Limit) -> str:
    return f"{limit.name:<76}{limit.value:>8.2f}{limit.bound:>8.2f}  {verdict(limit)}"


def verdict(finding: Finding) -> str:
    """PASS or MISS; "" where nothing is asked."""
    holds = finding.holds()
    return "" if holds is None else "PASS" if holds else "MISS"


def as_json(findings: list[Finding]) -> list[dict[str, Any]]:
    """All findings for machines, with every single run."""
    return [_entry(finding) | {"bound": finding.bound, "verdict": verdict(finding)} for finding in findings]


def _entry(finding: Finding) -> dict[str, Any]:
    if isinstance(finding, Limit):
        return {"name": finding.name, "value": finding.value}
    runs = {"peer": [vars(run) for run in finding.peer], "connector": [vars(run) for run in finding.ours]}
    return {"name": finding.name, "ratio": finding.ratio(), **runs}
