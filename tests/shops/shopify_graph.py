"""Answers GraphQL over plain dicts, as Shopify's Admin API words its answers and its refusals. Knows no order.

A query is parsed and checked against the schema once, then walked for each call: fields come out of dicts by name,
lists under a connection are paged. What a dict does not hold is null.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    VariableNode,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
    print_ast,
    validate,
    value_from_ast,
)
from graphql.execution.values import get_variable_values

View = dict[str, Any]

SCHEMA_FILE: Final = Path(__file__).with_name("shopify.graphql")


class RefusedError(Exception):
    """The whole query is refused with these errors, in Shopify's words."""

    def __init__(self, errors: list[View], data: Any = msgspec.UNSET) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors
        self.data = data


def refusal(message: str, code: str = "", **extensions: Any) -> RefusedError:
    """One error, with `extensions.code` where there is a code."""
    error: View = {"message": message}
    if code:
        error["extensions"] = {"code": code, **extensions}
    return RefusedError([error])


class Chosen(msgspec.Struct, frozen=True, eq=False):
    """One field of a selection: where it goes, what it is, and what is chosen inside."""

    key: str
    name: str
    field: GraphQLField
    parent: str
    given: tuple[tuple[str, Any], ...]
    when: tuple[tuple[bool, Any], ...]
    inside: Selection | None
    is_list: bool
    is_connection: bool
    is_required: bool
    position: tuple[int, int]


class Selection(msgspec.Struct, frozen=True, eq=False):
    """What is chosen of an object, by the name of its type; `variables` are those that it or its inside uses."""

    serial: int
    type_name: str
    by_type: dict[str, tuple[Chosen, ...]]
    variables: tuple[str, ...]

    def of(self, type_name: str) -> tuple[Chosen, ...]:
        return self.by_type.get(type_name) or self.by_type.get(self.type_name, ())


class Query(msgspec.Struct, frozen=True, eq=False):
    """A checked query."""

    operation: OperationDefinitionNode
    root: Selection


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA_FILE.read_text(encoding="utf-8"))


@lru_cache(maxsize=256)
def checked(text: str, operation_name: str | None) -> Query | tuple[View, ...]:
    """The query ready to be walked, or the errors that Shopify would answer."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return ({"message": _syntax(error), "locations": _locations(error)},)
    errors = validate(schema(), document)
    if errors:
        return tuple(_as_shopify(error) for error in errors)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    named = [node for node in operations if operation_name is None or (node.name and node.name.value == operation_name)]
    if len(named) != 1:
        return ({"message": f'No operation named "{operation_name or ""}"'},)
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    root = schema().query_type
    assert root is not None
    return Query(named[0], _Compiler(fragments).selection(root, [named[0].selection_set]))


def variable_values(query: Query, given: Mapping[str, Any]) -> dict[str, Any]:
    """The query's variables with their defaults; raises RefusedError in Shopify's words."""
    values = get_variable_values(schema(), query.operation.variable_definitions or (), dict(given))
    if isinstance(values, list):
        raise RefusedError([_variable_error(error, query) for error in values])
    coerced: Any = getattr(values, "coerced", values)
    return dict(coerced)


def arguments(chosen: Chosen, variables: Mapping[str, Any]) -> View:
    """The field's arguments with their defaults, as Python values."""
    values: View = {}
    for name, given in chosen.given:
        value = variables.get(given.name.value, Undefined) if isinstance(given, VariableNode) else given
        if value is not Undefined:
            values[name] = value
    return values


def is_wanted(chosen: Chosen, variables: Mapping[str, Any]) -> bool:
    """Whether @include and @skip leave the field in."""
    return all(bool(variables.get(test, test) if isinstance(test, str) else test) is want for want, test in chosen.when)


