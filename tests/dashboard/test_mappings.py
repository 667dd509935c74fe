"""The mapping of a sync, with the real fields of both (simulated) accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crmsync.models import FieldMapping, Run, RunKind, Sync
from tests.dashboard.data import make_contact

NEW = {"ghl_field": "website", "centralstation_field": "background", "name": "", "type": "", "direction": "both", "conflict": ""}


@pytest.fixture(autouse=True)
def _no_fields_of_other_tests() -> None:
    cache.clear()


@pytest.fixture
def mapped(joined: Sync) -> Sync:
    """Its website is mapped to nothing yet."""
    joined.mappings.filter(name="website").delete()
    Sync.objects.filter(pk=joined.pk).update(first_sync_done_at=timezone.now())
    return joined


def add(client: Client, sync: Sync, **values: str) -> Any:
    return client.post(reverse("mapping_add", args=[sync.pk]), {**NEW, **values})


def test_rows_have_the_labels_of_both_accounts(viewer: Client, mapped: Sync) -> None:
    rows = viewer.get(reverse("mappings", args=[mapped.pk])).context["rows"]
    assert (rows[0]["ghl"], rows[0]["centralstation"]) == ("First name", "First name")


def test_a_field_is_mapped_with_its_name_and_type(administrator: Client, mapped: Sync) -> None:
    add(administrator, mapped)
    row = FieldMapping.objects.get(ghl_field="website")
    assert (row.centralstation_field, row.name, row.type) == ("background", "Website", "text")


@pytest.mark.parametrize("field", ["ghl_field", "centralstation_field"])
def test_a_field_that_does_not_exist_is_named(administrator: Client, mapped: Sync, field: str) -> None:
    response = add(administrator, mapped, **{field: "no_such_field"})
    assert response.status_code == 422
    assert "has no field “no_such_field”" in response.content.decode()


def test_a_field_is_mapped_once(administrator: Client, mapped: Sync) -> None:
    assert add(administrator, mapped, ghl_field="firstName").status_code == 422


def test_only_fields_that_are_free_are_offered(administrator: Client, mapped: Sync) -> None:
    form = administrator.get(reverse("mapping_add", args=[mapped.pk])).context["form"]
    assert 'value="firstName"' not in str(form["ghl_field"])
    assert 'value="website"' in str(form["ghl_field"])


def test_direction_and_rule_are_changed(administrator: Client, mapped: Sync) -> None:
    row = mapped.mappings.get(name="phone")
    administrator.post(reverse("mapping_change", args=[row.pk]), {f"{row.pk}-direction": "to_ghl", f"{row.pk}-conflict": "ask"})
    row.refresh_from_db()
    assert (row.direction, row.conflict) == ("to_ghl", "ask")


def test_a_direction_that_is_none_changes_nothing(administrator: Client, mapped: Sync) -> None:
    row = mapped.mappings.get(name="phone")
    administrator.post(reverse("mapping_change", args=[row.pk]), {f"{row.pk}-direction": "sideways"})
    row.refresh_from_db()
    assert row.direction == "both"


def test_a_removed_row_is_asked_about_first(administrator: Client, mapped: Sync) -> None:
    row = mapped.mappings.get(name="phone")
    assert "The values stay as they are" in administrator.get(reverse("mapping_remove", args=[row.pk])).content.decode()
    assert mapped.mappings.filter(name="phone").exists()


def test_a_row_is_removed(administrator: Client, mapped: Sync) -> None:
    administrator.post(reverse("mapping_remove", args=[mapped.mappings.get(name="phone").pk]))
    assert not mapped.mappings.filter(name="phone").exists()


def test_any_change_has_all_contacts_compared_again(administrator: Client, mapped: Sync) -> None:
    add(administrator, mapped)
    assert Run.objects.get().kind == RunKind.FULL


@pytest.mark.parametrize("name", ["mappings", "mapping_add", "mapping_remove"])
def test_a_change_tells_its_price_first(administrator: Client, mapped: Sync, name: str) -> None:
    make_contact(mapped)
    pk = mapped.mappings.all()[0].pk if name == "mapping_remove" else mapped.pk
    shown = administrator.get(reverse(name, args=[pk])).content.decode()
    assert [text in shown for text in ("All contacts are compared again", "Requests: about 3 to GoHighLevel")] == [True, True]


def test_a_change_that_has_nobody_compared_tells_no_price(administrator: Client, mapped: Sync) -> None:
    Sync.objects.update(first_sync_done_at=None)
    assert "Requests: about" not in administrator.get(reverse("mappings", args=[mapped.pk])).content.decode()


def test_an_account_that_cannot_be_read_shows_technical_names(viewer: Client, mapped: Sync) -> None:
    mapped.ghl.set_credential("pit-revoked-long-ago")
    mapped.ghl.save()
    response = viewer.get(reverse("mappings", args=[mapped.pk]))
    assert response.context["trouble"]
    assert response.context["rows"][0]["ghl"] == "firstName"
