"""The story of an order, in sentences with the store's own time. Knows Story; does no work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Final

from connector.explain import Story
from connector.show.plans import receipt_sentence
from connector.show.screen import Screen
from connector.show.words import at

_STAMP: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")


def show_stories(screen: Screen, stories: Iterable[Story], zones: Mapping[str, tzinfo]) -> None:
    """Each story; zones by store, UTC where it is not known."""
    for number, story in enumerate(stories):
        if screen.as_json:
            screen.value(story)
            continue
        if number:
            screen.line()
        _show(screen, story, zones.get(story.store, UTC))


def _show(screen: Screen, story: Story, zone: tzinfo) -> None:
    part = f", part {story.part}" if story.part else ""
    slip = f", slip {story.number}" if story.number else ""
    screen.line(f"order {story.order} of {story.store} (id {story.order_id}{part}){slip}: {story.state}", "head")
    for told in story.told:
        screen.line(f"  {at(told.at, zone)}  {told.text}")
    if story.tracking_url:
        screen.line(f"  tracking: {story.tracking_url}")
    if story.slip is not None:
        screen.line("what GoSweetSpot should have", "head")
        screen.lines((f"  {field:<17}{json.dumps(value, ensure_ascii=False)}" for field, value in story.slip.items()))
    if story.receipts:
        screen.line("changed on the way from the order to the slip", "head")
        screen.lines(f"  {receipt_sentence(receipt)}" for receipt in story.receipts)
    screen.line("what comes next", "head")
    screen.lines(f"  {_in_zone(sentence, zone)}" for sentence in story.next)


def _in_zone(sentence: str, zone: tzinfo) -> str:
    return _STAMP.sub(lambda found: at(found.group(), zone), sentence)
