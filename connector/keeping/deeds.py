"""What the commands of housekeeping do: open what is needed, call one function, return its value. Knows no screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from connector import opening
from connector.config import store_files
from connector.exit_codes import UsageError
from connector.keeping import privacy
from connector.keeping import restore as restoring
from connector.keeping import tidy as tidying
from connector.keeping.deliveries import inbox_deliveries
from connector.keeping.privacy import Account, Erased, Found
from connector.keeping.restore import Restored
from connector.keeping.tidy import Tidied
from connector.ledger import fence, queries
from connector.ledger.connection import open_ledger
from connector.ledger.people import Refused
from connector.ledger.reading import reading
from connector.problem import ConfigError
from connector.store import Store


def _stores(config: Path) -> list[Store]:
    """Those whose files can be read: a broken one must not keep a ledger from being restored or tidied."""
    with suppress(ConfigError, UsageError):
        return opening.stores_asked_for(config, ())[0]
    return []


def restore(config: Path, state: Path, backup: Path, now: datetime) -> Restored:
    """Raises LedgerError, Busy."""
    return restoring.restore(backup, state, now, [store.name for store in _stores(config)])


def tidy(config: Path, state: Path, place: Path | None, keep: int, now: datetime) -> Tidied:
    """Raises LedgerError."""
    stores = _stores(config)
    unread = {file.stem for file in store_files(config)} - {store.name for store in stores} if stores else set()
    with open_ledger(state, create=False) as ledger:
        return tidying.tidy(ledger, stores, state, now, place=place, keep=keep, unread=unread)


class FenceStanding(msgspec.Struct, frozen=True):
    """The fence: raised_at "" where it never was; stands: the known stores that may not send; asks: a person must lift
    it; next: what leads them through, "" where all may send."""

    raised_at: str
    why: str
    asks: bool
    stands: list[str]
    next: str


def fence_standing(state: Path) -> FenceStanding:
    """Raises LedgerError."""
    with reading(state) as db:
        raised = fence.fence_of(db)
        known = queries.stores_known(db)
        stands = [store for store in known if fence.stands(db, store)]
    follows = fence.PERSON if raised.asks else fence.SYNC
    is_up = bool(stands) or raised.asks or (raised.number > 0 and not known)
    return FenceStanding(raised.raised_at, raised.why, raised.asks, stands, follows if is_up else "")


def lift_fence(state: Path, who: str, reason: str, now: datetime) -> str:
    """Raises Refused where nobody asked, LedgerError."""
    with open_ledger(state, create=False) as ledger, ledger.writing() as db:
        if not fence.confirm(db, who, reason, now):
            raise Refused("no fence waits for a person. See: connector ledger fence")
    return "written down. The next sync reads the shops and asks GoSweetSpot before anything is sent."


def adopt(state: Path, now: datetime) -> str:
    """Begin a ledger from what GSS has. Raises Refused where the ledger knows slips already; LedgerError."""
    with open_ledger(state) as ledger, ledger.writing() as db:
        if db.execute("SELECT 1 FROM slips LIMIT 1").fetchone():
            raise Refused("this ledger knows slips already: what GoSweetSpot has is compared after a restore only.")
        fence.raise_fence(db, "A person asked to take what GoSweetSpot has as known.", now, adopts=True)
    return "the next sync takes what GoSweetSpot has as known, and holds the orders that it doesn't have."


def find(state: Path, name: str, backups: Path | None) -> Iterator[Found]:
    """Raises LedgerError, Refused."""
    with inbox_deliveries(state) as deliveries:
        yield from privacy.find(state, name, backups, deliveries)


def erase(state: Path, names: Sequence[str], store: str | None, who: str, now: datetime) -> list[Erased]:
    """Raises LedgerError, Refused."""
    with open_ledger(state, create=False) as ledger, inbox_deliveries(state) as deliveries:
        return privacy.erase(ledger, names, store, who, now, deliveries)


def report(state: Path, backups: Path | None) -> Account:
    """Raises LedgerError."""
    return privacy.report(state, backups)
