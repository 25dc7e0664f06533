"""What GSS shows it has: the records of a GET, and whether one of them is what we sent. Knows no network.

GSS rewrites what it is sent (gosweetspot-api.md 1.4: upper case, the street moved from address1 to address2, postcode
and country filled in), so a record is never compared letter by letter. `Proof` is what is left when everything GSS was
seen to change is taken away; two equal proofs say that GSS has our version.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from connector.gosweetspot.answers import Outcome, Resolver, note_on_strangers, note_on_unreadable, number_text
from connector.gosweetspot.strict_json import JsonError, folded, plain, read_json
from connector.packing_slip import number_key

_WORDS: Final = ("consignee", "delvref", "delvinstructions", "contactname", "contactphone", "email")
_ADDRESS: Final = ("address1", "address2", "suburb", "city")
_WEB_ADDRESS = re.compile(r"https?://[!-~]{1,500}")


class ProductProof(msgspec.Struct, frozen=True, gc=False, order=True):
    """What is compared of a product line. unit_value None and currency "" where it is not said."""

    code: str
    description: str
    units: float
    unit_value: float | None = None
    currency: str = ""


class Proof(msgspec.Struct, frozen=True, gc=False):
    """The comparable rest of a slip. Every text is folded: NFKC, case folded, white space squeezed, null as "".

    words     consignee, delvref, delvinstructions, contactname, contactphone, email, with line ends between them
    address   the words of address1, address2, suburb and city in that order, whichever field they stand in
    postcode  without spaces; "" where none is said
    country   ISO code in lower case, "gb" for "uk", "nz" for none
    products  sorted; None where nothing is said about them
    """

    words: str
    address: str
    postcode: str
    country: str
    products: tuple[ProductProof, ...] | None = None


class Record(msgspec.Struct, frozen=True, gc=False):
    """One customer order as GSS has it.

    number        as GSS writes it; key is the same under `packing_slip.number_key`
    status        GSS's word, unknown ones too ("PENDING", "DELIVERED"); "" where none
    ticket        the consignment's number once a label is printed, else ""
    tracking_url  http or https, else ""
    picked, delivered  as given: local to the place, without a zone, never to be compared with UTC (failures.md B10)
    """

    number: str
    key: str
    status: str
    ticket: str
    tracking_url: str
    picked: str
    delivered: str
    proof: Proof


class ReadBack(msgspec.Struct, frozen=True):
    """How one GET ended. records, when ANSWERED, has every number asked, as it was asked.

    An empty tuple means that GSS shows nothing; two records for one number must alarm somebody (failures.md B7).
    """

    outcome: Outcome
    status: int = 0
    records: dict[str, tuple[Record, ...]] = {}  # msgspec gives every ReadBack its own
    note: str = ""
    retry_after_s: float | None = None


class RecordPage(msgspec.Struct, frozen=True):
    """One page of a GET's answer, with its number and how many there are."""

    page: int
    pages: int
    records: tuple[Record, ...]


class RecordsError(ValueError):
    """The body is no page of customer orders; the message is a sentence for people."""


def read_page(body: bytes) -> RecordPage:
    """The records of a GET's answer `{Page, PageSize, Pages, Results}`, names in any case; raises RecordsError.

    An answer without a list of results is never read as "GSS has nothing". Nor is one with a record that can't be
    read: it may be the very one that was asked for.
    """
    try:
        document = read_json(body)
    except JsonError as err:
        raise RecordsError(note_on_unreadable(body)) from err
    fields = folded(document) if type(document) is dict else None
    if fields is None or type(fields.get("results")) is not list:
        raise RecordsError("GoSweetSpot answered, but not with a list of customer orders.")
    return RecordPage(
        page=_count(fields.get("page")),
        pages=_count(fields.get("pages")),
        records=tuple(map(_record, fields["results"])),
    )


def _count(value: object) -> int:
    return value if type(value) is int and value > 0 else 1


def by_number(numbers: Sequence[str], records: Sequence[Record]) -> tuple[dict[str, tuple[Record, ...]], str]:
    """The records of each number asked, as it was asked, and a note about those that were not asked for."""
    resolve = Resolver(numbers)
    found: dict[str, tuple[Record, ...]] = dict.fromkeys(numbers, ())
    strangers = 0
    for record in records:
        number = resolve(record.number)
        if number is None:
            strangers += 1
        else:
            found[number] += (record,)
    return found, note_on_strangers(strangers)


