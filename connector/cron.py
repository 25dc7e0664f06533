"""Which cron lines a schedule may have. Knows no job."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from connector.problem import Unfit

_FIVE: Final = re.compile(r"[0-9A-Za-z*/,-]{1,100}(?: +[0-9A-Za-z*/,-]{1,100}){4}")
_WRITE: Final = 'Write minute, hour, day, month and weekday, as in "*/5 8-18 * * mon-fri"'
_A_LEAP_YEAR: Final = 2028
"""Any line that ever fires does so in the years from this one on; a fixed one, so that a verdict never changes."""


def checked(line: str, timezone: str) -> str:
    """The line as it is; raises Unfit when it is no cron line, means something else than it says, or never fires.

    timezone  an IANA name that exists
    """
    from cronsim import CronSim, CronSimError

    if not _FIVE.fullmatch(line):
        raise Unfit("is no cron line", _WRITE)
    weekday = line.split()[4]
    if re.search("[0-9]", weekday.partition("/")[0]):
        # Cron counts from Sunday, others from Monday: the reader can't know which.
        raise Unfit("has a number for a weekday, and programs differ on which day is 1", "Write mon-fri or sat,sun")
    zone = ZoneInfo(timezone)
    try:
        next(CronSim(line, datetime(_A_LEAP_YEAR, 1, 1, tzinfo=zone)))
    except (CronSimError, StopIteration):
        if _is_sound_but_for_its_day(line):
            raise Unfit("names a day that never comes", _WRITE) from None
        raise Unfit("is no cron line", _WRITE) from None
    return line


def _is_sound_but_for_its_day(line: str) -> bool:
    """CronSim refuses 30 February as it refuses what is no number."""
    from cronsim import CronSim, CronSimError

    minute, hour, day, _, weekday = line.split()
    try:
        CronSim(f"{minute} {hour} {day} 1 {weekday}", datetime(_A_LEAP_YEAR, 1, 1))  # noqa: DTZ001  only parsed
    except CronSimError:
        return False
    return True
