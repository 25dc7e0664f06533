"""The parts of the docs that are made from the code: tables and the picture of the states. Knows no page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, get_args

from connector.arguments import parser
from connector.exit_codes import MEANING as CODES
from connector.ledger.connection import in_memory
from connector.ledger.machine import Alarm
from connector.ledger.queries import Need
from connector.ledger.states import MEANING, MOVES, State
from connector.mending import mend_of
from connector.packing_slip import LIMITS
from connector.sandbox.faults import AnyFault
from connector.sources.csv_dialects import ADDRESS, HEAD, LINE, PACKED, SHOPIFY, WOOCOMMERCE, Dialect
from connector.sources.csv_words import FULFILMENT, MEANINGS, PAYMENT, STATUS

BEGINNINGS: Final = (State.OWED, State.HELD, State.WITHDRAWN, State.LATE)
"""States a version may be born in (connector.ledger.intake): withdrawn, for an order cancelled before anything was
sent; late, for a change after the label."""

OVER: Final = (State.SUPERSEDED, State.CLOSED)
"""Nearly every state leads here; drawn, these arrows hide all others. The table beside the picture has them."""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [list(head), *(list(row) for row in rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    lines.insert(1, "|---" * len(cells[0]) + "|")
    return "\n".join(lines) + "\n"


def code(text: object) -> str:
    """As inline code in a cell of a table."""
    return f"`{text}`".replace("|", "\\|")


def states_picture() -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {state}" for state in BEGINNINGS]
    lines += [
        f"    {state} --> {after}"
        for state in State
        for after in State
        if after in MOVES[state] and after not in OVER and state not in OVER
    ]
    return "\n".join([*lines, "```"]) + "\n"


def states() -> str:
    rows = ((code(state), MEANING[state], _after(state)) for state in State)
    return table(("state", "means", "may be followed by"), rows)


def _after(state: State) -> str:
    return ", ".join(after.value for after in State if after in MOVES[state]) or "nothing"


def exit_codes() -> str:
    return table(("code", "means"), ((code(number.value), meaning) for number, meaning in CODES.items()))


def all_commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command and every deed of one, by its whole name."""
    for name, command in _choices(parser()).items():
        deeds = _choices(command)
        if not any(action.required for action in command._actions if isinstance(action, argparse._SubParsersAction)):
            yield name, command
        yield from ((f"{name} {deed}", one) for deed, one in deeds.items())


def _choices(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    subparsers = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(subparsers[0].choices) if subparsers else {}


def commands() -> str:
    everywhere = {option for action in parser()._actions for option in action.option_strings}
    rows = []
    for name, command in all_commands():
        own = [action for action in command._actions if everywhere.isdisjoint(action.option_strings)]
        words = [word for action in own if (word := _word(action))]
        rows.append((code(" ".join(["connector", name, *words])), (command.description or "").split("\n")[0]))
    return table(("command", "what it does"), rows)


def _word(action: argparse.Action) -> str:
    if isinstance(action, argparse._SubParsersAction):
        return ""
    name = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return {"*": f"[{name} ...]", "?": f"[{name}]"}.get(str(action.nargs), name)
    option = action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {name}"
    return option if action.required else f"[{option}]"


def mends() -> str:
    rows = []
    for alarm in Alarm:
        need = Need(7, "kiwi", "#1001", "#1001", alarm.value, "", "", "")
        rows.append((code(alarm.value), _quoting_commands(mend_of(need))))
    return table(("kind", "what `connector status` tells you to do"), rows)


def _quoting_commands(sentence: str) -> str:
    """Commands as code, up to the end of the sentence they stand in."""
    pieces = sentence.split("connector ")
    quoted = [f"`connector {piece.partition('. ')[0]}`{_rest(piece)}" for piece in pieces[1:]]
    return "".join([pieces[0], *quoted])


def _rest(piece: str) -> str:
    _, dot, rest = piece.partition(". ")
    return dot + rest


def columns() -> str:
    dialects = (SHOPIFY, *WOOCOMMERCE)
    names = [dialect.name.removeprefix("woocommerce-") for dialect in dialects]
    fields = [*HEAD, *ADDRESS, *LINE, PACKED]
    rows = ([code(field), *(_columns(dialect, field) for dialect in dialects)] for field in fields)
    return table(("field", *names), rows)


def _columns(dialect: Dialect, field: str) -> str:
    star = " *" if field in dialect.required else ""
    choices = dialect.columns().get(field, ())
    return " or ".join(" + ".join(code(name) for name in choice) for choice in choices) + star


def words() -> str:
    """What each word of a status column means; a word that only says itself is named once, in the last row."""
    said = (("status", STATUS), ("payment", PAYMENT), ("fulfilment", FULFILMENT))
    rows = [
        (code(word) if word else "an empty cell", kind, code(means))
        for kind, known in said
        for word, means in known.items()
    ]
    return (
        table(("word of the shop", "in a column for", "means"), rows)
        + "\nMeanings: "
        + ", ".join(map(code, MEANINGS))
        + ".\n"
    )


def limits() -> str:
    return table(("field", "at most"), ((code(field), str(most)) for field, most in LIMITS.items()))


def faults() -> str:
    rows = []
    for fault in get_args(AnyFault):
        rows.append((code(fault.kind()), _first_sentence(fault.__doc__ or ""), _own_fields(fault)))
    return table(("kind", "what happens to the call", "its own fields"), rows)


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def _own_fields(fault: Any) -> str:
    base = set(fault.__mro__[1].__struct_fields__)
    own = [name for name in fault.__struct_fields__ if name not in base]
    defaults = dict(zip(reversed(fault.__struct_fields__), reversed(fault.__struct_defaults__), strict=False))
    return ", ".join(f"{code(name)}{_default(defaults, name)}" for name in own)


def _default(defaults: dict[str, Any], name: str) -> str:
    value = defaults.get(name)
    return f" ({json.dumps(value)})" if isinstance(value, str | int | float) else ""


def ledger_tables() -> str:
    with in_memory() as ledger:
        found = ledger.db.execute(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name"
        ).fetchall()
        columns = {
            name: ledger.db.execute(f"SELECT name FROM pragma_table_info('{name}')").fetchall() for (name,) in found
        }
    return table(("table", "columns"), ((code(name), ", ".join(one for (one,) in of)) for name, of in columns.items()))


PARTS: Final[dict[str, Callable[[], str]]] = {
    "states-picture": states_picture,
    "states": states,
    "exit-codes": exit_codes,
    "commands": commands,
    "mends": mends,
    "columns": columns,
    "words": words,
    "limits": limits,
    "faults": faults,
    "ledger-tables": ledger_tables,
}
"""Every part by its name in a page."""
