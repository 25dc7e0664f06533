"""Which secrets a store needs, and which of them can't be had now. Shows none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from connector.secret import SecretError, SecretReference
from connector.store import Store


class NamedReference(NamedTuple):
    """A secret as the store file has it: its table, its key, and where it is kept."""

    table: str
    key: str
    reference: SecretReference


def secrets_of(store: Store) -> Iterator[NamedReference]:
    """The shop's secrets, in the order of its options, then GoSweetSpot's, then those of its deliveries."""
    for key, value in vars(store.source_options).items():
        if isinstance(value, SecretReference):
            yield NamedReference("source", key, value)
    yield NamedReference("gosweetspot", "access_key", store.gosweetspot.access_key)
    for key, value in vars(store.inbox).items():
        if isinstance(value, SecretReference):
            yield NamedReference("inbox", key, value)


def missing(store: Store) -> Iterator[tuple[NamedReference, SecretError]]:
    """The secrets that can't be had, each with what is wrong."""
    for secret in secrets_of(store):
        try:
            secret.reference.resolve(as_typed=secret.table == "inbox")
        except SecretError as err:
            yield secret, err
