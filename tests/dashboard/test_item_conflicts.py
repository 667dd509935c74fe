"""A note or task that both sides changed, under the policy *ask*: a person says whose to keep."""

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.accounts import Role
from crmsync.models import Contact, Status
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
