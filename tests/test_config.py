"""A folder of store files: what is good loads, what is not is told all at once, and the docs and schema agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from connector import config, store_file
from connector.config import ConfigError, load_store, load_stores
from connector.order import Payment
from connector.sources.registry import source_class
from connector.store_schema import json_schema
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


# What loads


def test_a_store_of_few_lines_has_good_defaults(folder: Path) -> None:
    write(folder, GOOD)
    [store] = load_stores(folder)
    assert (store.name, store.source_kind, store.folder) == ("kiwi", "csv", folder.parent)
    assert store.gosweetspot.destination == "https://api.gosweetspot.com"
    assert (store.gosweetspot.calls_per_minute, store.gosweetspot.calls_per_hour) == (60, 1000)
    assert store.gosweetspot.ghost_window == timedelta(minutes=5)
    assert store.gosweetspot.mode == "live"
    assert store.schedule.every == timedelta(minutes=2)
    assert store.zone.key == "Pacific/Auckland"
    assert store.source_options.path == "exports/*.csv"


def test_G6_G11_a_sandbox_account_is_another_one_at_gosweetspot_s_own_address_too(folder: Path) -> None:
    """Else a change of the key and mode alone would take the trial's slips for the real account's own."""
    trial = gosweetspot(folder, 'site_id = 7\nmode = "test"', key="env:KIWI_GSS_TEST_KEY").gosweetspot
    assert trial.destination == "https://api.gosweetspot.com site 7 (test)"
    assert gosweetspot(folder, "site_id = 7").gosweetspot.destination == "https://api.gosweetspot.com site 7"


def test_every_table_reaches_its_own_room(folder: Path) -> None:
    store = gosweetspot(
        folder,
        'site_id = 4180\n[schedule]\ncron = "*/5 8-18 * * mon-fri"\n[select]\nsince = 2026-11-01\n'
        'payments = ["paid", "authorized"]\n[slip]\nprefix = "K-"\n[[slip.packages]]\nPackageStockName = "Box 1"\n',
    )
    assert store.gosweetspot.destination == "https://api.gosweetspot.com site 4180"
    assert (store.schedule.cron, store.schedule.every) == ("*/5 8-18 * * mon-fri", None)
    assert store.select.since == date(2026, 11, 1)
    assert store.select.payments == (Payment.PAID, Payment.AUTHORIZED)
    assert store.slip.packages[0].PackageStockName == "Box 1"


def test_a_store_is_frozen(folder: Path) -> None:
    write(folder, GOOD)
    [store] = load_stores(folder)
    for of in (store, store.gosweetspot, store.schedule):
        with pytest.raises((AttributeError, ValueError)):
            setattr(of, "name", "x")  # noqa: B010


def test_the_examples_load_but_are_never_taken_for_stores(folder: Path) -> None:
    assert config.store_files(ROOT / "config") == [
        file for file in sorted((ROOT / "config").glob("*.toml")) if not file.name.endswith(".example.toml")
    ]
    for example in (ROOT / "config").glob("*.example.toml"):
        write(folder, example.read_bytes(), example.name)
        assert load_stores(folder, secrets=False) == []
    for example in (ROOT / "config").glob("*.example.toml"):
        write(folder, example.read_bytes(), example.name.replace(".example", ""))
    assert len(load_stores(folder, secrets=False)) == 3


def test_a_mark_at_the_beginning_and_windows_line_ends_do_no_harm(folder: Path) -> None:
    write(folder, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert [store.name for store in load_stores(folder)] == ["kiwi"]


def test_hidden_files_and_other_files_are_no_stores(folder: Path) -> None:
    write(folder, GOOD)
    for name in (".#kiwi.toml", "kiwi.toml~", "notes.txt", "kiwi.toml.swp"):
        write(folder, "nonsense", name)
    assert [store.name for store in load_stores(folder)] == ["kiwi"]


def test_secrets_are_looked_for_only_where_they_are_needed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIWI_GSS_KEY")
    write(folder, GOOD)
    assert load_stores(folder, secrets=False)
    assert problems(folder) == [
        "line 7  [gosweetspot] access_key: env:KIWI_GSS_KEY is not set. Set it for the service, or use file:PATH."
    ]


def test_key_files_are_looked_for_from_the_projects_folder(folder: Path) -> None:
    secret = folder.parent / "gss.key"
    secret.write_text("abcDEF123\n")
    secret.chmod(0o600)
    assert gosweetspot(folder, "", "file:gss.key").gosweetspot.access_key.resolve().reveal() == "abcDEF123"


# Files as they come


SYNTAX = [
    ("access_key = env:KEY", "line 8  [gosweetspot] access_key: the value is not TOML. Put text in double quotes"),
    ('site_id = "4180', "line 8  [gosweetspot] site_id: a text has no closing quote"),
    ("site_id = '4180", "line 8  [gosweetspot] site_id: a text has no closing quote"),
    ("site_id", "line 8  [gosweetspot] site_id: a key has no value"),
    ("= 5", "line 8  [gosweetspot] access_key: the line begins with what is no key"),
    ("[schedule", "line 8  [schedule]: the name of a table has no closing bracket"),
    ('url = "c:\\dir"', "line 8  [gosweetspot] url: a text holds a single backslash"),
    ("batch_size = 5 6", "line 8  [gosweetspot] batch_size: something follows the value"),
    ("batch_size = [5", "line 8  [gosweetspot] batch_size: a list has no closing bracket"),
    ("batch_size = {a = 5", "line 8  [gosweetspot] batch_size: a table in braces has no closing brace"),
    ("batch_size = {a = 5, a = 6}", "line 8  [gosweetspot] batch_size: a key stands twice in braces"),
    ("batch_size.a = 5\n[gosweetspot.batch_size]", "line 9  [gosweetspot] batch_size: a key or table stands twice"),
    ("[gosweetspot.access_key]", "line 8  [gosweetspot] access_key: stands here and on line 7"),
    ("since = 2026-02-30", "line 8  [gosweetspot] since: there is no such date"),
    ("since = 2026-13-01", "line 8  [gosweetspot] since: there is no such date"),
    ('url = "\\ud800"', "line 8  [gosweetspot] url: a text holds an escape that is no character"),
    ("batch_size = " + "9" * 5000, "line 8  [gosweetspot] batch_size: a number is far too long"),
    ("batch_size = " + "[" * 5000, "line 8  [gosweetspot] batch_size: lists lie in lists, too deep to read"),
    ("a." * 101 + "a = 1", "file  a key of more than a hundred parts is no store's. Take it out."),
]


@pytest.mark.parametrize(("line", "words"), SYNTAX, ids=[line[:24] for line, _ in SYNTAX])
def test_G1_a_file_that_is_no_toml_has_one_problem_in_plain_words(folder: Path, line: str, words: str) -> None:
    [shown] = problems(folder, GOOD + line)
    assert shown.startswith(words)


@pytest.mark.parametrize("at", range(1, len(GOOD)))
def test_G1_a_file_cut_at_any_byte_never_becomes_another_store(folder: Path, at: int) -> None:
    write(folder, GOOD[:at])
    try:
        [store] = load_stores(folder)
    except ConfigError as error:
        assert all(problem.key for problem in error.problems) or at < 3
    else:
        assert at == len(GOOD) - 1
        assert store.gosweetspot.access_key.place == "KIWI_GSS_KEY"


def test_G1_a_key_or_table_given_twice_is_told_with_both_lines(folder: Path) -> None:
    assert problems(folder, GOOD + "batch_size = 5\n\nbatch_size = 6\n") == [
        "line 10  [gosweetspot] batch_size: stands here and on line 8. Keep one of the two."
    ]
    assert problems(folder, GOOD + "[source]\n") == [
        "line 8  [source]: stands here and on line 1. Keep one of the two."
    ]


BYTES = [
    (b"", "file  the file is empty. Remove it, and write it anew with: connector init."),
    (b" \n\n", "file  the file is empty. Remove it, and write it anew with: connector init."),
    (b"\xef\xbb\xbf", "file  the file is empty. Remove it, and write it anew with: connector init."),
    (b"a = 1\nb = '\xe9'", "line 2  this is not UTF-8. Save it as plain text in UTF-8."),
    (GOOD.encode("utf-16"), "file  this is no text (it holds zero bytes). Save it as plain text in UTF-8."),
    (b"[source]\0", "file  this is no text (it holds zero bytes). Save it as plain text in UTF-8."),
    (b"#" * 300_000, "file  the file is larger than 256 kB, and no store file is. Move it out of this folder."),
]


@pytest.mark.parametrize(("content", "words"), BYTES, ids=["empty", "blank", "mark", "latin", "utf16", "nul", "large"])
def test_G1_a_file_that_is_no_text_has_one_clear_problem(folder: Path, content: bytes, words: str) -> None:
    assert problems(folder, content) == [words]


def test_G1_what_is_no_plain_file_is_refused_and_never_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.toml", 0o600)
    (folder / "sub.toml").mkdir()
    (folder / "gone.toml").symlink_to("nowhere")
    assert problems(folder) == [
        "file  the file can't be read (no such file or directory). Let the user that runs connector read it.",
        "file  this is no plain file. Move it out of this folder.",
        "file  this is no plain file. Move it out of this folder.",
    ]


def test_G1_the_problems_of_all_files_come_at_once_and_the_folder_must_be_there(folder: Path) -> None:
    write(folder, GOOD, "good.toml")
    write(folder, "", "empty.toml")
    write(folder, GOOD, "Not A Name.toml")
    write(folder, GOOD + "batch_size = 0\n", "zero.toml")
    assert problems(folder) == [
        "file  a store's name is made of a-z, 0-9 and -, at most 40 of them. Rename the file.",
        "file  the file is empty. Remove it, and write it anew with: connector init.",
        "line 8  [gosweetspot] batch_size: 0 is too small. Write 1 or more.",
    ]
    [shown] = problems(folder / "nowhere")
    assert shown.startswith("file  the folder can't be read (no such file or directory).")


@pytest.mark.parametrize(("mode", "is_refused"), [(0o644, False), (0o600, False), (0o664, True), (0o646, True)])
def test_G9_a_store_file_that_others_may_change_is_refused_with_the_chmod(
    folder: Path, mode: int, is_refused: bool
) -> None:
    file = write(folder, GOOD, mode=mode)
    if is_refused:
        assert problems(folder) == [f"file  others on this machine may change the file. Run: chmod go-w {file}."]
    else:
        assert load_stores(folder)


def test_G9_what_others_may_read_holds_no_key(folder: Path) -> None:
    """The row asks that no key can be read by others: a store file can't hold one, and a key file must be closed."""
    text = GOOD.replace("env:KIWI_GSS_KEY", "Canary7Zz91Qq")
    [shown] = problems(folder, text)
    assert "line 7  [gosweetspot] access_key: this is no reference to a secret, and not shown" in shown
    secret = folder.parent / "gss.key"
    secret.write_text("Canary7Zz91Qq\n")
    secret.chmod(0o644)
    [shown] = problems(folder, GOOD.replace("env:KIWI_GSS_KEY", "file:gss.key"))
    assert shown.endswith("file:gss.key is open to others on this machine. Run: chmod 600 gss.key.")


