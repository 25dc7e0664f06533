"""One store file: every mistake is a line with its place, its value and its mend; a secret is in none of them."""

from __future__ import annotations

import tomllib
import typing
from datetime import timedelta
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict
from pydantic_core import core_schema

from connector.config import ConfigError, load_stores
from connector.plain_words import findings
from connector.sources import registry
from connector.sources.registry import OWN, kinds, source_class
from connector.store_values import Reference
from tests.store_files import GOOD, ROOT, gosweetspot, problems, write


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIWI_GSS_KEY", "abcDEF123")
    monkeypatch.setenv("KIWI_GSS_TEST_KEY", "abcDEF123")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "config"
    made.mkdir()
    return made


# What doesn't


def test_the_problems_of_the_style_page_read_as_they_stand_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIWI_GSS_KEY")
    monkeypatch.chdir(folder.parent)
    text = GOOD.replace("[gosweetspot]\n", "# one\n# two\n[gosweetspot]\n") + "\n\n\n[schedule]\nevry = '2m'\n"
    write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_stores(Path("config"))
    assert str(caught.value) == (
        "config/kiwi.toml: 2 problems\n"
        "  line 9   [gosweetspot] access_key: env:KIWI_GSS_KEY is not set. Set it for the service, or use file:PATH.\n"
        '  line 14  [schedule] evry: no such key. Did you mean "every"?'
    )


def test_G2_five_mistakes_are_five_lines_with_line_key_value_and_mend(folder: Path) -> None:
    text = GOOD.replace('"shopify"', '"shopfy"') + "batch_size = 0\nsite_id = '41'\nevery = '2m'\n[slip]\nnumbr = 'x'\n"
    assert problems(folder, text) == [
        'line 4   [source] dialect: "shopfy" is not known here. Write "shopify", "woocommerce", '
        '"woocommerce-advanced", "woocommerce-webtoffee" or "woocommerce-skyverge".',
        "line 8   [gosweetspot] batch_size: 0 is too small. Write 1 or more.",
        'line 9   [gosweetspot] site_id: "41" is not a whole number. Write it as in site_id = 4180.',
        "line 10  [gosweetspot] every: no such key. It belongs in [schedule].",
        'line 12  [slip] numbr: no such key. Did you mean "number"?',
    ]


G2 = [
    ("batch_size = -1", "-1 is too small. Write 1 or more."),
    ("batch_size = 1000000000", "1000000000 is too large. Write 100 or less."),
    ("batch_size = true", "true is not a whole number. Write it as in batch_size = 50."),
    ("batch_size = 5.0", "5.0 is not a whole number. Write it as in batch_size = 50."),
    ("batch_size = 'ten'", '"ten" is not a whole number. Write it as in batch_size = 50.'),
    ("batch_size = [50]", "[50] is not a whole number. Write it as in batch_size = 50."),
    ("read_back = 'no'", '"no" is not true or false. Write it as in read_back = true.'),
    ("read_back = 0", "0 is not true or false. Write it as in read_back = true."),
    ("timeout = 30", '30 is no length of time. Write a number with s, m or h, as in "90s", "2m" or "1h".'),
    ("timeout = '1d'", '"1d" is no length of time. Write a number with s, m or h, as in "90s", "2m" or "1h".'),
    ("timeout = '2h'", '"2h" is not from 1s to 5m. Write something from "1s" to "5m".'),
    ("in_flight = 17", "17 is too large. Write 16 or less."),
    ("calls_per_hour = 'nine'", '"nine" is not a whole number. Write it as in calls_per_hour = 1000.'),
    ("calls_per_hour = 0", "0 means no limit, which is allowed only where url is this machine (a sandbox)."),
    (
        "calls_per_minute = 'none'",
        '"none" means no limit, which is allowed only where url is this machine (a sandbox).',
    ),
    ("calls_per_minute = 6001", "6001 is too large. Write 6000 or less."),
    ("read_back = false", "false is allowed only where url is this machine (a sandbox)."),
    ("ghost_window = '0s'", '"0s" is under a minute, which is allowed only where url is this machine (a sandbox).'),
    ("support_email = 'it'", '"it" is no e-mail address. Write one address, as in it@example.nz.'),
    ('support_email = "a@b.nz\\r\\nX: y"', '"a@b.nz\\r\\nX: y" is no e-mail address.'),
    ("mode = 'sandbox'", '"sandbox" is not known here. Write "live" or "test".'),
    ("url = 5", '5 is not text in double quotes. Write it as in url = "https://api.gosweetspot.com".'),
    ("nonsense = 5", "no such key. Known here: access_key, batch_size,"),
]


