"""`python -m connector.sandbox`: the sandbox as a process of its own. Knows the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from connector.sandbox.options import DEFAULT_KEY, NotLoopbackError, Options
from connector.sandbox.server import serve
from connector.sandbox.store import StoreError


def main(arguments: list[str] | None = None) -> int:
    """Run it; 0 when stopped, 2 when it cannot start."""
    asked = _parser().parse_args(arguments)
    try:
        options = Options(
            host=asked.host,
            port=asked.port,
            data=asked.data,
            keys=dict(asked.key or [(DEFAULT_KEY, ())]),
            tidy=not asked.untidy,
            latency_s=asked.latency_ms / 1000,
        )
        serve(options, asked.port_file)
    except (NotLoopbackError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"Port {asked.port} cannot be used ({error.strerror}). Name another with --port, 0 for any.\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m connector.sandbox",
        description="A stand-in for GoSweetSpot's customerorders, on this machine only.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8750, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--port-file", type=Path, metavar="FILE", help="write the port there once it answers")
    parser.add_argument("--data", type=Path, metavar="FILE", help="keep orders in this file (default: in memory)")
    parser.add_argument(
        "--key",
        type=_key,
        action="append",
        metavar="KEY[=SITE,SITE]",
        help=f"an access key, and its sites; may be repeated (default: {DEFAULT_KEY})",
    )
    parser.add_argument("--untidy", action="store_true", help="keep text as it was sent")
    parser.add_argument("--latency-ms", type=float, default=0.0, metavar="N", help="how long every call takes at least")
    return parser


def _key(text: str) -> tuple[str, tuple[str, ...]]:
    key, _, sites = text.partition("=")
    return key, tuple(site for site in sites.split(",") if site)


if __name__ == "__main__":
    sys.exit(main())
