"""For whoever writes a source: a contract for shops to test it with, and one suite of promises every source keeps."""

from __future__ import annotations

import sys

if pytest := sys.modules.get("pytest"):  # under pytest, a promise that fails shows both sides of what it compared
    pytest.register_assert_rewrite(
        *(
            f"{__name__}.{name}"
            for name in ("promises_of_orders", "promises_when_asked", "promises_of_the_wire", "visit")
        )
    )
