"""What may be written after `connector`: commands, options, and the help that teaches them. Knows no command's work.

Imports nothing that takes time: `connector --help` must start in the time a shell's own commands take.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from connector import __version__
from connector.exit_codes import MEANING

STATES: Final = (
    "held", "owed", "sending", "unclear", "accepted", "confirmed", "ticketed", "processed", "late", "refused",
    "withdrawn", "superseded", "closed",
)  # fmt: skip
"""The ledger's states of a version (connector.ledger.states, which a test holds this to; importing it would cost)."""

DELIVERY_STATES: Final = ("waiting", "done", "quarantined", "erased")
"""The same of a delivery (connector.inbox.delivery)."""


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command and its options; leaves with exit code 2 where they can't be understood."""
    words = sys.argv[1:] if argv is None else argv
    return parser(words[0] if words and words[0] in _ADDED_BY else None).parse_args(words)


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The grammar; of one command alone where that is all that is asked for: to make all takes a while."""
    main = _Parser(
        prog="connector",
        description="Turns an online shop's orders into freight orders at GoSweetSpot: each once, right, and fast.",
        epilog=_EPILOG,
        formatter_class=_Words,
        parents=[_everywhere(at_top=True)],
    )
    main.add_argument("--version", action="version", version=f"connector {__version__}")
    commands = main.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for add in _ADDED_BY.values() if command is None else [_ADDED_BY[command]]:
        add(commands)
    return main


_EPILOG: Final = """first steps:
  connector demo                     see it work, with a made-up shop and a made-up GoSweetSpot
  connector init kiwi                write config/kiwi.toml for a shop of yours
  connector check                    is everything as it should be?
  connector sync --dry-run           what would be sent?
  connector sync                     send it; run it again and nothing is sent twice

`connector COMMAND --help` explains a command, with examples.

exit codes:
""" + "\n".join(f"  {code:<3} {meaning}" for code, meaning in MEANING.items())


class _Words(argparse.HelpFormatter):
    """Paragraphs are filled; those with indented lines, examples and tables, stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        filled = (
            part if "\n  " in part else super(_Words, self)._fill_text(part, width, indent)
            for part in text.split("\n\n")
        )
        return "\n\n".join(filled)


