"""The wish to stop: heard during a wait, obeyed after the call under way, and at once when it is made twice."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from connector.stopping import stopping_on_signals, wait


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_wish_and_the_second_an_order(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(number)
    monkeypatch.setattr("connector.stopping.os._exit", sys.exit)
    with stopping_on_signals() as stopping:
        assert not stopping()
        os.kill(os.getpid(), number)
        assert stopping()
        with pytest.raises(SystemExit) as ended:
            os.kill(os.getpid(), number)
    assert ended.value.code == 130
    assert signal.getsignal(number) == before


def test_a_wait_ends_when_it_is_to_stop_and_else_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("connector.stopping.time.monotonic", lambda: now[0])
    monkeypatch.setattr("connector.stopping.time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    assert not wait(60, lambda: False)
    assert now[0] == pytest.approx(60)
    assert wait(60, lambda: now[0] > 61)
    assert 61 < now[0] < 62