# Several stores


def two(folder: Path, first: str, second: str, keys: tuple[str, str] = ("A", "B")) -> None:
    for name, lines, key in (("kiwi", first, keys[0]), ("tui", second, keys[1])):
        write(folder, GOOD.replace("KIWI_GSS_KEY", key) + lines, f"{name}.toml")


@pytest.mark.parametrize(
    ("first", "second", "keys"),
    [
        ("", "", ("A", "B")),
        ("", "", ("A", "A")),
        ("site_id = 1", "site_id = 1", ("A", "B")),
        ("site_id = 1", "", ("A", "A")),
        ("[slip]\nprefix = 'k-'", "[slip]\nnumber = 'K-{number}'", ("A", "B")),
        ("[slip]\nnumber = '{id}'", "[slip]\nnumber = '{id}'", ("A", "B")),
    ],
)
def test_two_stores_that_could_send_one_number_to_one_site_are_refused(
    folder: Path, first: str, second: str, keys: tuple[str, str]
) -> None:
    two(folder, first, second, keys)
    with pytest.raises(ConfigError) as caught:
        load_stores(folder, secrets=False)
    [problem] = caught.value.problems
    assert problem.file.endswith("tui.toml")
    assert problem.what.startswith("tui and kiwi could send the same slip number to https://api.gosweetspot.com")
    for name in ("kiwi", "tui"):
        with pytest.raises(ConfigError, match="could send the same slip number"):
            load_store(folder, name, secrets=False)


