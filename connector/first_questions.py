"""What a new store file needs to know, as questions with their defaults, in order. Knows no terminal and no file.

A question that has been answered already, by an option of the command, is not put.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Final, NamedTuple

from connector import api_url
from connector.config import STORE_NAME
from connector.init import NAME_RULE
from connector.problem import ConfigError, Problem, Unfit
from connector.secret import SecretError, parse_reference
from connector.store import Schedule
from connector.store_file import read_store
from connector.store_text import KINDS, PLACES, NewStore, store_text, variable

DIALECTS: Final = {
    "shopify": "Shopify: Orders > Export > CSV for Excel, Numbers and other spreadsheets",
    "woocommerce": "WooCommerce, an export plug-in that is told by its columns",
    "woocommerce-advanced": "WooCommerce, Advanced Order Export For WooCommerce",
    "woocommerce-webtoffee": "WooCommerce, WebToffee's order export",
    "woocommerce-skyverge": "WooCommerce, SkyVerge's Customer/Order/Coupon Export",
}
"""What `init` offers, and what each is for."""

TRIES: Final = 3
"""How often a question is asked before `init` gives up."""

Ask = Callable[[str, str], str]
"""Puts a question with its default to a person; answers with what was typed, "" for the default."""

Say = Callable[[str], None]
"""Shows a line."""

Known = Mapping[str, str]
"""What has been answered so far, by the question's key."""


class Question(NamedTuple):
    """One thing to know.

    key      what it is kept under, and, in the source's own questions, the key of [source] it fills
    default  the answer of who types Enter; "" where there is none to offer
    check    the answer in its one form; raises Unfit, SecretError or ConfigError
    before   lines that explain it
    option   how it is said on the command line, with an example, where the default is only a guess; else ""
    """

    key: str
    words: str
    default: str
    check: Callable[[str], str]
    before: tuple[str, ...] = ()
    option: str = ""


def ask(answer: Ask, say: Say, given: Known) -> NewStore:
    """Asks for all that is not given, explaining as it goes. A secret is never asked for, only its place.

    Raises ConfigError when a question has had three answers that can't be used.
    """
    say("This writes one file for one store. Every answer can be changed in it later.")
    known = dict(given)
    for question in questions(known):
        if question.key not in known:
            for line in question.before:
                say(line)
            known[question.key] = _asked(answer, say, question)
    return _new_store(known)


def without_asking(given: Known) -> NewStore:
    """The store that the options and the defaults describe, where `unsaid` is empty."""
    known = dict(given)
    for question in questions(known):
        known.setdefault(question.key, question.default)
    return _new_store(known)


def unsaid(given: Known) -> list[str]:
    """The options that have to be given where nobody can be asked: those whose default is only a guess."""
    known = dict(given)
    missing = []
    for question in questions(known):
        if question.key not in known and question.option:
            missing.append(question.option)
        if question.key == "kind" and "kind" not in known:
            break  # what else is needed depends on it
        known.setdefault(question.key, question.default)
    return missing


def questions(known: MutableMapping[str, str]) -> Iterator[Question]:
    """Every question in order. `known` is looked at as it fills: later ones depend on earlier answers."""
    yield Question("name", "Name of the store", "kiwi", _name, option="NAME")
    yield Question("kind", "Where the orders are", "woocommerce", _kind, _KIND_LINES, "--source woocommerce")
    yield from _OF_KIND[known["kind"]](known)
    yield Question("url", "Address of GoSweetSpot", api_url.DEFAULT, api_url.checked, _URL_LINES)
    ending = PLACES["access_key"].variable
    if api_url.is_loopback(known["url"]):
        ending = ending.replace("_KEY", "_TEST_KEY")  # a live key must never get to a sandbox (failures.md G11)
    place = f"env:{variable(known['name'], ending)}"
    yield Question("key_reference", "Where GoSweetSpot's access key is kept", place, _reference, _KEY_LINES)
    yield Question("site_id", "Site number (none if there is one site only)", "none", _site, _SITE_LINES)
    yield Question("timezone", "Time zone of the shop", "Pacific/Auckland", _zone)


_KIND_LINES: Final = (
    "  woocommerce   a WooCommerce shop, asked over its REST API",
    "  shopify       a Shopify shop, asked over its Admin API",
    "  csv           the export files of a shop",
)
_URL_LINES: Final = (
    "GoSweetSpot's own address, or that of a sandbox; `connector sandbox` shows its own when it starts.",
)
_KEY_LINES: Final = (
    f"The access key: {PLACES['access_key'].where}.",
    "Don't type it here: name the place it is kept in, env:NAME (a variable of the service), file:PATH or "
    "keyring:SERVICE/NAME.",
)
_SITE_LINES: Final = ("A site is needed only where the key's user sees several; GoSweetSpot shows its number with it.",)


def _csv(known: Known) -> Iterator[Question]:
    lines = ("The connector reads the shop's export files. Put them in one folder; the newest one of an order counts.",)
    words = "Where the exports are (a folder, a file, or exports/*.csv)"
    yield Question("path", words, "exports/*.csv", _path, lines, "--path 'exports/*.csv'")
    offered = tuple(f"  {dialect:<22}{meaning}" for dialect, meaning in DIALECTS.items())
    yield Question("dialect", "Whose export it is", "shopify", _dialect, offered, "--dialect shopify")


