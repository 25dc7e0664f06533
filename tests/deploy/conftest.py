"""The desk and its made-up GoSweetSpot, for tests of ways to run the connector."""

from __future__ import annotations

from tests.commands.conftest import *  # noqa: F403
