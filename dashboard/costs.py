"""What a bulk action costs, in sentences for the place where it is started."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crmsync.models import RunKind, Sync
from crmsync.sync import actions, prices


def of_retry(sync: Sync, n: int) -> list[str]:
    """What retrying so many contacts costs."""
    return _told(prices.price(sync, RunKind.RETRY, contacts=n))


def of_change(sync: Sync) -> list[str]:
    """What a change of the mapping or of what counts as the same costs; nothing where it has nobody compared."""
    if not actions.is_compared_anew(sync):
        return []
    return [_("All contacts are compared again on both sides then."), *_told(prices.price(sync, RunKind.FULL))]


def _told(price: prices.Price) -> list[str]:
    return [price.sentence, *price.warnings]
