"""Two workers at one person: who may create, and what the dead leave behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync.engine.records import Side
from crmsync.models import Claim, Contact
from crmsync.sync import partner
from crmsync.sync.partner import Deferred
from tests.sync.kit import ADA, Live


@pytest.fixture
def unlinked(live: Live) -> Contact:
    """Ada, known from GHL and on her way to CentralStation under the lease "mine"."""
    live.ghl.add_contact(**ADA)
    live.central.fault("server_error", method="POST")
    live.run()
    live.central.clear_faults()
    contact = live.contact()
    Contact.objects.filter(pk=contact.pk).update(lease_token="mine", lease_until=timezone.now() + timedelta(seconds=45))
    return contact


def other_worker(contact: Contact, *, lease_s: float) -> None:
    """Somebody has a second row with the same e-mail in hand, and its key claimed."""
    until = timezone.now() + timedelta(seconds=lease_s)
    Contact.objects.create(sync=contact.sync, ghl_id="another", lease_token="theirs", lease_until=until)
    later = timezone.now() + timedelta(seconds=90)
    Claim.objects.create(sync=contact.sync, key=f"email:{ADA['email']}", token="theirs", until=later)


def test_a_claimed_key_is_another_workers_to_create(unlinked: Contact) -> None:
    other_worker(unlinked, lease_s=30)
    with pytest.raises(Deferred), partner.claimed(unlinked, Side.GHL, "mine"):
        pytest.fail("both would create")


def test_a_claim_ends_with_the_lease_of_a_worker_that_died(unlinked: Contact) -> None:
    other_worker(unlinked, lease_s=-1)
    with partner.claimed(unlinked, Side.GHL, "mine"):
        assert set(Claim.objects.values_list("token", flat=True)) == {"mine"}


def test_a_claim_is_let_go_at_the_end(unlinked: Contact) -> None:
    with partner.claimed(unlinked, Side.GHL, "mine"):
        pass
    assert not Claim.objects.exists()