@pytest.mark.parametrize(("line", "words"), G2, ids=[line for line, _ in G2])
def test_G2_a_wrong_value_is_told_and_never_a_silent_default(folder: Path, line: str, words: str) -> None:
    [shown] = problems(folder, GOOD + line + "\n")
    assert shown.startswith(f"line 8  [gosweetspot] {line.partition(' ')[0]}: {words}")


SCHEDULES = [
    ('every = "5s"', '"5s" is not from 10s to 24h'),
    ('every = "25h"', '"25h" is not from 10s to 24h'),
    ('every = "2 minutes"', '"2 minutes" is no length of time'),
    ('cron = "* * * *"', '"* * * *" is no cron line'),
    ('cron = "61 * * * *"', '"61 * * * *" is no cron line'),
    ('cron = "0 0 30 2 *"', '"0 0 30 2 *" names a day that never comes'),
    ('cron = "0 8 * * 1-5"', '"0 8 * * 1-5" has a number for a weekday'),
    ('timezone = "Aukland"', '"Aukland" is no time zone. Did you mean "Pacific/Auckland"?'),
    ('timezone = "Pacific"', '"Pacific" is no time zone.'),
    ('timezone = "../../etc/passwd"', '"../../etc/passwd" is no time zone.'),
]


@pytest.mark.parametrize(("line", "words"), SCHEDULES, ids=[line for line, _ in SCHEDULES])
def test_G2_a_schedule_that_cannot_be_kept_is_told(folder: Path, line: str, words: str) -> None:
    [shown] = problems(folder, f"{GOOD}[schedule]\n{line}\n")
    assert shown.startswith(f"line 9  [schedule] {line.partition(' ')[0]}: {words}")


def test_G2_every_and_cron_cannot_both_be_meant(folder: Path) -> None:
    text = GOOD + '[schedule]\nevery = "2m"\ncron = "0 8 * * *"\n'
    assert problems(folder, text) == ['line 9  [schedule] every: "2m" stands beside cron. Keep one of the two.']


def test_G2_what_is_missing_is_named_with_an_example(folder: Path) -> None:
    assert problems(folder, "[select]\n") == [
        'file  [source]: this table is missing. Write [source] and below it kind = "csv".',
        'file  [gosweetspot] access_key: is missing. Write it, as in access_key = "env:KIWI_GSS_KEY".',
    ]
    [kind] = problems(folder, GOOD.replace('kind = "csv"', ""))
    assert kind == f'line 1  [source] kind: is missing. Write kind = "csv". Known here: {", ".join(kinds())}.'


def test_G2_unknown_tables_and_keys_outside_of_tables_are_told(folder: Path) -> None:
    assert problems(folder, f'batch_size = 5\nselect = "all"\n{GOOD}[shedule]\nevery = "2m"\n[[slips]]\n') == [
        "line 1   [batch_size]: this is a key, and stands outside any table. Move it into its table, [gosweetspot].",
        "line 2   [select]: this is not a table. Write [select] alone on a line, its keys below it.",
        'line 10  [shedule]: no such table. Did you mean "schedule"?',
        'line 12  [slips]: no such table. Did you mean "slip"?',
    ]


def test_G2_mistakes_deep_inside_a_table_are_named(folder: Path) -> None:
    text = (
        GOOD + "[source.columns]\nid = 5\n[[slip.packages]]\nPackageStockName = 'A'\n[[slip.packages]]\nQuantity = 0\n"
    )
    assert problems(folder, text + "Colour = 'x'\n") == [
        "line 9   [source.columns] id: 5 is not text in double quotes or a list in square brackets. "
        'Write it as in "text".',
        "line 12  [slip] packages 2 PackageStockName: is missing. Write it.",
        "line 13  [slip] packages 2 Quantity: 0 is too small. Write 1 or more.",
        "line 14  [slip] packages 2 Colour: no such key. Take it out.",
    ]


def test_G2_a_models_own_sentence_is_shown_as_it_stands(folder: Path) -> None:
    [shown] = problems(folder, GOOD + '[slip]\nnumber = "same"\n')
    assert shown == ('line 9  [slip] number: "same" would give every order one number; put {number} or {id} in it.')


def test_G2_a_default_country_that_is_none_is_told(folder: Path) -> None:
    [shown] = problems(folder, GOOD + '[slip]\ndefault_country = "NewZeeland"\n')
    assert shown == (
        'line 9  [slip] default_country: "NewZeeland" is no country. Write its two-letter ISO code, as in "NZ".'
    )


def test_G2_a_reference_that_is_no_text_and_a_key_of_no_sense_are_told(folder: Path) -> None:
    text = GOOD.replace('"env:KIWI_GSS_KEY"', "5") + "x" * 70 + " = 5\nmode = 'live'\n"
    reference, key = problems(folder, text)
    assert reference.startswith("line 7  [gosweetspot] access_key: this is no text, and not shown.")
    assert key.startswith(f"line 8  [gosweetspot] {'x' * 60}: no such key. Known here: access_key, batch_size,")


