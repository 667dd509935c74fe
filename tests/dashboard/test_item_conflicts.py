"""A note or task that both sides changed, under the policy *ask*: a person says whose to keep."""

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.accounts import Role
from crmsync.models import Contact, Item, Status
from tests.dashboard.data import make_contact, make_roles, make_sync, make_user

pytestmark = pytest.mark.django_db


def test_a_note_that_both_sides_changed_can_be_decided(client: Client) -> None:
    make_roles()
    client.force_login(make_user(Role.OPERATOR))
    contact = make_contact(make_sync(), Status.CONFLICT, conflicts=["note text"])

    page = client.get(f"/contacts/{contact.pk}/").content.decode()
    client.post(reverse("contact_decide", args=[contact.pk]), {"field": "note text", "side": "ghl"})

    assert "Take GoHighLevel" in page
    assert Contact.objects.get(pk=contact.pk).decisions == {"note text": "ghl"}


def contested_note() -> tuple[Contact, Item]:
    contact = make_contact(make_sync(), Status.CONFLICT, conflicts=["note text"])
    note = Item.objects.create(
        contact=contact, kind="note", ghl_id="n1", centralstation_id="7", contested={"text": ["Call on Monday", "Call on Tuesday"]}
    )
    return contact, note


def test_both_texts_of_a_note_stand_beside_each_other(operator: Client) -> None:
    contact, _ = contested_note()
    page = operator.get(f"/contacts/{contact.pk}/").content.decode()
    assert [text in page for text in ("Call on Monday", "Call on Tuesday")] == [True, True]


def test_a_note_is_decided_by_itself(operator: Client) -> None:
    contact, note = contested_note()
    operator.post(reverse("contact_decide", args=[contact.pk]), {"field": f"note text {note.pk}", "side": "ghl"})
    assert Contact.objects.get(pk=contact.pk).decisions == {f"note text {note.pk}": "ghl"}


def test_a_decided_note_is_not_asked_for_again(operator: Client) -> None:
    contact, note = contested_note()
    operator.post(reverse("contact_decide", args=[contact.pk]), {"field": f"note text {note.pk}", "side": "ghl"})
    page = operator.get(f"/contacts/{contact.pk}/").content.decode()
    assert "Take this" not in page
    assert "Take GoHighLevel" not in page
