"""The OpenAPI document as a page for people. Knows nothing but that document and docs.html."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from typing import Any, Final

_SHARED: Final = ("times", "after", "method", "numbers", "probability", "seed")
"""Fields every fault has; told once, in docs.html."""


def docs_page(openapi: dict[str, Any]) -> str:
    """docs.html with every operation and every fault of the document written in."""
    page = files("connector.sandbox").joinpath("docs.html").read_text(encoding="utf-8")
    paths = openapi["paths"].items()
    api = "".join(_operations(path, verbs) for path, verbs in paths if path.startswith("/api/"))
    operator = "".join(_operations(path, verbs) for path, verbs in paths if path.startswith("/operator/"))
    faults = "".join(_fault(schema) for schema in _fault_schemas(openapi))
    return page.replace("<!-- api -->", api).replace("<!-- operator -->", operator).replace("<!-- faults -->", faults)


def _operations(path: str, verbs: dict[str, Any]) -> str:
    return "".join(_operation(verb.upper(), path, operation) for verb, operation in verbs.items())


def _operation(verb: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"<h3><code>{escape(verb)} {escape(path)}</code></h3><p>{escape(operation['summary'])}.</p>"]
    if "description" in operation:
        parts.append(f"<p>{_prose(operation['description'])}</p>")
    if "parameters" in operation:
        parts.append(_definitions({p["name"]: p["description"] for p in operation["parameters"]}))
    answers = {status: answer["description"] for status, answer in operation["responses"].items()}
    if len(answers) > 1:
        parts.append(_definitions(answers))
    return f"<section>{''.join(parts)}</section>"


def _fault_schemas(openapi: dict[str, Any]) -> list[dict[str, Any]]:
    schemas = openapi["components"]["schemas"]
    body = openapi["paths"]["/operator/faults"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return [schemas[one["$ref"].rpartition("/")[2]] for one in body["anyOf"]]


def _fault(schema: dict[str, Any]) -> str:
    kind = schema["properties"]["kind"]["enum"][0]
    own = {name: field for name, field in schema["properties"].items() if name not in (*_SHARED, "kind")}
    example = {"kind": kind, **{name: _example(name, field) for name, field in own.items() if "default" not in field}}
    if "numbers" in schema.get("required", ()):
        example["numbers"] = ["#1001"]
    fields = ", ".join(f"<code>{escape(name)}</code>{_default(field)}" for name, field in own.items())
    return (
        f"<section><h3><code>{escape(kind)}</code></h3><p>{_prose(schema['description'])}</p>"
        + (f"<p>Its own fields: {fields}.</p>" if fields else "")
        + f"<pre>{escape(json.dumps(example))}</pre></section>"
    )


def _default(field: dict[str, Any]) -> str:
    return f" ({escape(json.dumps(field['default']))} unless given)" if "default" in field else " (needed)"


def _example(name: str, field: dict[str, Any]) -> Any:
    examples = {"location": "http://127.0.0.1:9/", "status": 429, "orders": 25, "body": "[]"}
    return examples.get(name, field.get("type"))


def _definitions(words: dict[str, str]) -> str:
    rows = (f"<dt><code>{escape(word)}</code></dt><dd>{escape(meaning)}</dd>" for word, meaning in words.items())
    return f"<dl>{''.join(rows)}</dl>"


def _prose(text: str) -> str:
    """Escaped, with what stands between backticks as code."""
    pieces = escape(" ".join(text.split())).split("`")
    return "".join(f"<code>{piece}</code>" if i % 2 else piece for i, piece in enumerate(pieces))
