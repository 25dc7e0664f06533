"""Which promises every source keeps, and for which of them they don't apply, with the reason.

python -m scripts.promises. A promise's test is tests/sources/test_conformance.py::SUITE::NAME, for each suite named.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from connector.testing.conformance import SourceConformance
from connector.testing.promise import Promise


def listed(suites: Sequence[type[SourceConformance]]) -> dict[str, list[Promise]]:
    """Suite -> its promises, by their names."""
    return {suite.__name__: suite().promises() for suite in suites}


def lines(found: Mapping[str, Sequence[Promise]]) -> list[str]:
    """For each promise what it says, the suites that try it, and those it does not apply to."""
    by_name: dict[str, dict[str, Promise]] = {}
    for suite, promises in found.items():
        for promise in promises:
            by_name.setdefault(promise.name, {})[suite] = promise
    shown = [f"{len(by_name)} promises, {len(found)} suites: {', '.join(found)}"]
    for name, suites in by_name.items():
        tried = [suite for suite, promise in suites.items() if not promise.reason]
        shown += ["", name, f"    {next(iter(suites.values())).says}", f"    tried by {', '.join(tried) or 'none'}"]
        reasons: dict[str, list[str]] = {}
        for suite, promise in suites.items():
            if promise.reason:
                reasons.setdefault(promise.reason, []).append(suite)
        shown += [f"    not applicable to {', '.join(where)}: {reason}" for reason, where in reasons.items()]
    return shown


def main() -> int:
    from tests.sources.test_conformance import SUITES

    print("\n".join(lines(listed(SUITES))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