@pytest.mark.parametrize(
    ("first", "second", "keys"),
    [
        ("[slip]\nprefix = 'K-'", "", ("A", "B")),
        ("site_id = 1", "site_id = 2", ("A", "A")),
        ("site_id = 1", "", ("A", "B")),
        ("[slip]\nnumber = '{store}-{number}'", "[slip]\nnumber = '{store}-{number}'", ("A", "A")),
        ("url = 'http://127.0.0.1:1'", "url = 'http://127.0.0.1:2'", ("A", "A")),
    ],
)
def test_two_stores_whose_numbers_differ_stand_side_by_side(
    folder: Path, first: str, second: str, keys: tuple[str, str]
) -> None:
    two(folder, first, second, keys)
    assert [store.name for store in load_stores(folder, secrets=False)] == ["kiwi", "tui"]


def test_one_store_loads_beside_a_broken_one(folder: Path) -> None:
    write(folder, GOOD)
    write(folder, "half = ", "broken.toml")
    assert load_store(folder, "kiwi").name == "kiwi"
    with pytest.raises(ConfigError, match="the value is not TOML"):
        load_store(folder, "broken")
    with pytest.raises(ConfigError, match=r"no store 'kiwy'\. Did you mean \"kiwi\"\?"):
        load_store(folder, "kiwy")


