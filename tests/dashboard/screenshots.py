"""Screenshots of the main pages into docs/images: `make screenshots`, by hand. Not a test: pytest doesn't look for files of this name.

An installation as on a busy day (`demo`), in the tests' own database, with Debian's Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmsync.accounts import Role
from crmsync.models import FieldMapping, Sync
from crmsync.sync import fields, mappings, people
from crmsync.systems.centralstation.fields import STANDARD as CENTRALSTATION_FIELDS
from crmsync.systems.ghl.fields import STANDARD as GHL_FIELDS
from tests.dashboard.conftest import OpenPage
from tests.dashboard.data import make_user
from tests.dashboard.demo import demo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDE, PHONE = 1440, 390


def _installation() -> Sync:
    """`demo`, with what an administrator did besides; its accounts can't be asked for their fields."""
    make_user(Role.OPERATOR)
    somebody = make_user(Role.ADMINISTRATOR, "n.kern@example.com")
    sync = demo()
    fields.remember(sync.ghl, list(GHL_FIELDS))
    fields.remember(sync.centralstation, list(CENTRALSTATION_FIELDS))
    row = FieldMapping.objects.get(sync=sync, name="city")
    row.direction = FieldMapping.Direction.TO_CENTRALSTATION
    mappings.change(row, somebody)
    mappings.remove(FieldMapping.objects.get(sync=sync, name="birthday"), somebody)
    people.invite("sabine.braun@example.de", Role.VIEWER, somebody)
    return sync


def _pages(sync: Sync) -> dict[str, str]:
    contact = sync.contacts.filter(status="conflict")[0]
    return {
        "overview": "/",
        "contacts": "/contacts/",
        "contact": f"/contacts/{contact.pk}/",
        "failures": "/issues/",
        "run": f"/runs/{sync.runs.last().pk}/",  # type: ignore[union-attr]  # `demo` has some
        "reports": "/reports/",
        "mappings": f"/syncs/{sync.pk}/mappings/",
        "revision": f"/syncs/{sync.pk}/mappings/revisions/3/?to=1",
        "connection": f"/connections/{sync.ghl_id}/",
        "people": "/people/",
        "audit": "/audit/",
    }


@pytest.mark.parametrize(("suffix", "width", "scheme"), [("", WIDE, "light"), ("-dark", WIDE, "dark"), ("-phone", PHONE, "light")])
def test_take_screenshots(open_page: OpenPage, suffix: str, width: int, scheme: str) -> None:
    """All pages wide and light; the two that staff look at most also dark, and on a phone."""
    pages = _pages(_installation())
    page = open_page(Role.ADMINISTRATOR, width=width, color_scheme=scheme)
    for name, address in pages.items():
        if suffix and name not in ("overview", "contact"):
            continue
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"
        page.wait_for_load_state("networkidle")
        page.screenshot(path=IMAGES / f"{name}{suffix}.png")