class _Compiler:
    """Turns selection sets into Selections; a fragment is laid out where it is used."""

    _serial = 0

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments

    def selection(self, type_: GraphQLNamedType, sets: Sequence[SelectionSetNode]) -> Selection:
        concrete: list[GraphQLObjectType] = (
            list(schema().get_possible_types(type_))
            if isinstance(type_, GraphQLInterfaceType)
            else [type_]
            if isinstance(type_, GraphQLObjectType)
            else []
        )
        by_type = {each.name: self._chosen(each, sets) for each in concrete}
        names = {name for chosen in by_type.values() for each in chosen for name in _variables(each)}
        _Compiler._serial += 1
        return Selection(_Compiler._serial, type_.name, by_type, tuple(sorted(names)))

    def _chosen(self, type_: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> tuple[Chosen, ...]:
        gathered: dict[str, list[tuple[FieldNode, tuple[tuple[bool, Any], ...]]]] = {}
        for each in sets:
            for node, when in self._fields(type_, each, ()):
                gathered.setdefault(node.alias.value if node.alias else node.name.value, []).append((node, when))
        return tuple(self._one(type_, key, nodes) for key, nodes in gathered.items())

    def _fields(
        self, type_: GraphQLObjectType, chosen: SelectionSetNode, when: tuple[tuple[bool, Any], ...]
    ) -> Iterator[tuple[FieldNode, tuple[tuple[bool, Any], ...]]]:
        for node in chosen.selections:
            tests = (*when, *_tests(node))
            if isinstance(node, FieldNode):
                yield node, tests
                continue
            fragment: Any = node
            if isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
            assert isinstance(fragment, InlineFragmentNode | FragmentDefinitionNode)
            on = fragment.type_condition
            if on is None or _applies(on.name.value, type_):
                yield from self._fields(type_, fragment.selection_set, tests)

    def _one(
        self, type_: GraphQLObjectType, key: str, nodes: list[tuple[FieldNode, tuple[tuple[bool, Any], ...]]]
    ) -> Chosen:
        node, when = nodes[0]
        name = node.name.value
        field = TYPENAME if name == "__typename" else type_.fields[name]
        named = get_named_type(field.type)
        sets = [each.selection_set for each, _ in nodes if each.selection_set]
        bare = field.type.of_type if is_non_null_type(field.type) else field.type
        return Chosen(
            key=key,
            name=name,
            field=field,
            parent=type_.name,
            given=(*_defaults(field), *_given(field, node)),
            when=when if len(nodes) == 1 else (),
            inside=None if is_leaf_type(named) else self.selection(named, sets),
            is_list=is_list_type(bare),
            is_connection=named.name.endswith("Connection"),
            is_required=is_non_null_type(field.type),
            position=_position(node),
        )


def _defaults(field: GraphQLField) -> Iterator[tuple[str, Any]]:
    for name, argument in field.args.items():
        if argument.ast_node and argument.ast_node.default_value:
            yield name, value_from_ast(argument.ast_node.default_value, argument.type)


def _given(field: GraphQLField, node: FieldNode) -> Iterator[tuple[str, Any]]:
    for argument in node.arguments or ():
        name = argument.name.value
        if isinstance(argument.value, VariableNode):
            yield name, argument.value
        elif any(isinstance(each, VariableNode) for each in getattr(argument.value, "values", ())):
            raise NotImplementedError("a variable inside a list")
        else:
            yield name, value_from_ast(argument.value, field.args[name].type)


def _variables(chosen: Chosen) -> Iterator[str]:
    yield from (given.name.value for _, given in chosen.given if isinstance(given, VariableNode))
    yield from (test for _, test in chosen.when if isinstance(test, str))
    if chosen.inside:
        yield from chosen.inside.variables


def _tests(node: Any) -> Iterator[tuple[bool, Any]]:
    for directive in node.directives or ():
        value = directive.arguments[0].value
        test = value.name.value if isinstance(value, VariableNode) else value.value
        yield directive.name.value == "include", test


def _applies(name: str, type_: GraphQLObjectType) -> bool:
    return name == type_.name or any(each.name == name for each in type_.interfaces)


def _position(node: FieldNode) -> tuple[int, int]:
    assert node.loc
    start = node.loc.start_token
    return start.line, start.column


def _locations(error: GraphQLError) -> list[View]:
    return [{"line": each.line, "column": each.column} for each in error.locations or ()]


def _syntax(error: GraphQLError) -> str:
    at = "".join(f" at [{place.line}, {place.column}]" for place in (error.locations or ())[:1])
    return f"syntax error, unexpected {error.message.rpartition(' ')[2].rstrip('.')}{at}"


_NO_FIELD: Final = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'")
_NO_ARGUMENT: Final = re.compile(r"Unknown argument '(\w+)' on field '(\w+)\.(\w+)'")
_NO_INSIDE: Final = re.compile(r"Field '(\w+)' of type '([^']+)' must have a selection of subfields")
_UNUSED: Final = re.compile(r"Variable '\$(\w+)' is never used(?: in operation '(\w+)')?")
_MISSING_ARGUMENT: Final = re.compile(r"Argument '\w+\.(\w+)\((\w+):\)' of type '[^']+' is required")


def _as_shopify(error: GraphQLError) -> View:
    """A finding of ours in the words of the Ruby library that Shopify answers with."""
    message, extensions = _in_ruby(error.message)
    told: View = {"message": message, "locations": _locations(error)}
    names = [node.name.value for node in error.nodes or () if isinstance(node, FieldNode)]
    told["path"] = ["query", *names]
    told["extensions"] = extensions
    return told


def _in_ruby(message: str) -> tuple[str, View]:
    if found := _NO_FIELD.search(message):
        field, type_ = found.groups()
        said = f"Field '{field}' doesn't exist on type '{type_}'"
        return said, {"code": "undefinedField", "typeName": type_, "fieldName": field}
    if found := _NO_ARGUMENT.search(message):
        argument, _, field = found.groups()
        said = f"Field '{field}' doesn't accept argument '{argument}'"
        return said, {"code": "argumentNotAccepted", "name": field, "typeName": "Field", "argumentName": argument}
    if found := _NO_INSIDE.search(message):
        field, type_ = found.group(1), found.group(2).strip("!")
        said = (
            f"Field must have selections (field '{field}' returns {type_} but has no selections. "
            f"Did you mean '{field} {{ ... }}'?)"
        )
        return said, {"code": "selectionMismatch", "nodeName": f"field '{field}'", "typeName": type_}
    if found := _UNUSED.search(message):
        name, operation = found.groups()
        said = f"Variable ${name} is declared by {operation or 'anonymous query'} but not used"
        return said, {"code": "variableNotUsed", "variableName": name}
    if found := _MISSING_ARGUMENT.search(message):
        field, argument = found.groups()
        said = f"Field '{field}' is missing required arguments: {argument}"
        return said, {"code": "missingRequiredArguments", "className": "Field", "name": field, "arguments": argument}
    return message, {"code": "invalid"}


def _variable_error(error: GraphQLError, query: Query) -> View:
    """As public recordings of Shopify's refusals have it, `extensions.code` INVALID_VARIABLE."""
    found = re.search(r"Variable '\$(\w+)'", error.message)
    name = found.group(1) if found else ""
    types = {each.variable.name.value: print_ast(each.type) for each in query.operation.variable_definitions or ()}
    problem = {"path": [], "explanation": error.message.partition("; ")[2] or "Expected value to not be null"}
    return {
        "message": f"Variable ${name} of type {types.get(name, '?')} was provided invalid value",
        "locations": _locations(error),
        "extensions": {"code": "INVALID_VARIABLE", "value": None, "problems": [problem]},
    }


def _typename_field() -> GraphQLField:
    from graphql import GraphQLNonNull, GraphQLString

    return GraphQLField(GraphQLNonNull(GraphQLString))


TYPENAME: Final = _typename_field()


Resolver = Callable[[View, View], Any]


class Walk:
    """One answer being made. resolvers  by (type, field); called with the object and the arguments

    kept   where rendered pieces of an object are remembered, and what else they depend on; None: they are not
    sized  how many rows' cost is taken for so many rows; free  types that cost nothing
    cost   points so far
    """

    def __init__(
        self,
        variables: Mapping[str, Any],
        resolvers: Mapping[tuple[str, str], Resolver],
        kept: Callable[[View], tuple[dict[Any, tuple[msgspec.Raw, int]], Any] | None],
        sized: Callable[[int], int],
        free: frozenset[str],
    ) -> None:
        self._variables = variables
        self._resolvers = resolvers
        self._kept = kept
        self._sized = sized
        self._free = free
        self.cost = 0

    def object(self, selection: Selection, view: View, type_name: str) -> Any:
        """The chosen fields of an object; rendered once for each state of an order."""
        kept = self._kept(view)
        if kept is None:
            return self._object(selection, view, type_name)
        cache, epoch = kept
        key = (selection.serial, epoch, *(_hashable(self._variables.get(name)) for name in selection.variables))
        found = cache.get(key)
        if found is None:
            before = self.cost
            raw = msgspec.Raw(msgspec.json.encode(self._object(selection, view, type_name)))
            found = cache[key] = (raw, self.cost - before)
        else:
            self.cost += found[1]
        return found[0]

    def _object(self, selection: Selection, view: View, type_name: str) -> View:
        made: View = {}
        for chosen in selection.of(type_name):
            if not chosen.when or is_wanted(chosen, self._variables):
                made[chosen.key] = self._field(chosen, view)
        return made

    def _field(self, chosen: Chosen, view: View) -> Any:
        if chosen.name == "__typename":
            return chosen.parent
        try:
            value = self._value(chosen, view)
        except RefusedError as refused:
            for error in refused.errors:
                error.setdefault("locations", [{"line": chosen.position[0], "column": chosen.position[1]}])
                error.setdefault("path", [chosen.key])
            raise
        if chosen.inside is None:
            return value
        if isinstance(value, Rows):
            return self._connection(chosen.inside, value)
        if value is None:
            return None
        if chosen.is_list:
            return self._list(chosen, chosen.inside, value)
        return self._counted(chosen.inside, value)

    def _list(self, chosen: Chosen, inside: Selection, views: Sequence[View | None]) -> list[Any]:
        """A plain list costs as much as one of its objects; those asked for by id cost each."""
        before = self.cost
        made = [None if each is None else self._counted(inside, each) for each in views]
        if views and chosen.name != "nodes":
            self.cost = before + -(-(self.cost - before) // len(views))
        return made

    def _value(self, chosen: Chosen, view: View) -> Any:
        resolver = self._resolvers.get((chosen.parent, chosen.name))
        value = view.get(chosen.name) if resolver is None else resolver(view, arguments(chosen, self._variables))
        if chosen.is_connection and not isinstance(value, Rows):
            return page_of(value or (), arguments(chosen, self._variables))
        return value

    def _counted(self, selection: Selection, view: View) -> Any:
        if selection.type_name not in self._free:
            self.cost += 1
        return self.object(selection, view, view.get("__typename") or selection.type_name)

    def _connection(self, selection: Selection, page: Rows) -> View:
        before = self.cost
        made: View = {}
        for chosen in selection.of(selection.type_name):
            if not chosen.when or is_wanted(chosen, self._variables):
                made[chosen.key] = self._connection_field(chosen, page)
        count = len(page.views)
        rows = self.cost - before
        self.cost = before + 2 + (rows * self._sized(count) // count if count else 0)
        return made

    def _connection_field(self, chosen: Chosen, page: Rows) -> Any:
        inside = chosen.inside
        if inside is None:
            return chosen.parent
        if chosen.name == "nodes":
            return [self._counted(inside, view) for view in page.views]
        if chosen.name == "edges":
            return [self._edge(inside, view, cursor) for view, cursor in zip(page.views, page.cursors, strict=True)]
        info: View = {
            "hasNextPage": page.has_next,
            "hasPreviousPage": page.has_previous,
            "startCursor": page.cursors[0] if page.cursors else None,
            "endCursor": page.cursors[-1] if page.end is None and page.cursors else page.end or None,
            "__typename": "PageInfo",
        }
        return {each.key: info[each.name] for each in inside.of("PageInfo")}

    def _edge(self, selection: Selection, view: View, cursor: str) -> View:
        made: View = {}
        for chosen in selection.of(selection.type_name):
            if chosen.name == "cursor":
                made[chosen.key] = cursor
            elif chosen.inside is not None:
                made[chosen.key] = self._counted(chosen.inside, view)
            else:
                made[chosen.key] = chosen.parent
        return made


class Rows(msgspec.Struct, frozen=True):
    """One page of a connection. end  where the next page starts, if not after the last row; "": nowhere"""

    views: list[View]
    cursors: list[str]
    has_next: bool
    has_previous: bool
    end: str | None = None


def page_of(views: Sequence[View], given: View) -> Rows:
    """A page of a connection inside an object; its rows stand as the object has them."""
    first = size_of(given)
    rows = list(views)[::-1] if given.get("reverse") else list(views)
    start = 0
    if given.get("after") is not None:
        start = inner_position(given["after"]) + 1
    shown = rows[start : start + first]
    cursors = [inner_cursor(start + n) for n in range(len(shown))]
    return Rows(shown, cursors, start + first < len(rows), start > 0)


LARGEST_PAGE: Final = 250


def size_of(given: View) -> int:
    """`first`; raises RefusedError where it is missing or too large."""
    first = given.get("first")
    if first is None:
        raise refusal("you must provide one of first or last", "BAD_REQUEST")
    if first > LARGEST_PAGE:
        raise refusal(f"Requested {first} objects which exceeds the maximum of {LARGEST_PAGE}.", "BAD_REQUEST")
    if first < 0:
        raise refusal("first cannot be negative", "BAD_REQUEST")
    return int(first)


def inner_cursor(position: int) -> str:
    return base64.b64encode(msgspec.json.encode({"last_id": position, "last_value": str(position)})).decode()


def inner_position(cursor: str) -> int:
    try:
        return int(msgspec.json.decode(base64.b64decode(cursor, validate=True))["last_id"])
    except (ValueError, KeyError, TypeError, msgspec.DecodeError):
        raise bad_cursor() from None


def bad_cursor() -> RefusedError:
    """What Shopify says to a cursor that it cannot use (seen in several public clients)."""
    return refusal("Invalid cursor for current pagination sort.", "BAD_REQUEST")


def _hashable(value: Any) -> Any:
    return msgspec.json.encode(value) if isinstance(value, list | dict) else value