def _record(value: object) -> Record:
    fields = _lower(value)
    number = number_text(fields.get("packingslipno")) if fields else ""
    if not fields or not number:
        raise RecordsError("GoSweetSpot shows a customer order that can't be read, so its whole answer was not used.")
    told = fields.get("status")
    status = _lower(told) if type(told) is dict else {"status": told}
    if status is None:
        raise RecordsError("GoSweetSpot shows a status in two ways for one order, so its whole answer was not used.")
    number = plain(number)
    return Record(
        number=number,
        key=number_key(number),
        status=_shown(status.get("status")),
        ticket=_shown(status.get("ticketnumber")),
        tracking_url=_web_address(status.get("trackingurl")),
        picked=_shown(status.get("picked")),
        delivered=_shown(status.get("delivered")),
        proof=_proof(fields),
    )


def _lower(value: object) -> dict[str, Any] | None:
    return folded(value) if type(value) is dict else None


def _shown(value: object) -> str:
    return plain(value).strip() if type(value) is str else ""


def _web_address(value: object) -> str:
    """It is shown as a link and handed to the shop, so it must be one, and no script."""
    return value if type(value) is str and _WEB_ADDRESS.fullmatch(value) else ""


def proof_of(body: bytes) -> Proof:
    """What GSS must show of a canonical body of ours. Not provable, since GET does not return them: packages,
    rawaddress (failures.md 3.1); not compared: costcentre, which an operator may choose."""
    return _proof(_read_ours(body))


_read_ours = msgspec.json.Decoder(dict[str, Any]).decode


def shows(record: Record, proof: Proof) -> bool:
    """Does GSS have what `proof` was made of? Only what we said is asked: GSS fills in a postcode we left out."""
    seen = record.proof
    return (
        seen.words == proof.words
        and seen.address == proof.address
        and seen.country == proof.country
        and (not proof.postcode or seen.postcode == proof.postcode)
        and _shows_products(seen.products, proof.products)
    )


def _shows_products(seen: tuple[ProductProof, ...] | None, ours: tuple[ProductProof, ...] | None) -> bool:
    """True too where either side says nothing about products: without `include_products` GSS shows none."""
    if seen is None or ours is None:
        return True
    return len(seen) == len(ours) and all(map(_shows_product, seen, ours))


def _shows_product(seen: ProductProof, ours: ProductProof) -> bool:
    return (
        (seen.code, seen.description, seen.units) == (ours.code, ours.description, ours.units)
        and (ours.unit_value is None or seen.unit_value == ours.unit_value)
        and (not ours.currency or seen.currency == ours.currency)
    )


def _proof(fields: dict[str, Any]) -> Proof:
    get = fields.get
    country = _fold(_text(get("country")))
    products = get("products")
    return Proof(
        # a line end never survives in a folded text, so it parts the words safely
        words="\n".join([_fold(_text(value)) if (value := get(name)) else "" for name in _WORDS]),
        address=_fold(" ".join([_text(value) for name in _ADDRESS if (value := get(name))])),
        postcode=_fold(_text(get("postcode"))).replace(" ", ""),
        # the API page's own list says UK, other pages say GB; none means New Zealand (gosweetspot-api.md 1.2, 1.4)
        country="gb" if country == "uk" else country or "nz",
        products=tuple(sorted(_products(products))) if type(products) is list else None,
    )


def _products(lines: list[Any]) -> Iterator[ProductProof]:
    for line in lines:
        fields = _lower(line) or {}
        yield ProductProof(
            code=_fold(_text(fields.get("productcode"))),
            description=_fold(_text(fields.get("description"))),
            units=_number(fields.get("units")) or 0.0,
            unit_value=_number(fields.get("unitvalue")),
            currency=_fold(_text(fields.get("currency"))),
        )


def _text(value: object) -> str:
    """Null is the empty text; a number is its text, as in a telephone or a postcode without quotes."""
    if type(value) is str:
        return value
    return str(value) if type(value) is int else ""


def _number(value: object) -> float | None:
    """A number that came as int, as float, or as the text the strict reader keeps ("1.00000000")."""
    if value is None or type(value) is bool:
        return None
    try:
        return float(str(value))
    except ValueError:
        return None


def _fold(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).upper()  # as GSS does: a dotless i comes back as I
    return " ".join(text.casefold().split())
