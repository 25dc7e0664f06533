"""The sandbox described as OpenAPI 3.1, made from the types it reads with. Knows no server.

Sources: the API page for PUT, gosweetspot-api.md 1.4 and 1.5 for GET and DELETE.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from connector import __version__
from connector.sandbox.faults import AnyFault
from connector.sandbox.operator import ACTIONS, Named
from connector.sandbox.state import Row
from connector.sandbox.tidy import FIELDS

_MEANINGS: Final = {
    "packingslipno": "unique order number of the source system; found in any case, spaces around it aside",
    "consignee": "recipient's name",
    "address1": "building identifier, like Level 1, Fisher House",
    "address2": "street",
    "suburb": "suburb",
    "city": "city, or the abbreviated state where the country has states",
    "postcode": "may be empty for New Zealand",
    "country": "ISO alpha-2 code",
    "delvref": "order number or customer's reference",
    "delvinstructions": "printed on the label",
    "contactname": "optional",
    "contactphone": "optional",
    "email": "optional, for track and trace",
}
"""The thirteen fields, in the words of the API page, shortened."""

_ACTION_SUMMARIES: Final = {
    "ticket": "Print the label: processed, with a ticket number and a tracking link",
    "untick": "Delete the label: pending again, unless it was picked up",
    "pick": "The courier picks it up",
    "deliver": "The courier delivers it",
    "delete": "Delete a pending order by hand",
    "edit": "Change fields of a pending order by hand; the next PUT replaces them",
}


def description() -> dict[str, Any]:
    """The whole OpenAPI document."""
    (fault, named, row), components = msgspec.json.schema_components(
        [AnyFault, Named, Row], ref_template="#/components/schemas/{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "GoSweetSpot sandbox",
            "version": __version__,
            "description": "A stand-in for GoSweetSpot's customerorders, on this machine only. Not GoSweetSpot's own.",
        },
        "paths": {"/api/customerorders": _api(row), **_operator(fault, named)},
        "components": {
            "schemas": {**components, "Order": _order(), "Result": _result(), "Message": _message()},
            "securitySchemes": {
                "access_key": {"type": "apiKey", "in": "header", "name": "access_key"},
                "site_id": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "site_id",
                    "description": "Needed when the key's user has several sites.",
                },
            },
        },
    }


def _api(row: dict[str, Any]) -> dict[str, Any]:
    numbers = _parameter("packingslipno", "comma list of numbers; # is sent as %23", {"type": "string"})
    date = {"type": "string", "examples": ["2026-02-15", "2026-02-15 07:26:15Z", "Monday, 15 February 2016 7:26:15 AM"]}
    return {
        "put": {
            "summary": "Create orders, or update pending ones",
            "description": "New is created, pending is replaced, deleted is created anew; processed answers "
            '`result: false`, "already processed". Field names in any case.',
            "security": _SECURITY,
            "requestBody": _body({"type": "array", "items": _ref("Order")}),
            "responses": {
                "200": _response("One row an order, in their order", {"type": "array", "items": row}),
                "400": _response("Not a JSON array of objects", _ref("Message")),
                "401": _UNAUTHORISED,
            },
        },
        "get": {
            "summary": "Read orders and their status",
            "security": _SECURITY,
            "parameters": [
                numbers,
                _parameter("createdfrom", "UTC", date),
                _parameter("createdto", "UTC", date),
                _parameter("excludecompleted", "true: pending orders only", {"type": "boolean", "default": False}),
                _parameter("page", "from 1", {"type": "integer", "minimum": 1, "default": 1}),
                _parameter("pagesize", "orders a page", {"type": "integer", "minimum": 1, "default": 100}),
                _parameter("includeProducts", "true: with product lines", {"type": "boolean", "default": False}),
            ],
            "responses": {
                "200": _response("A page of orders", _page()),
                "400": _response("A value that isn't what its name asks for", _ref("Message")),
                "401": _UNAUTHORISED,
            },
        },
        "delete": {
            "summary": "Delete pending orders, at most 50",
            "security": _SECURITY,
            "parameters": [{**numbers, "required": True}],
            "responses": {
                "200": _response(
                    "Each number with what became of it",
                    {"type": "object", "additionalProperties": {"type": "string", "enum": list(DELETE_TEXTS)}},
                ),
                "400": _response("No packing slip numbers supplied", _ref("Message")),
                "401": _UNAUTHORISED,
                "409": _response("Over 50 numbers", _ref("Message")),
            },
        },
    }


DELETE_TEXTS: Final = (
    "Deleted.",
    "Cannot be deleted. Already deleted.",
    "Cannot be deleted. Already processed.",
    "Invalid packing slip number",
)


def _operator(fault: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    done = {"200": _response("Done", {"type": "object"})}
    listed = {"200": _response("The list", {"type": "array", "items": {"type": "object"}})}
    last = _parameter("last", "only the last so many", {"type": "integer"})
    acted = {**done, "404": _response("No such order", _ref("Message")), "409": _response("Not now", _ref("Message"))}
    paths: dict[str, Any] = {
        "/operator/orders": {
            "get": {
                "summary": "Every order as it truly is: as sent last, as stored, how often created",
                "parameters": [last],
                "responses": listed,
            }
        },
        "/operator/counts": {"get": {"summary": "Calls and orders counted since the last reset", "responses": done}},
        "/operator/requests": {
            "get": {
                "summary": "The last 1000 API calls: time, method, numbers, status, fault met",
                "parameters": [last],
                "responses": listed,
            }
        },
        "/operator/faults": {
            "get": {"summary": "Faults that still wait for calls", "responses": listed},
            "post": {"summary": "Arm a fault", "requestBody": _body(fault), "responses": done},
            "delete": {
                "summary": "Clear all faults, or one",
                "parameters": [_parameter("id", "that one", {"type": "integer"})],
                "responses": listed,
            },
        },
        "/operator/held": {"get": {"summary": "Calls of apply_later still to be carried out", "responses": listed}},
        "/operator/apply-held": {"post": {"summary": "Carry them out now", "responses": done}},
        "/operator/reset": {"post": {"summary": "Forget orders, faults, held calls, counts", "responses": done}},
    }
    for name in ACTIONS:
        post = {"summary": _ACTION_SUMMARIES[name], "requestBody": _body(named), "responses": acted}
        paths[f"/operator/{name}"] = {"post": post}
    return paths


def _order() -> dict[str, Any]:
    text = {
        name: {"type": ["string", "null"], "description": meaning}
        for name, meaning in _MEANINGS.items()
        if name != "packingslipno"
    }
    number = {"type": "string", "description": _MEANINGS["packingslipno"]}
    return {"type": "object", "required": ["packingslipno"], "properties": {"packingslipno": number, **text}}


def _result() -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    status = dict.fromkeys(("ticketnumber", "trackingurl", "Picked", "Delivered"), text)
    return {
        "type": "object",
        "properties": {
            **dict.fromkeys(FIELDS, text),
            "isrural": {"type": ["boolean", "null"]},
            "notrural": {"type": ["boolean", "null"]},
            "costcentre": text,
            "status": {
                "type": "object",
                "properties": {
                    "Status": {"type": "string", "enum": ["PENDING", "PICKED", "DELIVERED"]},
                    **status,
                    "manualticket": {"type": "boolean"},
                },
            },
            "products": {"type": "array", "items": {"type": "object"}},
        },
    }


def _page() -> dict[str, Any]:
    whole = {"type": "integer"}
    results = {"type": "array", "items": _ref("Result")}
    return {"type": "object", "properties": {"Page": whole, "PageSize": whole, "Pages": whole, "Results": results}}


def _message() -> dict[str, Any]:
    return {"type": "object", "properties": {"Message": {"type": "string"}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameter(name: str, meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": meaning, "schema": schema}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _response(meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


_SECURITY: Final[list[dict[str, list[str]]]] = [{"access_key": []}, {"access_key": [], "site_id": []}]
_UNAUTHORISED: Final = _response("access_key missing or wrong, or site_id missing or not the key's", _ref("Message"))
