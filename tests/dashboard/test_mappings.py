"""The mapping of a sync, with the real fields of both (simulated) accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crmsync.models import Contact, FieldMapping, MappingRevision, Run, RunKind, Sync
from crmsync.sandbox.centralstation import CentralStation
from crmsync.sandbox.ghl import Ghl
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


def linked(sync: Sync, ghl_sandbox: Ghl, centralstation_sandbox: CentralStation) -> Contact:
    """One person in both simulated accounts."""
    here = ghl_sandbox.add_contact(firstName="Ada", companyName="Analytical Engines")
    there = centralstation_sandbox.add_contact(first_name="Ada", name="Lovelace", background="Met in 1833")
    return make_contact(sync, base={"fields": {"first name": ["Ada", "Augusta Ada"]}}, ghl_id=str(here), centralstation_id=str(there))


def test_beside_each_mapped_field_is_an_example(viewer: Client, mapped: Sync) -> None:
    make_contact(mapped, base={"fields": {"first name": ["Ada", "Augusta Ada"]}})
    assert viewer.get(reverse("mappings", args=[mapped.pk])).context["rows"][0]["examples"] == ["Ada", "Augusta Ada"]


def test_beside_each_field_to_choose_is_what_a_real_contact_has_in_it(
    administrator: Client, mapped: Sync, ghl_sandbox: Ghl, centralstation_sandbox: CentralStation
) -> None:
    mapped.mappings.filter(name="company").delete()
    linked(mapped, ghl_sandbox, centralstation_sandbox)
    form = administrator.get(reverse("mapping_add", args=[mapped.pk])).context["form"]
    assert "Company: Analytical Engines" in str(form["ghl_field"])
    assert "Background: Met in 1833" in str(form["centralstation_field"])


def check(client: Client, sync: Sync, **values: str) -> str:
    chosen = {"ghl_field": "website", "centralstation_field": "background", "direction": "both", **values}
    return client.get(reverse("mapping_check", args=[sync.pk]), chosen).content.decode()


def test_a_pair_that_fits_is_said_to_while_it_is_chosen(administrator: Client, mapped: Sync) -> None:
    assert "can be mapped; they are compared as text" in check(administrator, mapped)


def test_a_text_onto_a_date_is_said_at_once_with_why(administrator: Client, mapped: Sync) -> None:
    assert "takes dates only" in check(administrator, mapped, ghl_field="companyName", centralstation_field="birthday")


def test_what_goes_one_way_only_is_advised_to(administrator: Client, mapped: Sync) -> None:
    said = check(administrator, mapped, ghl_field="dateOfBirth", centralstation_field="background")
    assert "It can go to CentralStationCRM only: choose that direction." in said


def test_in_the_direction_that_fits_nothing_is_wrong(administrator: Client, mapped: Sync) -> None:
    said = check(administrator, mapped, ghl_field="dateOfBirth", centralstation_field="background", direction="to_centralstation")
    assert "can be mapped" in said


def test_nothing_is_said_before_both_are_chosen(administrator: Client, mapped: Sync) -> None:
    assert check(administrator, mapped, centralstation_field="").strip() == ""


def test_a_pair_that_cannot_go_together_is_refused_with_the_field_named(administrator: Client, mapped: Sync) -> None:
    mapped.mappings.filter(name="birthday").delete()
    response = add(administrator, mapped, ghl_field="dateOfBirth", centralstation_field="background")
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["ghl_field"])


def test_a_direction_that_cannot_be_is_refused(administrator: Client, mapped: Sync) -> None:
    mapped.mappings.filter(name="birthday").delete()
    add(administrator, mapped, ghl_field="dateOfBirth", centralstation_field="background", direction="to_centralstation")
    row = mapped.mappings.get(ghl_field="dateOfBirth")
    administrator.post(reverse("mapping_change", args=[row.pk]), {f"{row.pk}-direction": "both", f"{row.pk}-conflict": ""})
    row.refresh_from_db()
    assert row.direction == "to_centralstation"


# Revisions


def remove(client: Client, sync: Sync, name: str) -> None:
    client.post(reverse("mapping_remove", args=[sync.mappings.get(name=name).pk]))


def test_the_mapping_of_a_new_sync_is_its_first_revision(joined: Sync) -> None:
    assert [(one.number, len(one.rows)) for one in joined.revisions.all()] == [(1, 12)]


def test_each_save_makes_a_revision_that_says_who(administrator: Client, joined: Sync) -> None:
    remove(administrator, joined, "phone")
    latest = joined.revisions.all()[0]
    assert (latest.number, latest.by_name, len(latest.rows)) == (2, "administrator@example.com", 11)


def test_saving_what_is_there_makes_no_revision(administrator: Client, joined: Sync) -> None:
    row = joined.mappings.get(name="phone")
    administrator.post(reverse("mapping_change", args=[row.pk]), {f"{row.pk}-direction": "both", f"{row.pk}-conflict": ""})
    assert joined.revisions.count() == 1


def test_a_mapping_older_than_its_revisions_is_kept_as_the_first(administrator: Client, joined: Sync) -> None:
    joined.revisions.all().delete()
    remove(administrator, joined, "phone")
    assert [len(one.rows) for one in joined.revisions.all()] == [11, 12]


def test_the_list_says_what_each_revision_changed(viewer: Client, administrator: Client, joined: Sync) -> None:
    remove(administrator, joined, "phone")
    assert "phone removed" in viewer.get(reverse("mapping_revisions", args=[joined.pk])).content.decode()


def test_the_list_asks_the_database_as_often_for_many_revisions(
    viewer: Client, joined: Sync, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(2, 9):
        MappingRevision.objects.create(sync=joined, number=number, rows=[])
    with django_assert_num_queries(7):
        viewer.get(reverse("mapping_revisions", args=[joined.pk]))


def test_two_revisions_are_compared(viewer: Client, administrator: Client, joined: Sync) -> None:
    remove(administrator, joined, "phone")
    remove(administrator, joined, "city")
    response = viewer.get(reverse("mapping_revision", args=[joined.pk, 3]), {"to": "1"})
    assert {row["name"] for row in response.context["differences"]} == {"phone", "city"}


def test_a_changed_rule_is_shown_before_and_after(viewer: Client, administrator: Client, joined: Sync) -> None:
    row = joined.mappings.get(name="phone")
    administrator.post(reverse("mapping_change", args=[row.pk]), {f"{row.pk}-direction": "to_ghl", f"{row.pk}-conflict": ""})
    shown = viewer.get(reverse("mapping_revision", args=[joined.pk, 2])).context["differences"][0]["changed"]
    assert [(before, after) for _label, before, after in shown] == [("both ways", "to GoHighLevel only")]


def test_a_revision_that_is_none_is_said_to_be(viewer: Client, joined: Sync) -> None:
    assert "There is no revision 7." in viewer.get(reverse("mapping_revision", args=[joined.pk, 1]), {"to": "7"}).content.decode()


def test_restoring_says_first_how_many_rows_change(administrator: Client, joined: Sync) -> None:
    remove(administrator, joined, "phone")
    said = administrator.get(reverse("mapping_restore", args=[joined.pk, 1])).content.decode()
    assert "1 row of the mapping changes" in said


def test_restoring_makes_a_new_revision_that_is_as_the_old_one(administrator: Client, joined: Sync) -> None:
    remove(administrator, joined, "phone")
    administrator.post(reverse("mapping_restore", args=[joined.pk, 1]))
    latest, _removed, first = joined.revisions.all()
    assert (latest.number, latest.restored, latest.rows) == (3, 1, first.rows)


def test_what_cannot_be_mapped_any_more_is_not_restored(administrator: Client, joined: Sync) -> None:
    rows = [{**joined.revisions.get().rows[0], "ghl_field": "custom_fields.gone"}]
    MappingRevision.objects.create(sync=joined, number=2, rows=rows)
    administrator.post(reverse("mapping_restore", args=[joined.pk, 2]))
    assert (joined.revisions.count(), joined.mappings.count()) == (2, 12)
