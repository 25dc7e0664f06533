"""The commands, and nothing but: parse, call one function, show its value.

Everything else is imported where it is used: `--help` needs none of it, and no command needs all.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from connector.arguments import DELIVERY_STATES, STATES, parse
from connector.exit_codes import INTERRUPTED, Code, Failure, UsageError, failure_of, worst
from connector.handles import take_the_first_handles, write_every_letter
from connector.only_linux import refusal

if TYPE_CHECKING:
    from datetime import datetime

    from connector.show.screen import Screen


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; no error of its work leaves as an exception."""
    take_the_first_handles()
    write_every_letter()
    asked = _asked(argv)
    # Else pydantic looks through every installed package for plugins, and runs what it finds beside our keys.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if why := refusal():
        sys.stderr.write(f"connector: {why}\n")
        return Code.USAGE
    from connector.show.screen import Screen  # after --help has been answered

    screen = Screen(sys.stdout, sys.stderr, as_json=asked.json, color=not asked.no_color)
    try:
        code = _done(asked, screen)
    finally:
        screen.close()
    if screen.lost:
        screen.trouble([f"what was to be shown is lost ({screen.lost}); the work itself went on."])
    return code or (Code.WAITS if screen.lost else Code.DONE)


def _asked(argv: Sequence[str] | None) -> Namespace:
    """The command as typed; leaves with exit code 0 where its help was asked for and written, 2 where it is none."""
    try:
        return parse(argv)
    except OSError as err:
        from connector.show.screen import Screen

        screen = Screen(sys.stdout, sys.stderr)
        screen.drop(err)
        if screen.lost:
            screen.trouble([f"what was to be shown is lost ({screen.lost})."])
        raise SystemExit(Code.WAITS if screen.lost else Code.DONE) from None


def _done(asked: Namespace, screen: Screen) -> int:
    try:
        return _COMMANDS[asked.command](asked, screen)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as err:  # noqa: BLE001  a stranger's message may quote an address: none is shown
        failure = _told(asked)(err)
        screen.trouble(failure.lines)
        return failure.code


def _told(asked: Namespace) -> Callable[[Exception], Failure]:
    return lambda err: failure_of(err, trace=asked.debug)


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def sync(asked: Namespace, screen: Screen) -> Code:
    if asked.dry_run:
        return _dry_run(asked, screen)
    if asked.all:
        raise UsageError("--all goes with --dry-run; to look at every order again: connector sync --from-start")
    from connector.opening import stores_asked_for
    from connector.report import Hooks
    from connector.show.progress import watching
    from connector.show.runs import show_outcome, show_problems
    from connector.stopping import stopping_on_signals, wait
    from connector.sync_stores import sync_stores

    stores, problems = stores_asked_for(asked.config, asked.stores, secrets=True)
    outcomes = []
    with stopping_on_signals() as stopping, watching(screen) as watch:
        hooks = Hooks(_now, lambda seconds: wait(seconds, stopping), stopping, watch)
        run = sync_stores(
            stores, asked.state, hooks, from_the_start=asked.from_start, sweep=asked.sweep, failure_of=_told(asked)
        )
        for outcome in run:
            outcomes.append(outcome)
            show_outcome(screen, outcome)
    show_problems(screen, problems)
    return worst([*(outcome.code for outcome in outcomes), Code.USAGE if problems else Code.DONE])


def _dry_run(asked: Namespace, screen: Screen) -> Code:
    from connector.dry_run import dry_run
    from connector.opening import stores_asked_for
    from connector.show.plans import show_plan_part
    from connector.show.runs import show_problems

    stores, problems = stores_asked_for(asked.config, asked.stores)
    codes = [Code.USAGE if problems else Code.DONE]
    for part in dry_run(stores, asked.state, _now, from_the_start=asked.from_start or asked.all):
        codes.append(show_plan_part(screen, part, unchanged_too=asked.all))
        if not screen.is_open:
            break
    show_problems(screen, problems)
    return worst(codes)


def run(asked: Namespace, screen: Screen) -> Code:
    import sys

    from connector import log
    from connector.daemon.hardening import harden
    from connector.running import run as run_daemon

    harden()
    log.set_up(sys.stderr, as_json=True if asked.json else None)
    return run_daemon(asked.config, asked.state, log.logger(), listen=asked.listen, wait_s=asked.wait)


def status(asked: Namespace, screen: Screen) -> Code:
    from connector.show.standing import show_status
    from connector.status import status_of

    standing = status_of(asked.config, asked.state, asked.stores, _now())
    show_status(screen, standing, _now())
    return worst([Code.WAITS if standing.needs else Code.DONE, Code.USAGE if standing.problems else Code.DONE])


def slips(asked: Namespace, screen: Screen) -> Code:
    match asked.deed:
        case None:
            return _waiting_slips(asked, screen)
        case "list":
            return _list_slips(asked, screen)
        case "show":
            return _show_slip(asked, screen)
        case _:
            return _act_on_slip(asked, screen)