class _Parser(argparse.ArgumentParser):
    """argparse, with the near miss suggested, and no silence about help that could not be written."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is not sys.stdout:
            super()._print_message(message, file)
        else:
            file.write(message)
            file.flush()

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            from connector.suggest import did_you_mean

            name = "command" if action.dest in ("command", "deed") else str(action.metavar or action.dest)
            raise argparse.ArgumentError(None, f"no such {name}: {value}. {did_you_mean(str(value), action.choices)}")


def _everywhere(*, at_top: bool = False) -> argparse.ArgumentParser:
    """Options that may stand before or after the command; what stands after it wins."""

    def otherwise(value: Any) -> Any:
        return value if at_top else argparse.SUPPRESS

    shared = argparse.ArgumentParser(add_help=False)
    group = shared.add_argument_group("everywhere")
    group.add_argument(
        "--config",
        type=Path,
        default=otherwise(Path(os.environ.get("CONNECTOR_CONFIG") or "config")),
        metavar="DIR",
        help="the store files (default: $CONNECTOR_CONFIG, else config)",
    )
    group.add_argument(
        "--state",
        type=Path,
        default=otherwise(Path(os.environ.get("CONNECTOR_STATE") or "state")),
        metavar="DIR",
        help="ledger and locks (default: $CONNECTOR_STATE, else state)",
    )
    group.add_argument("--json", action="store_true", default=otherwise(False), help="answer in JSON, for programs")
    group.add_argument(
        "--no-color", action="store_true", default=otherwise(False), help="no colours (so does NO_COLOR)"
    )
    group.add_argument(
        "--debug", action="store_true", default=otherwise(False), help="show where an unexpected error came from"
    )
    return shared


def _command(
    commands: Any, name: str, summary: str, more: str, examples: str, **options: Any
) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{_sentence(summary)}\n\n{more}",
        epilog=f"examples:\n{examples}",
        formatter_class=_Words,
        parents=[_everywhere()],
        **options,
    )
    return made


def _sentence(summary: str) -> str:
    return summary[0].upper() + summary[1:] + ("" if summary.endswith("?") else ".")


def _stores(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "stores", nargs="*", metavar="STORE", help="names of store files, without .toml (default: all)"
    )


def _demo(commands: Any) -> None:
    demo = _command(
        commands, "demo", "see it work in a minute, without an account",
        "Starts a made-up GoSweetSpot on this machine, reads two made-up shops, and shows what was sent, moved, held "
        "and skipped, and why; then that a second run sends nothing; then edits and a cancellation arriving. "
        "Nothing leaves this machine.",
        "  connector demo\n  connector demo --keep demo      keep its folder, to try the other commands on",
    )  # fmt: skip
    demo.add_argument("--keep", type=Path, metavar="DIR", help="keep config, state and exports in this folder")
    demo.add_argument("--port", type=_port, default=0, help="where its GoSweetSpot listens (default: any free port)")


def _init(commands: Any) -> None:
    init = _command(
        commands, "init", "write the file of a new store",
        "Asks what it needs to know where a terminal is there and an option is not given. It overwrites nothing and "
        "asks for no secret: a store file only says where each key is kept (env:NAME, file:PATH or "
        "keyring:SERVICE/NAME), and init says which are still to be put there.",
        "  connector init kiwi\n"
        "  connector init kiwi --source woocommerce --shop https://kiwi.example\n"
        "  connector init kiwi --source shopify --shop kiwi.myshopify.com --client-id 4f2c...\n"
        "  connector init kiwi --path 'exports/*.csv' --dialect shopify --key env:KIWI_GSS_KEY",
    )  # fmt: skip
    init.add_argument("name", metavar="NAME", nargs="?", help="the store's name: small letters, digits and hyphens")
    init.add_argument("--source", dest="kind", metavar="KIND", help="where orders are: woocommerce, shopify or csv")
    shop = init.add_argument_group("a live shop (its keys by reference; where left out, names are made up)")
    shop.add_argument("--shop", metavar="ADDRESS", help="such as https://kiwi.example or kiwi.myshopify.com")
    shop.add_argument("--consumer-key", metavar="REFERENCE", help="WooCommerce: where the consumer key is")
    shop.add_argument("--consumer-secret", metavar="REFERENCE", help="WooCommerce: where the consumer secret is")
    shop.add_argument("--client-id", metavar="ID", help="Shopify: the app's client ID, which is no secret")
    shop.add_argument("--client-secret", metavar="REFERENCE", help="Shopify: where the app's client secret is")
    shop.add_argument("--access-token", metavar="REFERENCE", help="Shopify, an older app: where its token is")
    exports = init.add_argument_group("export files")
    exports.add_argument("--path", help="a file, a pattern or a folder, beside the config folder")
    exports.add_argument("--dialect", help="whose export it is: shopify or woocommerce")
    gss = init.add_argument_group("GoSweetSpot")
    gss.add_argument("--key", dest="key_reference", metavar="REFERENCE", help="where the GoSweetSpot key is")
    gss.add_argument("--url", help="another GoSweetSpot than the public one, such as the sandbox")
    gss.add_argument("--site", dest="site_id", type=int, metavar="ID", help="where the key's user has several sites")
    init.add_argument("--timezone", help="the shop's time zone, such as Pacific/Auckland")


def _check(commands: Any) -> None:
    check = _command(
        commands, "check", "is everything as it should be?",
        "Looks at store files, keys, the ledger, the disk; whether each shop can be read (a live one: is it there, "
        "does it take the keys and their rights, do the clocks agree, can an order be read whole); and whether "
        "GoSweetSpot takes the key (it asks for one order that doesn't exist). Lists every problem at once, with what "
        "mends it. Changes nothing.",
        "  connector check\n"
        "  connector check kiwi --offline     ask neither live shops nor GoSweetSpot\n"
        "  connector check kiwi --public-url https://shop.example/in/kiwi   do deliveries arrive?",
    )  # fmt: skip
    _stores(check)
    check.add_argument("--offline", action="store_true", help="ask neither live shops nor GoSweetSpot")
    check.add_argument(
        "--public-url", default="", metavar="URL", help="post a signed test delivery to a store's public address"
    )


def _sync(commands: Any) -> None:
    sync = _command(
        commands, "sync", "read the shops, send what is new or changed, read back what GoSweetSpot has",
        "Run it by hand or from cron as often as you like: what was sent is never sent again, and what was read is "
        "never lost, whenever it is interrupted. Ctrl-C finishes the call under way and leaves.",
        "  connector sync\n"
        "  connector sync kiwi --dry-run      what would be sent, and what differs from what GoSweetSpot has\n"
        "  connector sync kiwi --from-start   after a change of [select] or [slip]: look at every order again",
    )  # fmt: skip
    _stores(sync)
    sync.add_argument("--dry-run", action="store_true", help="show what would be done; send nothing, record nothing")
    sync.add_argument("--all", action="store_true", help="with --dry-run: every order of the shop, unchanged ones too")
    sync.add_argument("--sweep", action="store_true", help="look at every open order of the shop now, changed or not")
    sync.add_argument("--from-start", action="store_true", help="read the shop from its beginning; nothing is doubled")


def _run(commands: Any) -> None:
    run = _command(
        commands, "run", "keep all stores in step, day and night",
        "Reads each shop on the rhythm of its [schedule], at once when a delivery comes in, and sends what is owed, "
        "each GoSweetSpot key by one sender whose stores take turns. SIGTERM and Ctrl-C finish the calls under way and "
        "leave within ten seconds; SIGHUP, or a changed store file, reloads the store files. One daemon to a state "
        "folder; connector sync and the other commands work beside it.",
        "  connector run\n"
        "  connector run --listen 127.0.0.1:8787   take signed deliveries; /health, /ready and /metrics",
    )  # fmt: skip
    run.add_argument("--listen", default="", metavar="HOST:PORT", help="take deliveries, and tell health and metrics")
    run.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="wait so long for another daemon to end"
    )


def _status(commands: Any) -> None:
    status = _command(
        commands, "status", "what waits for a person, and where everything stands",
        "First what needs somebody, with the command that mends it; then each store: its slips by state, what is "
        "owed, the last run, the calls left. Reads the ledger only.",
        "  connector status\n  connector status kiwi --json",
    )  # fmt: skip
    _stores(status)


def _slips(commands: Any) -> None:
    slips = _command(
        commands, "slips", "list packing slips, look at one, hold it, let it go",
        "Alone it lists the slips that wait for a person. A slip is named by its number, or by its order's number or "
        "id.",
        "  connector slips\n"
        "  connector slips list confirmed --limit 20\n"
        "  connector slips show '#1001'\n"
        "  connector slips hold '#1001' --reason 'buyer asked us to wait'\n"
        "  connector slips release '#1001'",
    )  # fmt: skip
    deeds = slips.add_subparsers(dest="deed", metavar="WHAT", parser_class=_Parser)
    listing = _deed(deeds, "list", "all slips, the one changed last first")
    # No option: --state is everywhere the folder.
    listing.add_argument("states", nargs="*", metavar="STATE", help=f"only those in these states: {', '.join(STATES)}")
    listing.add_argument("--store", help="only those of this store")
    listing.add_argument("--limit", type=_positive, default=100, metavar="N", help="at most so many (default: 100)")
    for name, summary, reason in (
        ("show", "one slip: its versions, calls and receipts", False),
        ("hold", "keep a slip from being sent until it is released", True),
        ("release", "let a held slip be sent", False),
        ("retry", "send a slip once more with the next sync", False),
        ("acknowledge", "close the alerts of a slip: somebody has seen to it", True),
    ):
        deed = _deed(deeds, name, summary)
        deed.add_argument("name", metavar="SLIP", help="its number, or its order's number or id")
        deed.add_argument("--store", help="where several stores have such a slip")
        if reason:
            deed.add_argument("--reason", type=_words, required=True, help="a few words for whoever looks at it later")
    dismissed = _deed(deeds, "dismiss", "close an alert that belongs to no slip, such as a file that couldn't be read")
    dismissed.add_argument("alert", type=_positive, metavar="ALERT", help="its number, as `connector status` shows it")
    dismissed.add_argument("--reason", type=_words, required=True, help="a few words for whoever looks at it later")


def _words(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: say in a few words why")
    return text


def _deed(deeds: Any, name: str, summary: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = deeds.add_parser(
        name, help=summary, description=_sentence(summary), parents=[_everywhere()]
    )
    return made


def _explain(commands: Any) -> None:
    explain = _command(
        commands, "explain", "the whole story of one order",
        "Where it was read, what was decided and why, what was changed on its way to a slip, each call and its "
        "answer, what GoSweetSpot showed since, and what happens next.",
        "  connector explain '#1001'\n  connector explain TF-2003 --store longdrop",
    )  # fmt: skip
    explain.add_argument("name", metavar="ORDER", help="an order's number or id, or a slip number")
    explain.add_argument("--store", help="where several stores have such an order")


def _sandbox(commands: Any) -> None:
    sandbox = _command(
        commands, "sandbox", "a stand-in for GoSweetSpot on this machine",
        "Takes orders as GoSweetSpot would, shows them on a page where labels can be printed, and breaks calls on "
        "demand. For trying things out; nothing reaches GoSweetSpot.",
        "  connector sandbox\n  connector sandbox --port 0 --data sandbox.db     any free port, orders kept",
    )  # fmt: skip
    sandbox.add_argument("--port", type=_port, default=8750, help="0 takes a free one (default: %(default)s)")
    sandbox.add_argument("--data", type=Path, metavar="FILE", help="keep orders in this file (default: in memory)")
    sandbox.add_argument(
        "--latency-ms", type=float, default=0.0, metavar="N", help="how long every call takes at least"
    )


def _ledger(commands: Any) -> None:
    ledger = _command(
        commands, "ledger", "back up, restore, tidy, check and query the ledger",
        "The ledger is an SQLite file; queries can't change it. `backup` is the only safe way to copy it while it is "
        "in use, and `restore` the safe way to put a copy in its place.",
        "  connector ledger backup ledger-monday.db\n"
        "  connector ledger tidy --backups backups --keep 14\n"
        "  connector ledger restore backups/ledger-2026-11-23T033000Z.db\n"
        "  connector ledger check\n"
        "  connector ledger tables\n"
        "  connector ledger query \"SELECT state, count(*) FROM orders GROUP BY state\"",
    )  # fmt: skip
    deeds = ledger.add_subparsers(dest="deed", metavar="WHAT", required=True, parser_class=_Parser)
    _deed(deeds, "backup", "write a sound copy").add_argument("file", type=Path, metavar="FILE", help="where to")
    restore = _deed(deeds, "restore", "put a backup in the ledger's place; the old one is kept aside")
    restore.add_argument("file", type=Path, metavar="BACKUP", help="made by `ledger backup` or `ledger tidy`")
    tidy = _deed(
        deeds, "tidy", "the day's housekeeping: check, back up and try the backup, forget what is over long since"
    )
    tidy.add_argument("--backups", type=Path, metavar="DIR", help="make a backup in this folder (default: none)")
    tidy.add_argument("--keep", type=_positive, default=7, metavar="N", help="so many backups stay (default: 7)")
    _deed(deeds, "fence", "which stores may not send after a restore, why, and what is missing")
    lift = _deed(deeds, "lift-fence", "say that no other machine sends from a copy of this ledger")
    lift.add_argument("--reason", type=_words, required=True, help="how you know, for whoever looks at it later")
    _deed(deeds, "adopt", "before the first sync: take what GoSweetSpot has already as known")
    _deed(deeds, "check", "is the file sound?")
    _deed(deeds, "tables", "names and sizes of its tables")
    _deed(deeds, "query", "ask it in SQL").add_argument("sql", metavar="SQL", help="one SELECT")


def _inbox(commands: Any) -> None:
    inbox = _command(
        commands, "inbox", "deliveries (webhooks) of shops: list, look at one, look again, receive them apart",
        "Deliveries are on disk before they are answered, and wait in the inbox until the daemon has looked at them. "
        "`serve` receives them in a process of its own, which holds no key but those of [inbox]; "
        "`connector run --listen` does the same inside the daemon.",
        "  connector inbox list\n"
        "  connector inbox list quarantined --store kiwi\n"
        "  connector inbox show 41\n"
        "  connector inbox replay 41\n"
        "  connector inbox serve --listen 127.0.0.1:8787",
    )  # fmt: skip
    deeds = inbox.add_subparsers(dest="deed", metavar="WHAT", required=True, parser_class=_Parser)
    listing = _deed(deeds, "list", "deliveries, the newest first")
    listing.add_argument("states", nargs="*", metavar="STATE", help=f"only these: {', '.join(DELIVERY_STATES)}")
    listing.add_argument("--store", help="only those of this store")
    listing.add_argument("--limit", type=_positive, default=100, metavar="N", help="at most so many (default: 100)")
    show = _deed(deeds, "show", "one delivery: what came, and what became of it")
    show.add_argument("--body", action="store_true", help="its body too, which holds its buyer's name and address")
    replay = _deed(deeds, "replay", "have the daemon look at a delivery again")
    for deed in (show, replay):
        deed.add_argument("delivery", type=_positive, metavar="ID", help="its number, as `connector inbox list` has it")
    serve = _deed(deeds, "serve", "receive deliveries until Ctrl-C or SIGTERM; SIGHUP reads the store files anew")
    serve.add_argument("--listen", default="127.0.0.1:8787", metavar="HOST:PORT", help="where (default: %(default)s)")
    serve.add_argument(
        "--host", action="append", default=[], metavar="NAME", help="only requests to this host; may stand repeatedly"
    )
    serve.add_argument("--quota", type=_positive, default=500, metavar="MB", help="the inbox at most (default: 500)")


def _privacy(commands: Any) -> None:
    privacy = _command(
        commands, "privacy", "where data about somebody is, and taking it out",
        "For people who ask what is held about them, or want it gone. Orders lose their names and addresses by "
        "themselves some time after they are over ([keep] in the store file).",
        "  connector privacy find 'Aroha Example'\n"
        "  connector privacy find aroha@example.nz --backups backups\n"
        "  connector privacy erase '#1001' '#1002'\n"
        "  connector privacy report --backups backups",
    )  # fmt: skip
    deeds = privacy.add_subparsers(dest="deed", metavar="WHAT", required=True, parser_class=_Parser)
    find = _deed(deeds, "find", "where somebody's data is, and since when")
    find.add_argument("name", metavar="WORDS", help="a name, e-mail address, telephone or order number")
    erase = _deed(deeds, "erase", "take the data about people out of orders; what may still ship is done after that")
    erase.add_argument("orders", nargs="+", metavar="ORDER", help="an order's number or id, or a slip number")
    erase.add_argument("--store", help="where several stores have such an order")
    report = _deed(deeds, "report", "what is held, since when, and who can read it, without any of it")
    for deed in (find, report):
        deed.add_argument("--backups", type=Path, metavar="DIR", help="look into the backups of this folder too")


def _completion(commands: Any) -> None:
    completion = _command(
        commands, "completion", "print what makes a shell complete these commands",
        "Put it where your shell looks for completions.",
        "  connector completion bash > ~/.local/share/bash-completion/completions/connector",
    )  # fmt: skip
    completion.add_argument("shell", choices=("bash", "zsh"), metavar="SHELL", help="bash or zsh")


def _positive(text: str) -> int:
    return _within(text, 1, None, "a number from 1 on")


def _port(text: str) -> int:
    return _within(text, 0, 65_535, "a port: 0 to 65535")


def _within(text: str, least: int, most: int | None, what: str) -> int:
    with suppress(ValueError):
        if (number := int(text)) >= least and (most is None or number <= most):
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not {what}")


_ADDED_BY: Final[dict[str, Callable[[Any], None]]] = {
    "demo": _demo,
    "init": _init,
    "check": _check,
    "sync": _sync,
    "run": _run,
    "status": _status,
    "slips": _slips,
    "explain": _explain,
    "sandbox": _sandbox,
    "ledger": _ledger,
    "inbox": _inbox,
    "privacy": _privacy,
    "completion": _completion,
}
"""What each command's grammar is made by, in the order of the help."""
