"""The text of a new store file: what was answered, and every main option with what it does. Knows no terminal, no file.

What is written as a value is written as a TOML text: nothing in it can become a key of its own (failures.md SEC36).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from connector import api_url


class NewStore(NamedTuple):
    """What a store file is made of.

    source         the keys of [source] that have no default, as the file shall say them; `kind` is not among them
    key_reference  where the key of GoSweetSpot is kept
    site_id        None where the key's user sees one site only
    """

    name: str
    kind: str
    source: Mapping[str, str]
    key_reference: str
    url: str = api_url.DEFAULT
    site_id: int | None = None
    timezone: str = "Pacific/Auckland"


class KeyPlace(NamedTuple):
    """Where a person finds a secret, and the end of the variable's name that `init` offers to keep it in."""

    variable: str
    where: str


PLACES: Final[Mapping[str, KeyPlace]] = {
    "consumer_key": KeyPlace("WOO_KEY", "WooCommerce > Settings > Advanced > REST API > Add key, permissions: Read"),
    "consumer_secret": KeyPlace("WOO_SECRET", "shown together with the consumer key, once"),
    "client_secret": KeyPlace("SHOPIFY_SECRET", "Shopify Dev Dashboard > your app > Settings"),
    "access_token": KeyPlace("SHOPIFY_TOKEN", "shown once, when the app was installed in the Shopify admin"),
    "access_key": KeyPlace("GSS_KEY", "GoSweetSpot > Administration > Integrations & Apps"),
}
"""By the key's name in a store file. WooCommerce: woocommerce.com/document/woocommerce-rest-api; Shopify:
shopify.dev/docs/apps/build/dev-dashboard/get-api-access-tokens."""


def variable(name: str, ending: str) -> str:
    """The variable that a store's secret is kept in unless somebody says otherwise: KIWI_WOO_KEY."""
    return f"{'STORE_' if name[0].isdigit() else ''}{name.upper().replace('-', '_')}_{ending}"


def store_text(new: NewStore) -> str:
    """The whole file."""
    site = f"site_id = {new.site_id:d}" if new.site_id is not None else "# site_id = 4180"
    return f"""\
# The store "{new.name}". Every key, its meaning and its default: docs/configuration.md
# After a change: connector check {new.name}

{_SOURCES[new.kind](new.source)}
[gosweetspot]                   # where packing slips go
url = {_toml(new.url)}
access_key = {_toml(new.key_reference)}     # where the key is kept, never the key itself
{site}                # needed where the key's user sees several sites
# support_email = "it@example.nz"   # GoSweetSpot writes here when many calls fail
# batch_size = 50               # orders in one call
# calls_per_minute = 60         # GoSweetSpot asks for no more, and for
# calls_per_hour = 1000         # no more than this

[schedule]                      # when the shop is read
every = "2m"                    # or: cron = "*/5 8-18 * * mon-fri"
timezone = {_toml(new.timezone)}

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


def _csv(source: Mapping[str, str]) -> str:
    return f"""\
[source]                        # where orders come from
kind = "csv"
{_lines(source)}
# encoding = "utf-8"            # of the files; declared, never guessed
# delimiter = ","
# status_map = {{ "packed" = "fulfilled" }}     # words of your shop, and what they mean
"""


def _woocommerce(source: Mapping[str, str]) -> str:
    return f"""\
# The shop's keys: {PLACES["consumer_key"].where}.
# Both are shown once. Permalinks (WordPress > Settings > Permalinks) must be anything but "Plain".

[source]                        # the shop, asked over its REST API
kind = "woocommerce"
{_lines(source)}
# statuses = ["packed"]         # further ones that the daily sweep looks at; those of plug-ins are found by themselves
# overlap = "10m"               # each poll looks back this far behind the newest change it has seen
# page_size = 100               # orders in one answer; fewer for a slow host
# query_auth = false            # true: for a host that drops the Authorization header; https only
# ca_file = "shop-ca.pem"       # the authority that signed the shop's certificate, where it is no public one
"""


def _shopify(source: Mapping[str, str]) -> str:
    return f"""\
# The shop's app: Shopify Dev Dashboard > Create app. Choose these scopes in its version, release it, install it:
#   read_orders, read_merchant_managed_fulfillment_orders, read_third_party_fulfillment_orders, and read_all_orders
#   for orders older than 60 days.
# An older app, made in the Shopify admin, has one token: access_token takes the place of client_id and client_secret.

[source]                        # the shop, asked over its Admin API
kind = "shopify"
{_lines(source)}
# locations = ["Warehouse"]     # only what leaves from here
# overlap = "10m"               # each poll looks back this far behind the newest change it has seen
# page_size = 50                # orders in one answer
# version = "2026-10"           # of the Admin API
"""


_SOURCES: Final = {"csv": _csv, "woocommerce": _woocommerce, "shopify": _shopify}

KINDS: Final = tuple(_SOURCES)
"""The kinds of source that `init` can write a file for."""


def _lines(source: Mapping[str, str]) -> str:
    return "\n".join(f"{key} = {_toml(value)}{_REMARKS.get(key, '')}" for key, value in source.items())


_REMARKS: Final = {
    "consumer_key": "     # where ck_... is kept, never the key itself",
    "consumer_secret": "     # where cs_... is kept",
    "client_id": "     # of the app; no secret",
    "client_secret": "     # where it is kept, never the secret itself",
    "access_token": "     # where shpat_... is kept, never the token itself",
}


def _toml(text: str) -> str:
    """A TOML text: JSON's escapes are TOML's, but for DEL, which JSON leaves as it is and TOML refuses."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
