"""What GSS shows it has: the records of a GET, and whether one of them is what we sent. Knows no network.

GSS rewrites what it is sent (gosweetspot-api.md 1.4: upper case, the street moved from address1 to address2, postcode
and country filled in), so a record is never compared letter by letter. `Proof` is what is left when everything GSS was
seen to change is taken away; two proofs that are the same in that light say that GSS has our version.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
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
    """The comparable rest of a slip; null is "". Texts are compared folded: NFKC, case folded, white space squeezed.

    words     consignee, delvref, delvinstructions, contactname, contactphone, email, a line each, as they were said
    address   the words of address1, address2, suburb and city in that order, in one line, whichever field they stand in
    postcode  folded, without spaces; "" where none is said
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
    usual = _usual_page(body)
    if usual is not None:
        return usual
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


class _UsualStatus(msgspec.Struct, forbid_unknown_fields=True):
    status: str | None = msgspec.field(name="Status")
    ticket: str | None = msgspec.field(name="ticketnumber")
    tracking_url: str | None = msgspec.field(name="trackingurl")
    picked: str | None = msgspec.field(name="Picked")
    delivered: str | None = msgspec.field(name="Delivered")
    manualticket: bool | None


class _UsualRecord(msgspec.Struct, forbid_unknown_fields=True):
    packingslipno: str
    consignee: str | None
    address1: str | None
    address2: str | None
    suburb: str | None
    city: str | None
    postcode: str | None
    country: str | None
    delvref: str | None
    delvinstructions: str | None
    contactname: str | None
    contactphone: str | None
    email: str | None
    isrural: bool | None
    notrural: bool | None
    costcentre: str | None
    status: _UsualStatus
    products: tuple[()]


class _UsualPage(msgspec.Struct, forbid_unknown_fields=True):
    page: int = msgspec.field(name="Page")
    page_size: int = msgspec.field(name="PageSize")
    pages: int = msgspec.field(name="Pages")
    results: list[_UsualRecord] = msgspec.field(name="Results")


_decode_usual = msgspec.json.Decoder(_UsualPage).decode
_KEYS_OF_PAGE: Final = len(_UsualPage.__struct_fields__)
_KEYS_OF_RECORD: Final = len(_UsualRecord.__struct_fields__) + len(_UsualStatus.__struct_fields__)


def _usual_page(body: bytes) -> RecordPage | None:
    """The page, where it is written just as GSS's documents show it, without products; else None, and it is read anew.

    Four times as fast, and as strict: every field must be there and no other, and the count of keys proves that none
    stands twice (text can only add to that count, and then the careful way is taken).
    """
    try:
        told = _decode_usual(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if body.count(b'":') != _KEYS_OF_PAGE + _KEYS_OF_RECORD * len(told.results):
        return None
    return RecordPage(_count(told.page), _count(told.pages), tuple(map(_usual_record, told.results)))


def _usual_record(told: _UsualRecord) -> Record:
    number = plain(number_text(told.packingslipno))
    if not number:
        raise RecordsError(_UNREADABLE)
    state = told.status
    return Record(
        number,
        number_key(number),
        _shown(state.status),
        _shown(state.ticket),
        _web_address(state.tracking_url),
        _shown(state.picked),
        _shown(state.delivered),
        Proof(
            _words(
                told.consignee, told.delvref, told.delvinstructions, told.contactname, told.contactphone, told.email
            ),
            _address(told.address1, told.address2, told.suburb, told.city),
            _postcode(told.postcode or ""),
            _country(told.country or ""),
            (),
        ),
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


_UNREADABLE: Final = "GoSweetSpot shows a customer order that can't be read, so its whole answer was not used."


def _record(value: object) -> Record:
    fields = _lower(value)
    number = number_text(fields.get("packingslipno")) if fields else ""
    if not fields or not number:
        raise RecordsError(_UNREADABLE)
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
    ours = _read_ours(body)
    return Proof(
        _words(ours.consignee, ours.delvref, ours.delvinstructions, ours.contactname, ours.contactphone, ours.email),
        _address(ours.address1, ours.address2, ours.suburb, ours.city),
        _postcode(ours.postcode or ""),
        _country(ours.country or ""),
        tuple(sorted(_products(ours.products))) if ours.products is not None else None,
    )


class _Ours(msgspec.Struct):
    """What a canonical body of ours says and GET returns; anything may be left out."""

    consignee: str | None = None
    address1: str | None = None
    address2: str | None = None
    suburb: str | None = None
    city: str | None = None
    postcode: str | None = None
    country: str | None = None
    delvref: str | None = None
    delvinstructions: str | None = None
    contactname: str | None = None
    contactphone: str | None = None
    email: str | None = None
    products: list[Any] | None = None


_read_ours = msgspec.json.Decoder(_Ours).decode


def shows(record: Record, proof: Proof) -> bool:
    """Does GSS have what `proof` was made of? Only what we said is asked: GSS fills in a postcode we left out."""
    seen = record.proof
    return (
        _are_alike(seen.words, proof.words)
        and _are_alike(seen.address, proof.address)
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
    products = get("products")
    return Proof(
        words=_words(*[_text(get(name)) for name in _WORDS]),
        address=_address(*[_text(get(name)) for name in _ADDRESS]),
        postcode=_postcode(_text(get("postcode"))),
        country=_country(_text(get("country"))),
        products=tuple(sorted(_products(products))) if type(products) is list else None,
    )


def _words(*values: str | None) -> str:
    """A line for each value. Line ends within one are white space like any other: they may not part what is one."""
    lines = "\n".join([value or "" for value in values])
    if lines.count("\n") == len(values) - 1:
        return lines
    return "\n".join([_in_one_line(value or "") for value in values])


def _address(*values: str | None) -> str:
    return _in_one_line(" ".join([value for value in values if value]))


def _in_one_line(text: str) -> str:
    return text.replace("\n", " ")


def _are_alike(seen: str, ours: str) -> bool:
    """Whether two texts are the same when folded, line by line. For most, letters in one case tell it already."""
    if seen.isascii() and ours.isascii():
        seen, ours = seen.casefold(), ours.casefold()
    return seen == ours or [*map(_fold, seen.split("\n"))] == [*map(_fold, ours.split("\n"))]


def _postcode(text: str) -> str:
    return text.casefold() if text.isalnum() and text.isascii() else _fold(text).replace(" ", "")


@lru_cache(maxsize=256)
def _country(text: str) -> str:
    """The API page's own list says UK, other pages say GB; none means New Zealand (gosweetspot-api.md 1.2, 1.4)."""
    country = _fold(text)
    return "gb" if country == "uk" else country or "nz"


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
