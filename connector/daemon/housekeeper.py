"""Housekeeper: once a night what `connector.keeping.tidy` does, and at the start if the last night was missed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from connector.daemon.errand import Errand
from connector.daemon.house import House
from connector.keeping.backups import made_by
from connector.keeping.tidy import tidy
from connector.store import Store

AT: Final = "23 3 * * *"
"""In the first store's time: the quiet hours, and not the full hour that everybody takes."""
MISSED_AFTER: Final = timedelta(hours=25)


class Housekeeper:
    """place: where backups are kept, `keep` of them."""

    def __init__(self, house: House, stores: Mapping[str, Store], place: Path, keep: int = 7) -> None:
        self._house = house
        self._stores = stores
        self._place = place
        self._keep = keep
        self.errand: Errand[None] = Errand("keep house", house.sending, self._tidy, house.tell_trouble)

    def look_after(self) -> None:
        """Do it soon."""
        self.errand.want(None)

    def was_missed(self) -> bool:
        """Whether the last backup is more than a night old, or there is none."""
        now = self._house.now()
        made = made_by(self._place, now)
        return not made or now - made[-1][0] > MISSED_AFTER

    def _tidy(self, _wanted: frozenset[None]) -> None:
        house = self._house
        try:
            with house.connections.lent() as ledger:
                done = tidy(
                    ledger,
                    list(self._stores.values()),
                    house.state,
                    house.now(),
                    place=self._place,
                    keep=self._keep,
                    hooks=house.hooks(self.errand.moves, lambda: True),
                )
        except Exception as err:  # noqa: BLE001  housekeeping stops no store
            house.tell_trouble(err)
            return
        house.log.info("kept house", pruned=sum(one.slips for one in done.pruned), notes=done.notes)
        for problem in done.problems:
            house.log.error("housekeeping", why=problem)