def test_an_unknown_kind_of_source_is_told_with_the_near_miss(folder: Path) -> None:
    [shown] = problems(folder, GOOD.replace('"csv"', '"cvs"'))
    assert shown == 'line 2  [source] kind: "cvs" is no kind of source that is installed. Did you mean "csv"?'
    [shown] = problems(folder, GOOD.replace('"csv"', "5"))
    assert shown == (
        f'line 2  [source] kind: 5 is not text in double quotes. Write kind = "csv". Known here: {", ".join(kinds())}.'
    )


# Secrets in the wrong place


WRONG_PLACES = [
    'access_key = "Canary"',
    'access_key = "env:Canary-1"',
    "access_key = Canary",
    'access_key = "Canary',
    'acess_key = "Canary"',
    'token = ["Canary"]',
    'url = "https://me:Canary@api.gosweetspot.com"',
    'url = "https://api.gosweetspot.com?key=Canary"',
    'site_id = "Canary7F86D081884C7D659"',
    'mode = "Canary7F86D081884C7D659"',
    'batch_size = { key = "Canary" }',
]


@pytest.mark.parametrize("line", WRONG_PLACES)
def test_SEC12_a_key_written_into_the_file_is_never_shown(folder: Path, line: str) -> None:
    text = "\n".join(row for row in GOOD.splitlines() if (row + line).count("access_key") != 2)
    write(folder, f"{text}\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        load_stores(folder)
    everything = f"{caught.value} {caught.value!r} {caught.value.problems!r} {caught.value.__cause__!r}"
    assert "Canary" not in everything


# Test and live


@pytest.mark.parametrize(
    ("url", "key", "mode", "words"),
    [
        (None, "env:KIWI_GSS_TEST_KEY", None, '"live" doesn\'t go with a key called env:KIWI_GSS_TEST_KEY'),
        (None, "env:KIWI_GSS_TEST_KEY", "live", '"live" doesn\'t go with a key called env:KIWI_GSS_TEST_KEY'),
        (None, "file:keys/sandbox.key", None, '"live" doesn\'t go with a key called file:keys/sandbox.key'),
        (None, "env:KIWI_GSS_KEY", "test", '"test" doesn\'t go with a key called env:KIWI_GSS_KEY'),
        (None, "env:KIWI_LIVE_TEST", "test", '"test" doesn\'t go with a key called env:KIWI_LIVE_TEST'),
        ("http://127.0.0.1:1", "env:KIWI_GSS_KEY", "live", '"live" doesn\'t go with a url on this machine'),
        ("http://127.0.0.1:1", "env:KIWI_LIVE_KEY", None, '"test" doesn\'t go with a key called env:KIWI_LIVE_KEY'),
        (None, "env:KIWI_GSS_KEY", None, "live"),
        (None, "env:LATEST_GSS_KEY", None, "live"),
        (None, "file:tests/kiwi.key", None, "live"),
        (None, "env:KIWI_GSS_TEST_KEY", "test", "test"),
        (None, "keyring:gss/kiwi-sandbox", "test", "test"),
        ("http://localhost:1", "env:KIWI_GSS_KEY", None, "test"),
        ("http://[::1]:1", "env:KIWI_GSS_TEST_KEY", "test", "test"),
    ],
)
def test_G11_a_live_key_and_a_test_store_are_never_mixed(
    folder: Path, url: str | None, key: str, mode: str | None, words: str
) -> None:
    text = GOOD.replace("env:KIWI_GSS_KEY", key)
    text += f"url = '{url}'\n" if url else ""
    text += f"mode = '{mode}'\n" if mode else ""
    write(folder, text)
    if words in ("live", "test"):
        assert load_stores(folder, secrets=False)[0].gosweetspot.mode == words
        return
    with pytest.raises(ConfigError) as caught:
        load_stores(folder, secrets=False)
    [problem] = caught.value.problems
    assert problem.key == "[gosweetspot] mode"
    assert problem.what.startswith(words)


def test_a_sandbox_on_this_machine_may_go_without_limits(folder: Path) -> None:
    lines = "url = 'http://127.0.0.1:1'\ncalls_per_minute = 0\ncalls_per_hour = 'none'\nghost_window = '0s'\n"
    gss = gosweetspot(folder, lines + "read_back = false\n").gosweetspot
    assert (gss.calls_per_minute, gss.calls_per_hour, gss.ghost_window) == (0, 0, timedelta(0))
    assert gss.is_unlimited
    assert not gss.read_back


# Sources of other packages


class GivenOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    shop: str
    token: Reference
    ratio: float = 1.0


class GivenSource:
    kind = "given"

    @classmethod
    def options(cls) -> type[typing.Any]:
        return GivenOptions


@pytest.fixture
def _given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_installed", lambda kind: f"{__name__}:GivenSource" if kind == "given" else "x:Y")


@pytest.mark.usefixtures("_given")
def test_a_source_of_another_package_reads_its_own_options(folder: Path) -> None:
    source = '[source]\nkind = "given"\nshop = "a"\ntoken = "env:KIWI_GSS_KEY"\n'
    write(folder, source + GOOD[GOOD.index("[gosweetspot]") :])
    [store] = load_stores(folder)
    assert (store.source_kind, store.source_options.shop) == ("given", "a")
    assert store.source_options.token.resolve().reveal() == "abcDEF123"


@pytest.mark.usefixtures("_given")
def test_mistakes_and_secrets_of_another_packages_source_are_told_the_same_way(folder: Path) -> None:
    source = '[source]\nkind = "given"\nshop = 5\ntoken = "Canary"\nratio = "x"\n'
    assert problems(folder, source + GOOD[GOOD.index("[gosweetspot]") :]) == [
        'line 3  [source] shop: 5 is not text in double quotes. Write it as in "text".',
        "line 4  [source] token: this is no reference to a secret, and not shown, since it may be the key itself. "
        "Write env:NAME, file:PATH or keyring:SERVICE/NAME. If it was the key, have a new one made.",
        'line 5  [source] ratio: "x" is not a number. Write it as in ratio = 1.0.',
    ]


@pytest.mark.usefixtures("_given")
def test_a_source_that_cannot_be_loaded_is_told(folder: Path) -> None:
    [shown] = problems(folder, GOOD.replace('"csv"', '"other"'))
    assert shown.startswith('line 2  [source] kind: "other" can\'t be loaded: x:Y (ModuleNotFoundError).')


def test_a_kind_of_another_package_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("given", f"{__name__}:GivenSource", registry.GROUP)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **wanted: [entry])
    assert source_class("given") is GivenSource  # type: ignore[comparison-overlap]
    assert kinds() == sorted([*registry.OWN, "given"])


