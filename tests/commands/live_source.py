"""A made-up live shop for tests of `connector check`: its findings are said beforehand, and it is seen being closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from connector.sources.base import Finding, Page, SourceContext
from connector.store_values import Reference

STORE_FILE = """\
[source]
kind = "parrot"
token = "env:PARROT_TOKEN"
other = "env:PARROT_OTHER"

[gosweetspot]
url = "{url}"
access_key = "env:DESK_KEY"
"""


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    token: Reference
    other: Reference | None = None


class ParrotSource:
    """says  what its probe does, set by the test; deeds  what was asked of it, in order"""

    kind = "parrot"
    says: ClassVar[Callable[[], Iterator[Finding]]]
    deeds: ClassVar[list[str]]

    @classmethod
    def options(cls) -> type[Any]:
        return Options

    def __init__(self, options: Any, context: SourceContext) -> None:
        self.deeds.append("made")

    def pages(self, cursor: str) -> Iterator[Page]:
        self.deeds.append("pages")
        yield Page((), "")

    def sweep(self) -> Iterator[Page]:
        self.deeds.append("sweep")
        yield Page((), "")

    def reread(self, ids: Sequence[str]) -> Iterator[Page]:
        self.deeds.append("reread")
        yield Page((), "")

    def probe(self) -> Iterator[Finding]:
        self.deeds.append("probe")
        return type(self).says()

    def close(self) -> None:
        self.deeds.append("close")
