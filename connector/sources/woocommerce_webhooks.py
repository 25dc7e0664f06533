"""Whether a WooCommerce shop still tells us what happens: its webhooks that point at this store. Knows no delivery.

WooCommerce switches a webhook off at the seventh failure in a row, tells nobody, and never sends what was missed
(platforms.md L15; 7, WooCommerce 7; recorded: webhook-disabled).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from connector.sources import json_body
from connector.sources.base import SourceError
from connector.sources.woocommerce_api import WooCommerceApi

TOPICS: Final = ("order.updated", "order.deleted", "order.restored")
"""What only these tell; whatever order.created tells, order.updated does too (recorded: 005, 006; 095, 096)."""


def silent(api: WooCommerceApi, store: str) -> tuple[str, ...]:
    """A sentence for each topic that is told to this store no more; none where no webhook points at it, or the key may
    not see them. Never raises."""
    try:
        found = json_body.objects(api.get("webhooks", {"per_page": "100"}).body) or []
    except SourceError:
        return ()
    ours = [hook for hook in found if isinstance(hook, dict) and _points_at(hook.get("delivery_url"), store)]
    if not ours:
        return ()
    active = {hook.get("topic") for hook in ours if hook.get("status") == "active"}
    known = {hook.get("topic") for hook in ours}
    return tuple(_sentence(api.name, topic, is_there=topic in known) for topic in TOPICS if topic not in active)


def _points_at(url: Any, store: str) -> bool:
    """By the receiver's own path, behind whatever host and folder."""
    try:
        return isinstance(url, str) and urlsplit(url).path.rstrip("/").endswith(f"/in/{store}")
    except ValueError:
        return False


def _sentence(name: str, topic: str, *, is_there: bool) -> str:
    what = f"The webhook for {topic} is switched off" if is_there else f"There is no webhook for {topic} any more"
    mend = "Set it to Active" if is_there else "Add it"
    return (
        f"{what} at {name}: changes come with the next poll or sweep only. {mend} under WooCommerce > Settings > "
        "Advanced > Webhooks, and look whether the delivery URL can be reached."
    )
