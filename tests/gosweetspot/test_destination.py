"""Which addresses and keys a destination takes, and that it never shows what it refuses."""

from __future__ import annotations

import pytest

from connector.gosweetspot import Destination

KEY = "k-0123456789"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.gosweetspot.com",
        "https://api.gosweetspot.com/",
        "https://api.gosweetspot.com:443",
        "http://127.0.0.1:8080",
        "http://127.1.2.3:8080",
        "http://[::1]:8080",
        "http://localhost:8080/",
        "https://localhost:8443",
    ],
)
def test_S12_https_to_a_name_and_loopback_are_taken(url: str) -> None:
    assert Destination(url, KEY).url == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://api.gosweetspot.com", "is http"),
        ("http://localhost.evil.example", "is http"),
        ("http://127.0.0.1.evil.example", "is http"),
        ("http://10.0.0.5", "is http"),
        ("http://0.0.0.0:80", "is http"),
        ("https://169.254.169.254", "IP address"),
        ("https://169.254.169.254.", "IP address"),
        ("https://[fe80::1]", "IP address"),
        ("https://[::ffff:169.254.169.254]", "IP address"),
        ("https://2852039166", "IP address"),
        ("https://0xa9fea9fe", "IP address"),
        ("https://169.254.0x.1", "IP address"),
        ("https://10.0.0.5", "IP address"),
        ("https://8.8.8.8", "IP address"),
        ("https://user:pass@api.gosweetspot.com", "user or password"),
        ("https://@api.gosweetspot.com", "user or password"),
        ("https://api.gosweetspot.com:8443", "odd port 8443"),
        ("https://api.gosweetspot.com:0", "odd port 0"),
        ("https://api.gosweetspot.com:99999", "no web address"),
        ("https://api.gosweetspot.com/api", "must end after the host"),
        ("https://api.gosweetspot.com?x=1", "must end after the host"),
        ("https://api.gosweetspot.com/#", "must end after the host"),
        ("https://api.gosweetspot.com\\@evil.example", "no web address"),
        ("https://api.gosweetspot.com\n", "no web address"),
        ("https://api.goswe\u0435tspot.com", "no web address"),
        ("https://[::1", "no web address"),
        ("ftp://api.gosweetspot.com", "no web address"),
        ("api.gosweetspot.com", "no web address"),
        ("https://", "no web address"),
        ("", "no web address"),
    ],
)
def test_S12_SEC9_every_other_address_is_refused_and_not_quoted(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        Destination(url, KEY)
    assert str(refused.value).startswith("url: ")
    assert "pass@" not in str(refused.value)


@pytest.mark.parametrize("key", ["", "abc123KEY\n", "abc 123", "abc\u2013123", "\tabc", "abc\x00"])
def test_S11_SEC12_a_key_that_cannot_travel_in_a_header_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError) as refused:
        Destination("https://api.gosweetspot.com", key)
    assert str(refused.value).startswith("access_key: ")
    assert "abc" not in str(refused.value)


def test_a_contact_a_wait_and_a_trust_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="support_email: has a space"):
        Destination("https://api.gosweetspot.com", KEY, support_email="it@example.nz\r\nX: y")
    with pytest.raises(ValueError, match="timeout_s: must be more than 0 seconds"):
        Destination("https://api.gosweetspot.com", KEY, timeout_s=0)
    with pytest.raises(ValueError, match="verify: can't be switched off"):
        Destination("https://api.gosweetspot.com", KEY, verify=False)


def test_a_destination_shows_its_place_and_never_its_key() -> None:
    destination = Destination("https://api.gosweetspot.com", KEY, site_id=4180)
    assert repr(destination) == str(destination) == "Destination(url='https://api.gosweetspot.com', site_id=4180)"
    assert destination.host == "api.gosweetspot.com"