# What is promised about this page and the code


def keys(model: type[BaseModel]) -> list[str]:
    return list(model.model_fields)


def test_every_key_of_a_store_file_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    sections = {part.partition("]")[0]: part for part in page.split("\n## [")[1:]}
    tables = {"source": source_class("csv").options(), **store_file.TABLES}
    for table, model in tables.items():
        missing = [key for key in keys(model) if f"\n| `{key}` |" not in sections[table]]
        assert missing == [], f"[{table}] of docs/configuration.md"


def test_the_docs_show_the_defaults_that_hold() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    rows = {row.split("`")[1]: row.split(" | ") for row in page.splitlines() if row.startswith("| `")}
    for model in store_file.TABLES.values():
        for key, field in model.model_fields.items():
            default = field.get_default()
            if isinstance(default, str | int):
                assert rows[key][2].strip() == f"`{json.dumps(default)}`", key


def test_the_schema_for_editors_is_up_to_date() -> None:
    file = ROOT / "docs" / "store.schema.json"
    text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("GOLDEN_REWRITE") == "1":
        file.write_text(text)
    assert file.read_text() == text, "run: GOLDEN_REWRITE=1 pytest tests/test_config.py -k schema"


def test_the_schema_says_nothing_that_toml_cannot() -> None:
    schema = json_schema()
    assert "null" not in json.dumps(schema)
    assert set(schema["properties"]) == {"source", *store_file.TABLES}
    assert schema["properties"]["source"]["anyOf"][0]["properties"]["kind"] == {"const": "csv"}
    assert set(schema["$defs"]["GoSweetSpot"]["properties"]) == set(store_file.TABLES["gosweetspot"].model_fields)


def test_reading_the_configuration_imports_nothing_heavy() -> None:
    code = (
        "import sys, connector.config, connector.store_file\n"
        "heavy = {'requests', 'apscheduler', 'keyring', 'phonenumbers', 'pycountry', 'starlette', 'rich', 'difflib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "[]"