def _waiting_slips(asked: Namespace, screen: Screen) -> Code:
    from connector.show.standing import show_waiting
    from connector.status import status_of

    standing = status_of(asked.config, asked.state, (), _now())
    show_waiting(screen, standing, _now())
    return Code.WAITS if standing.needs else Code.DONE


def _list_slips(asked: Namespace, screen: Screen) -> Code:
    from connector.ledger import queries
    from connector.ledger.reading import reading
    from connector.show.slips import show_slips
    from connector.status import refuse_unknown

    if unknown := set(asked.states) - set(STATES):
        raise UsageError(f"no such state: {', '.join(sorted(unknown))}. There are {', '.join(STATES)}.")
    with reading(asked.state) as db:
        refuse_unknown(asked.config, [asked.store] if asked.store else [], queries.stores_known(db))
        found = queries.slips(db, asked.store, asked.states, asked.limit)
    show_slips(screen, found, asked.limit)
    return Code.DONE


def _show_slip(asked: Namespace, screen: Screen) -> Code:
    from connector.ledger import history, people
    from connector.ledger.reading import reading
    from connector.opening import zones
    from connector.show.slips import show_histories

    with reading(asked.state) as db:
        found = history.histories(db, asked.name, asked.store)
        if not found:
            raise UsageError(people.no_slip(db, asked.store, asked.name))
    show_histories(screen, found, zones(asked.config))
    return Code.DONE


def _act_on_slip(asked: Namespace, screen: Screen) -> Code:
    from connector.ledger import people
    from connector.ledger.connection import open_ledger

    now, who = _now(), _login()
    with open_ledger(asked.state, create=False) as ledger:
        match asked.deed:
            case "hold":
                said = people.hold(ledger, asked.store, asked.name, who, asked.reason, now)
            case "release":
                said = people.release(ledger, asked.store, asked.name, who, now)
            case "retry":
                said = people.retry(ledger, asked.store, asked.name, who, now)
            case "acknowledge":
                said = people.acknowledge(ledger, asked.store, asked.name, who, asked.reason, now)
            case _:
                said = people.dismiss(ledger, asked.alert, who, asked.reason, now)
    screen.value(said) if screen.as_json else screen.line(said)
    return Code.DONE


def explain(asked: Namespace, screen: Screen) -> Code:
    from connector.explain import stories
    from connector.ledger.reading import reading
    from connector.ledger.times import stamp
    from connector.opening import has_file, zones
    from connector.show.stories import show_stories
    from connector.status import shut_of

    now = _now()
    with reading(asked.state) as db:
        found = stories(
            db,
            asked.name,
            asked.store,
            stamp(now),
            lambda store: has_file(asked.config, store),
            lambda store: shut_of(asked.config, db, store, now),
        )
    show_stories(screen, found, zones(asked.config))
    return Code.DONE


def check(asked: Namespace, screen: Screen) -> Code:
    from connector.check import check as findings
    from connector.check import deliveries
    from connector.show.findings import show_finding

    codes = []
    found = (
        deliveries(asked.config, asked.stores, asked.public_url, _now)
        if asked.public_url
        else findings(asked.config, asked.state, asked.stores, _now, offline=asked.offline)
    )
    for finding in found:
        show_finding(screen, finding)
        codes.append(finding.code)
    return worst(codes)


def init(asked: Namespace, screen: Screen) -> Code:
    from connector.first_store import write_first_store
    from connector.show.first_store import show_first_store

    given = {key: str(value) for key in _SAID if (value := getattr(asked, key)) is not None}
    try:
        store = write_first_store(asked.config, given, screen.line if sys.stdin.isatty() else None, input)
    except EOFError:  # Ctrl-D at a question
        raise UsageError("no answer came, so nothing was written. Run it again when you know.") from None
    show_first_store(screen, store)
    return Code.DONE


_SAID = (
    "name", "kind", "path", "dialect", "shop", "consumer_key", "consumer_secret", "access_token", "client_id",
    "client_secret", "key_reference", "url", "site_id", "timezone",
)  # fmt: skip
"""What `init` may be told by options (connector.first_questions)."""


def ledger(asked: Namespace, screen: Screen) -> Code:
    from connector.ledger import asking
    from connector.show.rows import show_rows

    match asked.deed:
        case "backup":
            return _back_up(asked, screen)
        case "check":
            return _check_ledger(asked, screen)
        case "restore" | "tidy" | "fence" | "lift-fence" | "adopt":
            return _keep_ledger(asked, screen)
        case "tables":
            show_rows(screen, ({"name": table.name, "rows": table.rows} for table in asking.tables(asked.state)))
        case _:
            show_rows(screen, asking.answers(asked.state, asked.sql))
    return Code.DONE


