"""How far a run is, on standard error: a bar on a terminal, elsewhere a line every few seconds. Knows Report only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from connector.report import Report
from connector.show.screen import Screen
from connector.show.words import counted

FIRST_AFTER_S: Final = 1.0
"""Short runs show nothing: their report says it all, and importing rich would take longer than they do."""
LINE_EVERY_S: Final = 5.0

Watcher = Callable[[Report], None]


@contextmanager
def watching(screen: Screen, clock: Callable[[], float] = time.monotonic) -> Iterator[Watcher]:
    """A watcher for Hooks.progress, for the length of a `with`."""
    if screen.as_json:
        yield lambda _: None
    elif screen.err_is_terminal:
        with _bar(screen, clock) as watcher:
            yield watcher
    else:
        yield _every_few_seconds(screen, clock)


def _every_few_seconds(screen: Screen, clock: Callable[[], float]) -> Watcher:
    last = clock()

    def watch(report: Report) -> None:
        nonlocal last
        if clock() - last >= LINE_EVERY_S:
            last = clock()
            screen.note(sentence(report))

    return watch


def sentence(report: Report) -> str:
    """Where a run is."""
    parts = [f"{report.store}: {report.read:,} orders read"]
    if report.total:
        parts.append(f"{100 * report.scanned // report.total} % of the input")
    if report.read_back_calls:
        parts.append(f"{counted(report.read_back_calls, 'call')} to read back")
    return ", ".join(parts)


@contextmanager
def _bar(screen: Screen, clock: Callable[[], float]) -> Iterator[Watcher]:
    from contextlib import ExitStack

    began = clock()
    with ExitStack() as stack:
        draw: Watcher | None = None

        def watch(report: Report) -> None:
            nonlocal draw
            if draw is None and clock() - began >= FIRST_AFTER_S:
                draw = stack.enter_context(_drawn(screen))
            if draw is not None:
                draw(report)

        yield watch


@contextmanager
def _drawn(screen: Screen) -> Iterator[Watcher]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, no_color=not screen.color)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda report: progress.update(
            task, description=sentence(report), completed=report.scanned, total=report.total or None
        )