def _woocommerce(known: Known) -> Iterator[Question]:
    words = "Address of the shop"
    yield Question("shop", words, "https://kiwi.example", _fits(known, "shop"), (), "--shop https://kiwi.example")
    yield _place_of(known, "consumer_key", "Where the consumer key (ck_...) is kept", _SHOP_KEY_LINES)
    yield _place_of(known, "consumer_secret", "Where the consumer secret (cs_...) is kept")


def _shopify(known: Known) -> Iterator[Question]:
    shop = f"{known['name']}.myshopify.com"
    words = "The shop's name at Shopify, which ends in .myshopify.com"
    yield Question("shop", words, shop, _fits(known, "shop"), (), "--shop kiwi.myshopify.com")
    if "access_token" in known:
        return
    yield Question("client_id", "The app's client ID", "", _fits(known, "client_id"), _APP_LINES, "--client-id ID")
    yield _place_of(known, "client_secret", "Where the app's client secret is kept")


_OF_KIND: Final = {"csv": _csv, "woocommerce": _woocommerce, "shopify": _shopify}

OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "csv": ("path", "dialect"),
    "woocommerce": ("shop", "consumer_key", "consumer_secret"),
    "shopify": ("shop", "access_token", "client_id", "client_secret"),
}
"""What may be answered of each kind of source."""

_SHOP_KEY_LINES: Final = (
    f"The shop's keys: {PLACES['consumer_key'].where}.",
    "Don't type them here: name the places they are kept in, env:NAME, file:PATH or keyring:SERVICE/NAME.",
)
_APP_LINES: Final = (
    f"The app's credentials: {PLACES['client_secret'].where}.",
    "The ID is no secret. The secret is: don't type it here, but name the place it is kept in, env:NAME, file:PATH or "
    "keyring:SERVICE/NAME.",
    "(An older app has a token in place of these two: leave with Ctrl-C, and give --access-token env:NAME.)",
)


def _place_of(known: Known, key: str, words: str, before: tuple[str, ...] = ()) -> Question:
    default = f"env:{variable(known['name'], PLACES[key].variable)}"
    return Question(key, words, default, _reference, before)


def _new_store(known: Known) -> NewStore:
    kind = known["kind"]
    source = {_key(kind, key): known[key] for key in OPTIONS[kind] if key in known}
    site = None if known["site_id"] == "none" else int(known["site_id"])
    return NewStore(known["name"], kind, source, known["key_reference"], known["url"], site, known["timezone"])


def _key(kind: str, key: str) -> str:
    """The key of [source] that an answer is written under."""
    return "url" if (kind, key) == ("woocommerce", "shop") else key


def _asked(answer: Ask, say: Say, question: Question) -> str:
    for _ in range(TRIES):
        text = answer(question.words, question.default).strip() or question.default
        try:
            return question.check(text)
        except Unfit as err:
            say(f"That {err}")
        except SecretError as err:
            say(f"No: {err}")
        except ConfigError as err:
            say(f"No: {' '.join(problem._replace(key='').sentence() for problem in err.problems)}")
    raise ConfigError(
        [Problem("connector init", 0, "", f"no answer to be used: {question.words}", "Run it again when you know")]
    )


def _name(text: str) -> str:
    if not STORE_NAME.fullmatch(text):
        raise Unfit("is no name for a store", NAME_RULE)
    return text


def _kind(text: str) -> str:
    if text not in KINDS:
        raise Unfit("is no kind of shop that is known here", f"Write {', '.join(KINDS)}")
    return text


def _path(text: str) -> str:
    if not text.isprintable():
        raise Unfit("is no path", "Write a folder, a file or exports/*.csv")
    return text


def _dialect(text: str) -> str:
    if text not in DIALECTS:
        raise Unfit("is not known here", f"Write {', '.join(DIALECTS)}")
    return text


def _reference(text: str) -> str:
    parse_reference(text, Path())
    return text


def _site(text: str) -> str:
    if text != "none" and not (text.isascii() and text.isdecimal() and 0 < len(text) <= 12 and int(text)):
        raise Unfit("is no site number", "Write digits only, or none")
    return text


def _zone(text: str) -> str:
    try:
        return Schedule(timezone=text).timezone
    except ValueError:
        raise Unfit("is no time zone", "Write one as in Pacific/Auckland or Australia/Sydney") from None


def _fits(known: Known, key: str) -> Callable[[str], str]:
    """The rule of the store file itself for a key of [source]."""

    def checked(text: str) -> str:
        kind = known["kind"]
        tried = NewStore("kiwi", kind, {_key(kind, key): text}, "env:NAME")
        try:
            read_store(store_text(tried), name="kiwi", path=Path("kiwi.toml"), folder=Path(), secrets=False)
        except ConfigError as err:
            wrong = [problem for problem in err.problems if problem.key == f"[source] {_key(kind, key)}"]
            if wrong:
                raise ConfigError(wrong) from None
        return text

    return checked
