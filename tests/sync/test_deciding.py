"""Decisions that are carried out a moment later, against both CRMs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crmsync import jobs
from crmsync.engine.records import Side
from crmsync.models import Contact, Decision, Sync
from crmsync.sync import deciding
from crmsync.sync.deciding import Choice, Word
from tests.sync.kit import Live

OURS, THEIRS = "+4940111111", "+4940222222"


@pytest.fixture
def contested(live: Live, ada: Contact) -> Contact:
    """Ada, whose phone number both sides have changed."""
    Sync.objects.update(conflict="ask")
    live.edit_in_ghl(ada, phone=OURS)
    live.phone_in_central(ada, THEIRS)
    live.run()
    return live.contact(status="conflict")


def phones(live: Live) -> tuple[str | None, str | None]:
    return live.in_ghl(live.contact()).fields["phone"], live.in_central(live.contact()).fields["phone"]


def test_nothing_is_written_while_it_can_be_taken_back(live: Live, contested: Contact) -> None:
    deciding.decide(contested, Choice(Word.TAKE, every=Side.GHL), None)
    with live.nothing_written():
        jobs.live(live.sync.pk)


def test_the_decision_is_written_afterwards(live: Live, contested: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "UNDO_FOR", timedelta(0))
    deciding.decide(contested, Choice(Word.TAKE, every=Side.GHL), None)
    live.work()
    assert (phones(live), live.statuses()) == ((OURS, OURS), ["in_sync"])


def test_a_decision_taken_back_is_never_written(live: Live, contested: Contact) -> None:
    deciding.decide(contested, Choice(Word.TAKE, every=Side.GHL), None)
    deciding.undo(Decision.objects.get())
    with live.nothing_written():
        live.work()
    assert (phones(live), live.statuses()) == ((OURS, THEIRS), ["conflict"])
