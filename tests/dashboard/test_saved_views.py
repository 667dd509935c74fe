"""Saved views of the contacts: whose they are, what they show, how they change."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from crmsync.accounts import Role
from crmsync.models import Act, AuditEntry, SavedView, Status, Sync
from crmsync.sync import people
from tests.dashboard.conftest import signed_in
from tests.dashboard.data import make_contact, make_user


def me(client: Client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def make_view(owner: User | None, **values: object) -> SavedView:
    return SavedView.objects.create(**{"name": "Failed here", "query": "status=failed", "owner": owner, **values})


@pytest.fixture
def somebody(db: None) -> User:
    return make_user(Role.OPERATOR, "somebody@example.com")


def tabs(client: Client, query: str = "") -> dict[str, bool]:
    """The names of the views above the list, each with whether it is the one shown."""
    return {str(tab.label): tab.is_current for tab in client.get(f"/contacts/?{query}").context["tabs"]}


def test_what_is_shown_is_kept_under_a_name(viewer: Client) -> None:
    viewer.post("/contacts/views/add?q=anna&status=failed&nonsense=1&before=7", {"name": "Annas"})
    assert list(SavedView.objects.values_list("name", "query", "owner__email")) == [("Annas", "q=anna&status=failed", "viewer@example.com")]


def test_keeping_a_view_leads_to_it(viewer: Client) -> None:
    response = viewer.post("/contacts/views/add?status=failed", {"name": "Failed here"})
    assert response.headers["Location"] == f"/contacts/?status=failed&view={SavedView.objects.get().pk}"


def test_a_view_shows_what_it_was_saved_with(viewer: Client, sync: Sync) -> None:
    make_contact(sync), make_contact(sync, Status.FAILED, label="Bernd")
    response = viewer.post("/contacts/views/add?status=failed", {"name": "Failed here"}, follow=True)
    assert [str(row) for row in response.context["page"].rows] == ["Bernd"]


def test_a_view_is_its_owners_alone(viewer: Client, somebody: User) -> None:
    make_view(somebody)
    assert "Failed here" not in tabs(viewer)


def test_a_shared_view_is_everybodys(viewer: Client, somebody: User) -> None:
    make_view(somebody, is_shared=True)
    assert "Failed here" in tabs(viewer)


def test_the_view_that_is_shown_is_marked(viewer: Client) -> None:
    view = make_view(me(viewer))
    assert tabs(viewer, f"status=failed&view={view.pk}") == {
        "All contacts": False,
        "Changed in the last 24 hours": False,
        "Failed here": True,
    }


def test_a_filter_that_is_a_view_is_marked_as_it(viewer: Client) -> None:
    make_view(me(viewer))
    assert tabs(viewer, "status=failed")["Failed here"]


def test_without_a_filter_all_contacts_are_marked(viewer: Client) -> None:
    assert tabs(viewer)["All contacts"]


def test_a_link_to_somebody_elses_view_shows_the_same_contacts(viewer: Client, somebody: User, sync: Sync) -> None:
    make_contact(sync), make_contact(sync, Status.FAILED, label="Bernd")
    view = make_view(somebody)
    rows = viewer.get(f"/contacts/?status=failed&view={view.pk}").context["page"].rows
    assert [str(row) for row in rows] == ["Bernd"]


def test_a_view_that_was_left_offers_to_be_changed(viewer: Client) -> None:
    view = make_view(me(viewer))
    shown = viewer.get(f"/contacts/?status=review&view={view.pk}").content.decode()
    assert [f'action="/contacts/views/{view.pk}/update"' in shown, "Update “Failed here”" in shown] == [True, True]


def test_a_view_is_changed_to_what_is_shown(viewer: Client) -> None:
    view = make_view(me(viewer))
    viewer.post(f"/contacts/views/{view.pk}/update", {"status": "review", "sort": "name"})
    view.refresh_from_db()
    assert view.query == "status=review&sort=name"


def test_a_view_is_renamed_and_shared(viewer: Client) -> None:
    view = make_view(me(viewer))
    viewer.post(f"/contacts/views/{view.pk}/", {"name": "Broken", "is_shared": "on"})
    view.refresh_from_db()
    assert (view.name, view.is_shared, view.query) == ("Broken", True, "status=failed")


def test_a_view_is_deleted_after_saying_so(viewer: Client) -> None:
    view = make_view(me(viewer), is_shared=True)
    assert "disappears for everybody" in viewer.get(f"/contacts/views/{view.pk}/delete").content.decode()
    viewer.post(f"/contacts/views/{view.pk}/delete")
    assert not SavedView.objects.exists()


def test_a_name_that_is_taken_is_said_beside_it(viewer: Client) -> None:
    make_view(me(viewer))
    response = viewer.post("/contacts/views/add?status=review", {"name": "Failed here"})
    assert (response.status_code, "There is a view named “Failed here” already." in response.content.decode()) == (422, True)


def test_two_people_may_use_one_name(viewer: Client, somebody: User) -> None:
    make_view(somebody)
    assert viewer.post("/contacts/views/add?status=review", {"name": "Failed here"}).status_code == 302


@pytest.mark.parametrize("path", ["", "update", "delete"])
@pytest.mark.parametrize("is_shared", [True, False])
def test_nobody_changes_somebody_elses_view(operator: Client, somebody: User, path: str, is_shared: bool) -> None:
    view = make_view(somebody, is_shared=is_shared)
    assert operator.post(f"/contacts/views/{view.pk}/{path}", {"name": "Mine now"}).status_code == 404


def test_an_administrator_looks_after_shared_views(administrator: Client, somebody: User) -> None:
    view = make_view(somebody, is_shared=True)
    administrator.post(f"/contacts/views/{view.pk}/delete")
    assert not SavedView.objects.exists()


def test_what_somebody_shared_outlives_their_account(viewer: Client, somebody: User) -> None:
    make_view(somebody, name="Shared", is_shared=True)
    make_view(somebody, name="Own")
    people.remove(somebody)
    assert [(view.name, view.owner) for view in SavedView.objects.all()] == [("Shared", None)]


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


def test_what_happens_to_a_shared_view_is_in_the_audit_log(viewer: Client) -> None:
    viewer.post("/contacts/views/add?status=failed", {"name": "Broken", "is_shared": "on"})
    view = SavedView.objects.get()
    viewer.post(f"/contacts/views/{view.pk}/update", {"status": "review"})
    viewer.post(f"/contacts/views/{view.pk}/delete")
    assert acts() == [Act.VIEW_SHARED, Act.VIEW_CHANGED, Act.VIEW_DELETED]


def test_ones_own_views_are_in_no_log(viewer: Client) -> None:
    viewer.post("/contacts/views/add?status=failed", {"name": "Broken"})
    assert acts() == []


def test_the_audit_log_says_in_words_what_a_view_showed(viewer: Client) -> None:
    viewer.post("/contacts/views/add?status=failed&sort=name", {"name": "Broken", "is_shared": "on"})
    shown = signed_in(Role.ADMINISTRATOR).get("/audit/").content.decode()
    assert "Status: failed, Sorted: By name" in shown


def test_what_is_asked_for_is_told_in_chips(viewer: Client) -> None:
    chips = viewer.get("/contacts/?q=anna&tag=vip&status=failed&sort=name&view=7").context["filter"].chips
    assert [(str(chip.text), chip.without) for chip in chips] == [
        ("“anna”", "status=failed&tag=vip&sort=name&view=7"),
        ("Tag: vip", "q=anna&status=failed&sort=name&view=7"),
    ]