def _back_up(asked: Namespace, screen: Screen) -> Code:
    from connector.ledger.backup import back_up, refuse_to_overwrite
    from connector.ledger.connection import open_ledger

    refuse_to_overwrite(asked.file)
    with open_ledger(asked.state, create=False) as ledger:
        target = back_up(ledger, asked.file)
    screen.value(str(target)) if screen.as_json else screen.line(f"{target} is written, synced and checked.")
    return Code.DONE


def _check_ledger(asked: Namespace, screen: Screen) -> Code:
    from connector.check import ledger as findings
    from connector.show.findings import show_finding

    codes = []
    for finding in findings(asked.state, _now(), whole=True):
        show_finding(screen, finding)
        codes.append(finding.code)
    return worst(codes)


def _keep_ledger(asked: Namespace, screen: Screen) -> Code:
    from connector.keeping import deeds
    from connector.show import keeping as show

    match asked.deed:
        case "restore":
            show.show_restored(screen, deeds.restore(asked.config, asked.state, asked.file, _now()))
            return Code.DONE
        case "tidy":
            done = deeds.tidy(asked.config, asked.state, asked.backups, asked.keep, _now())
            show.show_tidied(screen, done)
            return Code.UNREACHED if done.problems else Code.DONE
        case "fence":
            standing = deeds.fence_standing(asked.state)
            show.show_fence(screen, standing)
            return Code.WAITS if standing.asks else Code.DONE
        case "lift-fence":
            said = deeds.lift_fence(asked.state, _login(), asked.reason, _now())
        case _:
            said = deeds.adopt(asked.state, _now())
    screen.value(said) if screen.as_json else screen.line(said)
    return Code.DONE


def inbox(asked: Namespace, screen: Screen) -> Code:
    from connector.inbox.box import Inbox
    from connector.show import inbox as show

    if asked.deed == "serve":
        return _receive(asked, screen)
    if asked.deed == "list" and (unknown := set(asked.states) - set(DELIVERY_STATES)):
        raise UsageError(f"no such state: {', '.join(sorted(unknown))}. There are {', '.join(DELIVERY_STATES)}.")
    with Inbox.open(asked.state, create=False) as box:
        if asked.deed == "list":
            show.show_deliveries(screen, box, asked.store, asked.states, asked.limit)
            return Code.DONE
        found = box.one(asked.delivery)
        if found is None:
            raise UsageError(f"there is no delivery {asked.delivery}. `connector inbox list` lists them.")
        if asked.deed == "show":
            show.show_delivery(screen, found, body=asked.body)
        elif box.replay(found.id):
            show.say(screen, f"delivery {found.id} waits again; the daemon looks at it at once, where it runs")
        else:
            raise UsageError(f"delivery {found.id} was erased: there is nothing left to look at.")
    return Code.DONE


def _receive(asked: Namespace, screen: Screen) -> Code:
    from connector.daemon.hardening import harden
    from connector.web.apart import receive

    harden()
    receive(
        asked.config, asked.state, screen.line, listen=asked.listen, hosts=asked.host, quota=asked.quota * 1_000_000
    )
    return Code.DONE


def privacy(asked: Namespace, screen: Screen) -> Code:
    from connector.keeping import deeds
    from connector.show import keeping as show

    match asked.deed:
        case "find":
            show.show_found(screen, deeds.find(asked.state, asked.name, asked.backups))
        case "report":
            show.show_account(screen, deeds.report(asked.state, asked.backups))
        case _:
            done = deeds.erase(asked.state, asked.orders, asked.store, _login(), _now())
            show.show_erased(screen, done)
            return Code.WAITS if any(one.later for one in done) else Code.DONE
    return Code.DONE


def sandbox(asked: Namespace, screen: Screen) -> Code:
    from connector.sandbox.options import Options
    from connector.sandbox.server import serve
    from connector.sandbox.store import StoreError

    try:
        serve(Options(port=asked.port, data=asked.data, latency_s=asked.latency_ms / 1000))
    except StoreError as err:
        raise UsageError(str(err)) from err
    except OSError as err:
        raise UsageError(f"port {asked.port} can't be used ({err.strerror}); --port 0 takes any free one") from err
    return Code.DONE


def completion(asked: Namespace, screen: Screen) -> Code:
    import shtab

    from connector.arguments import parser

    screen.program(shtab.complete(parser(), asked.shell))
    return Code.DONE


def demo(asked: Namespace, screen: Screen) -> Code:
    from connector.demo import demo as show

    return show(screen, asked.keep, asked.port)


def _login() -> str:
    """Who is at the keyboard, for the ledger's list of what people did."""
    import getpass
    import os

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        return f"user {os.getuid()}"


_COMMANDS: dict[str, Callable[[Namespace, Screen], Code]] = {
    "demo": demo,
    "init": init,
    "check": check,
    "sync": sync,
    "run": run,
    "status": status,
    "slips": slips,
    "explain": explain,
    "sandbox": sandbox,
    "ledger": ledger,
    "inbox": inbox,
    "privacy": privacy,
    "completion": completion,
}

if __name__ == "__main__":
    sys.exit(main())