def test_our_own_kinds_are_those_of_the_project_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["connector.sources"] == OWN
    assert set(OWN) <= set(kinds())
    assert all(source_class(kind).kind == kind for kind in OWN)


# No code in configuration


HOSTILE = [
    'path = "{0.__class__.__mro__}"',
    'path = "%(x)s ${HOME} `id`"',
    'path = "\\u001b]0;owned\\u0007"',
]


@pytest.mark.parametrize("line", HOSTILE)
def test_SEC36_words_in_a_file_are_never_run_or_filled_in(folder: Path, line: str) -> None:
    text = GOOD.replace('path = "exports/*.csv"', line).replace('"shopify"', '"no"')
    write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_stores(folder)
    assert "\x1b" not in str(caught.value)
    store = gosweetspot(folder, "[slip]\nprefix = 'A'\n")
    assert store.source_options.path == "exports/*.csv"


@pytest.mark.parametrize("template", ["{number.__class__}", "{0}", "{number!r}", "{number:>9999999}", "{}", "{nmber}"])
def test_SEC36_a_template_takes_our_own_words_only(folder: Path, template: str) -> None:
    [shown] = problems(folder, f"{GOOD}[slip]\nnumber = '{{number}}{template}'\n")
    assert shown.startswith("line 9  [slip] number:")


def test_SEC25_control_characters_in_a_file_never_reach_the_terminal(folder: Path) -> None:
    text = GOOD + '"\\u001b[2Jkey" = 1\nmode = "\\u001b[31m\\u202e"\n["\\u001bx"]\n'
    shown = problems(folder, text)
    assert len(shown) == 3
    assert all(line.isprintable() for line in shown)


# Whatever pydantic says


class ErrorOf:
    """What findings() reads of a ValidationError, of any type, with every figure it could carry."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def errors(self, include_url: bool) -> list[dict[str, object]]:
        context = dict.fromkeys(("ge", "gt", "le", "lt", "min_length", "max_length"), 3) | {"expected": "'a' or 'b'"}
        return [{"type": self.kind, "loc": ("shop",), "input": 1, "msg": "Input should be", "ctx": context}]


def test_every_problem_is_in_plain_words_whatever_pydantic_finds() -> None:
    types = typing.get_args(core_schema.ErrorType)
    assert len(types) > 90
    for kind in types:
        for finding in findings(ErrorOf(kind), GivenOptions, {"shop": 1}, {}):  # type: ignore[arg-type]
            said = f"{finding.what}. {finding.mend}"
            assert "nput" not in said
            assert "_" not in said
            assert finding.what
