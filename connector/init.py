"""A first store file, written for somebody who has none: what `connector init` asks and writes. Knows no terminal.

The file shows every main option with what it does. Nothing is written unless the connector itself could read it back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from connector import api_url
from connector.config import STORE_NAME
from connector.plain_file import reason
from connector.problem import ConfigError, Problem, Unfit
from connector.secret import SecretError, parse_reference
from connector.store import Schedule
from connector.store_file import read_store

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


class Answers(NamedTuple):
    """What a store file is made of; write_store_file(folder, **answers._asdict()) writes it."""

    name: str
    path: str
    dialect: str
    url: str
    key_reference: str
    site_id: int | None
    timezone: str


def write_store_file(
    folder: Path,
    name: str,
    *,
    path: str,
    dialect: str,
    key_reference: str,
    source: str = "csv",
    url: str = api_url.DEFAULT,
    site_id: int | None = None,
    timezone: str = "Pacific/Auckland",
) -> Path:
    """Writes folder/name.toml, readable by its owner alone, and answers its path.

    Raises ConfigError, and writes nothing, when there is such a file already or the new one couldn't be read back.
    Whether the key can be had is not looked at: it may be set later, and for another user.
    """
    file = folder / f"{name}.toml"
    if not STORE_NAME.fullmatch(name):
        raise _refusal(folder, f"{json.dumps(name)} is no name for a store", f"{_NAME_RULE}, as in kiwi-shop")
    text = store_text(name, source, path, dialect, url, key_reference, site_id, timezone)
    read_store(text, name=name, path=file, folder=folder.absolute().parent, secrets=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(file, text.encode())
    except FileExistsError:
        raise _refusal(file, "there is such a store already", "Edit the file, or choose another name") from None
    except OSError as err:
        raise _refusal(file, f"the file can't be written ({reason(err)})", "Mend that, and run it again") from None
    return file


def _write_new(file: Path, content: bytes) -> None:
    """All of it, or no file at all. Raises FileExistsError rather than write over a store."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        file.hardlink_to(draft)
    finally:
        draft.unlink()


_NAME_RULE: Final = "Use a-z, 0-9 and -, at most 40 of them"


def _refusal(file: Path, what: str, mend: str) -> ConfigError:
    return ConfigError([Problem(str(file), 0, "", what, mend)])


def ask(answer: Ask, say: Say) -> Answers:
    """Asks for all that a store file needs, explaining as it goes. The key itself is never asked for, only its place.

    Raises ConfigError when a question has had three answers that can't be used.
    """
    say("This writes one file for one store. Every answer can be changed in it later.")
    name = _asked(answer, say, "Name of the store", "kiwi", _name)
    say("The connector reads the shop's export files. Put them in one folder; the newest export of an order counts.")
    path = _asked(answer, say, "Where the exports are (a folder, a file, or exports/*.csv)", "exports/*.csv", _path)
    for dialect, meaning in DIALECTS.items():
        say(f"  {dialect:<22}{meaning}")
    dialect = _asked(answer, say, "Whose export it is", "shopify", _dialect)
    say("GoSweetSpot's own address, or that of a sandbox: connector sandbox shows its own when it starts.")
    url = _asked(answer, say, "Address of GoSweetSpot", api_url.DEFAULT, api_url.checked)
    say("The access key is in GoSweetSpot under Administration > Integrations & Apps. Don't type it here: name the")
    say("place it is kept in, env:NAME (a variable of the service), file:PATH or keyring:SERVICE/NAME.")
    key = _asked(answer, say, "Where the access key is kept", f"env:{_variable(name, url)}", _reference)
    say("A site is needed only where the key's user sees several; GoSweetSpot shows its number with each site.")
    site = _asked(answer, say, "Site number (none if there is one site only)", "none", _site)
    zone = _asked(answer, say, "Time zone of the shop", "Pacific/Auckland", _zone)
    return Answers(name, path, dialect, url, key, None if site == "none" else int(site), zone)


def _asked(answer: Ask, say: Say, question: str, default: str, check: Callable[[str], str]) -> str:
    for _ in range(TRIES):
        text = answer(question, default).strip() or default
        try:
            return check(text)
        except Unfit as err:
            say(f"That {err}")
        except SecretError as err:
            say(f"No: {err}")
    raise ConfigError(
        [Problem("connector init", 0, "", f"no answer to be used: {question}", "Run it again when you know")]
    )


def _name(text: str) -> str:
    if not STORE_NAME.fullmatch(text):
        raise Unfit("is no name for a store", f"{_NAME_RULE}, as in kiwi-shop")
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


def _variable(name: str, url: str) -> str:
    """The variable to keep the key in; a sandbox's says so, since a live key must never get there (failures.md G11)."""
    middle = "TEST_" if api_url.is_loopback(url) else ""
    return f"{'STORE_' if name[0].isdigit() else ''}{name.upper().replace('-', '_')}_GSS_{middle}KEY"


def store_text(
    name: str, source: str, path: str, dialect: str, url: str, key_reference: str, site_id: int | None, timezone: str
) -> str:
    """The text of a store file. Values are written as TOML texts: nothing in them can become a key of its own."""
    site = f"site_id = {site_id:d}" if site_id is not None else "# site_id = 4180"
    return f"""\
# The store "{name}". Every key, its meaning and its default: docs/configuration.md
# After a change: connector check

[source]                        # where orders come from
kind = {_toml(source)}
path = {_toml(path)}
dialect = {_toml(dialect)}
# encoding = "utf-8"            # of the files; declared, never guessed
# delimiter = ","
# status_map = {{ "packed" = "fulfilled" }}     # words of your shop, and what they mean

[gosweetspot]                   # where packing slips go
url = {_toml(url)}
access_key = {_toml(key_reference)}     # where the key is kept, never the key itself
{site}                # needed where the key's user sees several sites
# support_email = "it@example.nz"   # GoSweetSpot writes here when many calls fail
# batch_size = 50               # orders in one call
# calls_per_minute = 60         # GoSweetSpot asks for no more, and for
# calls_per_hour = 1000         # no more than this

[schedule]                      # when the shop is read
every = "2m"                    # or: cron = "*/5 8-18 * * mon-fri"
timezone = {_toml(timezone)}

[select]                        # which orders ship: by default the paid, unfulfilled ones that are not picked up
# since = 2026-11-01            # leave older orders alone
# local_delivery = false        # true: local deliveries go by freight too
# skip_tags = ["hold"]
# skip_methods = ["courier of our own"]

[slip]                          # how a packing slip is made
# number = "{{number}}"           # {{number}} {{id}} {{part}} {{store}}
# prefix = "KIWI-"              # needed when two stores send to one GoSweetSpot site
# delvref = "{{number}}"
# delvinstructions = ["buyer_note"]
# default_country = "NZ"        # for orders that name no country
"""


def _toml(text: str) -> str:
    """A TOML text: JSON's escapes are TOML's, but for DEL, which JSON leaves as it is and TOML refuses."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
