"""What a promise is: one test of the suite, tried against a fresh shop, or named as not applicable with the reason."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from connector.sources import registry, shop_calls
from connector.sources.base import Source
from connector.testing.shop_double import ShopDouble
from connector.testing.visit import Visit, is_live


class Need(Enum):
    """What a promise is about; the value says why it does not apply where that is missing."""

    WIRE = "this shop has no server: nothing goes over a wire"
    ASKING = "this source can't be asked about single orders: it is no LiveSource"


Test = Callable[[Any], None]


class Promise(msgspec.Struct, frozen=True):
    """One line of a suite's list. reason  why it does not apply, "" where it is tried."""

    name: str
    says: str
    reason: str = ""


def promise(*needs: Need) -> Callable[[Callable[[Any, Visit], None]], Test]:
    """Makes a method that takes a visit to a fresh shop into a test, for sources that have what it needs."""

    def made(body: Callable[[Any, Visit], None]) -> Test:
        def test(self: Promises) -> None:
            with self.visiting() as visit:
                if reason := self.reason_against(body.__name__, needs, visit.shop, visit.is_live):
                    pytest.skip(f"not applicable: {reason}")
                body(self, visit)

        # not functools.wraps: pytest would look through it and take `visit` for a fixture
        test.__name__, test.__qualname__, test.__doc__ = body.__name__, body.__qualname__, body.__doc__
        test.needs = needs  # type: ignore[attr-defined]
        return test

    return made


class Promises:
    """What all parts of the suite share: how a shop is opened, which source reads it, what does not apply.

    wrong_clock  by how much ours is wrong where that is tried
    options  keys of the [source] table over the double's own: a small page makes edges for twenty orders
    public   keys of the [source] table that are references and no secrets: identifiers that calls show openly
    cannot   promise -> reason, for what this shop itself can't do. It is shown, never silent.
    """

    options: ClassVar[Mapping[str, Any]] = {}
    public: ClassVar[Collection[str]] = ()
    cannot: ClassVar[Mapping[str, str]] = {}
    wrong_clock: ClassVar[timedelta] = timedelta(days=1)

    def open_shop(self) -> AbstractContextManager[ShopDouble]:
        """A new, empty shop for one visit. The one thing to write."""
        raise NotImplementedError("return a fresh shop double, as a context manager")

    def source_class(self, kind: str) -> type[Source]:
        """The source under test: the one that is installed for the shop's kind."""
        return registry.source_class(kind)

    @contextmanager
    def visiting(self) -> Iterator[Visit]:
        """A fresh shop and its source; all is closed at the end."""
        with tempfile.TemporaryDirectory() as folder, self.open_shop() as shop:
            visit = Visit(shop, self.source_class(shop.kind), Path(folder), self.options, self.public)
            try:
                yield visit
            finally:
                visit.close()

    @contextmanager
    def short_deadline(self, seconds: float = 0.25) -> Iterator[None]:
        """Calls end after this. For sources that don't call through `shop_calls`, do the same to their own constant."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shop_calls, "TIMEOUT_S", seconds)
            yield

    def reason_against(self, name: str, needs: tuple[Need, ...], shop: ShopDouble, is_live: bool) -> str:
        """Why a promise does not apply to this shop and source; "" where it does."""
        if name in self.cannot:
            return self.cannot[name]
        missing = {Need.WIRE: shop.server is None, Need.ASKING: not is_live}
        return next((need.value for need in needs if missing[need]), "")

    def promises(self) -> list[Promise]:
        """Every promise of the suite, by name, and why it does not apply here if so."""
        with self.open_shop() as shop:
            can_be_asked = is_live(self.source_class(shop.kind))
            tests = {name: getattr(type(self), name) for name in dir(type(self)) if name.startswith("test_")}
            return [
                Promise(
                    name, _first_line(test), self.reason_against(name, getattr(test, "needs", ()), shop, can_be_asked)
                )
                for name, test in sorted(tests.items())
            ]


def _first_line(test: Test) -> str:
    return " ".join((test.__doc__ or "").split("\n\n")[0].split())
