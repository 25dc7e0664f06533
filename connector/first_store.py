"""What `connector init` does with its options: a store file, after asking for what is missing. Knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from connector import api_url
from connector.exit_codes import UsageError
from connector.first_questions import OPTIONS, ask, unsaid, without_asking
from connector.init import checked_file, write_store_file
from connector.sources.registry import kinds
from connector.store import Store
from connector.store_secrets import missing
from connector.store_text import KINDS, PLACES
from connector.suggest import did_you_mean

_SHOPIFY: Final = ".myshopify.com"
_GOSWEETSPOT: Final = ".gosweetspot.com"
_SANDBOXS_KEY: Final = "the sandbox shows its key when it starts"


def write_first_store(
    config: Path, given: Mapping[str, str], say: Callable[[str], None] | None, prompt: Callable[[str], str]
) -> Store:
    """Write the file of a new store, and answer the store it describes.

    given  what was said, by the keys of first_questions
    say    shows a line to who can answer `prompt`; None where nobody can
    Raises UsageError where options don't go together, or something is missing and nobody can be asked; ConfigError
    where the file can't be written.
    """
    if "name" in given:
        checked_file(config, given["name"])  # before questions are put
    given = _with_kind(given)
    unknown = unsaid(given)
    if not unknown:
        return write_store_file(config, without_asking(given))
    if say is None:
        raise UsageError(f"nobody is there to be asked. Say what is missing, as in: {' '.join(unknown)}")
    return write_store_file(config, ask(lambda words, default: prompt(_question(words, default)), say, given))


def _question(words: str, default: str) -> str:
    return f"{words} [{default}]: " if default else f"{words}: "


def left_to_do(store: Store) -> Iterator[tuple[str, str]]:
    """What still has to be put where the new file says it is: (reference, where a person finds it)."""
    for secret, _ in missing(store):
        is_sandboxs = secret.key == "access_key" and api_url.is_loopback(store.gosweetspot.url)
        yield str(secret.reference), _SANDBOXS_KEY if is_sandboxs else PLACES[secret.key].where


def _with_kind(given: Mapping[str, str]) -> Mapping[str, str]:
    """What was said, with the kind of source where the other options tell it."""
    kind = given.get("kind") or _kind_told_by(given)
    if not kind:
        return given
    if kind not in KINDS:
        raise UsageError(_no_such_kind(kind))
    for other, keys in OPTIONS.items():
        for key in keys:
            if key in given and key not in OPTIONS[kind]:
                raise UsageError(f"--{key.replace('_', '-')} goes with --source {other}, and this one is {kind}")
    if kind != "csv" and (url := given.get("url")):
        _refuse_shop(url)
    return {**given, "kind": kind}


def _kind_told_by(given: Mapping[str, str]) -> str:
    if given.get("shop", "").endswith(_SHOPIFY):
        return "shopify"
    telling = [kind for kind, keys in OPTIONS.items() if any(key in given for key in keys if key != "shop")]
    return telling[0] if telling else ""


def _no_such_kind(kind: str) -> str:
    if kind in kinds():
        return (
            f"no first file can be written for a source of kind {kind}, only for {', '.join(KINDS)}. Write it by hand: "
            "its package says which keys it takes"
        )
    return f"no such source: {kind}. {did_you_mean(kind, KINDS)}"


def _refuse_shop(url: str) -> None:
    """A shop's address given as GoSweetSpot's would get GoSweetSpot's key."""
    host = urlsplit(url).hostname or ""
    if not api_url.is_loopback(url) and not host.endswith(_GOSWEETSPOT):
        raise UsageError(
            "--url is GoSweetSpot's address, and this is neither GoSweetSpot nor this machine. "
            "The shop's address goes into --shop"
        )
