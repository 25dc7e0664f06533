"""The demo's exports: what their README says stands in them, and nobody real does."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parent.parent / "connector" / "demo_data"
SHOPIFY, LATER, WOOCOMMERCE = "shopify_orders.csv", "shopify_orders_later.csv", "woocommerce_orders.csv"
NUMBER = {SHOPIFY: "Name", LATER: "Name", WOOCOMMERCE: "Order Number"}


def orders(name: str) -> dict[str, list[list[str]]]:
    """Number -> the rows of that order; a WooCommerce row without a number belongs to the one above."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    found: dict[str, list[list[str]]] = {}
    number = ""
    for row in rows:
        assert len(row) == len(header)
        number = row[header.index(NUMBER[name])] or number
        found.setdefault(number, []).append(row)
    return found


def listed(name: str) -> list[str]:
    """The orders that README.md's table about a file names."""
    text = (DATA / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"\n`{name}`")[2].partition("\n`")[0]
    return [
        number
        for line in re.findall(r"^\| ([^|]*) \|", section, re.MULTILINE)
        for number in re.findall(r"\S*\d\w*", line)
    ]


@pytest.mark.parametrize("name", [SHOPIFY, WOOCOMMERCE])
def test_the_readme_tells_what_each_order_shows(name: str) -> None:
    assert listed(name) == list(orders(name))


def test_the_readme_names_each_order_that_changes_later_and_no_other() -> None:
    before, after = orders(SHOPIFY), orders(LATER)
    assert listed(LATER) == sorted(number for number in after if after[number] != before.get(number))
    assert before.keys() < after.keys()


@pytest.mark.parametrize("name", [SHOPIFY, LATER, WOOCOMMERCE])
def test_every_e_mail_is_of_a_domain_kept_for_examples(name: str) -> None:
    domains = set(re.findall(r"@([\w.-]+)", (DATA / name).read_text(encoding="utf-8")))
    assert domains <= {"example.com", "example.nz"}


def test_two_numbers_differ_only_by_case() -> None:
    numbers = list(orders(WOOCOMMERCE))
    assert len({number.casefold() for number in numbers}) == len(numbers) - 1
