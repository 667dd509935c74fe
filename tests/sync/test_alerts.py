"""Alerts: one message for each change of state, by e-mail and by signed webhook, tried until it is delivered."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from crmsync import jobs
from crmsync.accounts import Role
from crmsync.engine.records import Side
from crmsync.models import AlertChoice, AlertKind, AlertMessage, Connection, Contact, Health, HeldBatch, Issue, Status, Sync, Tally
from crmsync.sync import alerts, posting
from tests.dashboard.data import make_contact, make_sync, make_user
from tests.mail_server import MailServer


class Receiver(BaseHTTPRequestHandler):
    """Takes what is posted, and answers `answer`."""

    got: ClassVar[list[tuple[dict[str, str], bytes]]] = []
    answer: ClassVar[int] = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((dict(self.headers), body))
        self.send_response(self.answer)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    """The address of a machine that takes webhooks."""
    Receiver.got.clear()
    Receiver.answer = 204
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/alerts?team=1"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sync(db: None, settings: Settings) -> Sync:
    settings.EMAIL_URL = "smtp://mail.example.org"
    settings.ALERTS_TO_ANY_ADDRESS = True
    return make_sync()


def choose(*kinds: AlertKind, webhook_url: str = "", by_email: bool = True, role: Role | None = Role.VIEWER) -> AlertChoice:
    values = {"backlog_minutes": 30, "by_email": by_email, "webhook_url": webhook_url}
    return alerts.choose(make_user(role), timezone.now(), kinds=kinds or AlertKind.values, **values)  # type: ignore[arg-type]


def issue(sync: Sync, explanation: str = "X is missing.") -> Issue:
    return Issue.objects.create(sync=sync, code=explanation, explanation=explanation, what_to_do="x")


def look(at: datetime | None = None) -> None:
    alerts.watch(at or timezone.now())
    alerts.deliver(at or timezone.now())


def subjects() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


# What is told


def test_a_new_cause_is_told_once(sync: Sync) -> None:
    choose()
    issue(sync)
    look()
    look()
    assert subjects() == ["[crmsync] Berlin: X is missing."]


def test_what_was_wrong_already_is_no_news(sync: Sync) -> None:
    issue(sync)
    choose()
    look()
    assert subjects() == []


def test_a_cause_that_is_over_is_told(sync: Sync) -> None:
    issue(sync)
    choose(AlertKind.RECOVERED)
    Issue.objects.update(closed_at=timezone.now())
    look()
    assert subjects() == ["[crmsync] Over: Berlin: X is missing."]


def test_who_chose_new_causes_only_is_not_told_that_one_is_over(sync: Sync) -> None:
    issue(sync)
    choose(AlertKind.NEW_CAUSE)
    Issue.objects.update(closed_at=timezone.now())
    look()
    assert subjects() == []


def test_a_connection_that_needs_attention_is_told_and_that_it_works_again(sync: Sync) -> None:
    choose()
    for health in (Health.RECONNECT, Health.OK):
        Connection.objects.filter(pk=sync.ghl_id).update(health=health)
        look()
    assert subjects() == [
        "[crmsync] Berlin marketing: needs to be reconnected",
        "[crmsync] Over: Berlin marketing: needs to be reconnected",
    ]


def test_a_held_batch_is_told(sync: Sync) -> None:
    choose()
    HeldBatch.objects.create(sync=sync, kind=HeldBatch.Kind.DELETIONS, side=Side.GHL, explanation="20 deletions at once.")
    look()
    assert subjects() == ["[crmsync] Berlin: 20 deletions at once."]


@pytest.mark.parametrize(("minutes", "is_told"), [(29, False), (31, True)])
def test_a_backlog_is_told_when_it_is_older_than_the_person_chose(sync: Sync, minutes: int, is_told: bool) -> None:
    choose()
    make_contact(sync, Status.PENDING, dirty=1, dirty_since=timezone.now() - timedelta(minutes=minutes))
    look()
    assert len(subjects()) == is_told


def test_a_deaf_connection_is_told(sync: Sync) -> None:
    choose()
    Connection.objects.filter(pk=sync.centralstation_id).update(hooks_wanted=True)
    Tally.add(sync.centralstation_id, "found", 12)
    look()
    assert subjects()[0].startswith("[crmsync] Berlin office: Polling found 12 changes, and no webhook has come yet.")


def test_what_a_person_did_not_choose_is_not_told(sync: Sync) -> None:
    choose(AlertKind.BATCH)
    issue(sync)
    look()
    assert subjects() == []


def test_that_a_batch_was_decided_is_told(sync: Sync) -> None:
    HeldBatch.objects.create(sync=sync, kind=HeldBatch.Kind.DELETIONS, side=Side.GHL, explanation="20 deletions at once.")
    choose(AlertKind.BATCH)
    HeldBatch.objects.update(state=HeldBatch.State.APPROVED)
    look()
    look()
    assert subjects() == ["[crmsync] Over: Berlin: 20 deletions at once."]


def test_that_a_backlog_is_over_is_told(sync: Sync) -> None:
    contact = make_contact(sync, Status.PENDING, dirty=1, dirty_since=timezone.now() - timedelta(minutes=31))
    choose(AlertKind.BACKLOG)
    Contact.objects.filter(pk=contact.pk).update(dirty=0, dirty_since=None)
    look()
    assert subjects() == ["[crmsync] Over: Berlin: a change waits longer than it should to be written."]


def test_that_a_connection_hears_again_is_told(sync: Sync) -> None:
    Connection.objects.filter(pk=sync.centralstation_id).update(hooks_wanted=True)
    Tally.add(sync.centralstation_id, "found", 12)
    choose(AlertKind.DEAFNESS)
    Tally.objects.all().delete()
    look()
    assert subjects()[0].startswith("[crmsync] Over: Berlin office: Polling found 12 changes")


# How it gets there


def test_an_email_goes_through_a_real_mail_server(sync: Sync, settings: Settings) -> None:
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER = *server.address, False, ""
        choose()
        one = issue(sync)
        look()
    assert server.recipients == ["viewer@example.com"]
    assert ["Subject: [crmsync] Berlin: X is missing." in server.text, f"/issues/{one.pk}/" in server.text] == [True, True]


def test_an_email_that_the_server_refuses_is_tried_again(sync: Sync, settings: Settings) -> None:
    with MailServer(refuses=True) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER = *server.address, False, ""
        choose()
        issue(sync)
        look()
    message = AlertMessage.objects.get()
    assert (message.sent_at, message.due_at is None, message.failure) == (
        None,
        False,
        "The mail server refused it (SMTPRecipientsRefused).",
    )


def test_a_renewed_secret_signs_what_comes_next(sync: Sync, receiver: str) -> None:
    choice = choose(webhook_url=receiver, by_email=False)
    secret = alerts.renew_secret(choice.user)
    assert secret is not None
    issue(sync)
    look()
    headers, body = Receiver.got[0]
    assert headers["X-Crmsync-Signature"] == alerts.signature(secret, body)


def test_a_webhook_is_signed_over_its_raw_body(sync: Sync, receiver: str) -> None:
    choice = choose(webhook_url=receiver, by_email=False)
    issue(sync)
    look()
    headers, body = Receiver.got[0]
    assert headers["X-Crmsync-Signature"] == "sha256=" + hmac.new(choice.webhook_secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_webhook_tells_what_began_and_where_to_look(sync: Sync, receiver: str) -> None:
    choose(webhook_url=receiver, by_email=False)
    one = issue(sync)
    look()
    told = json.loads(Receiver.got[0][1])
    assert (told["kind"], told["state"], told["text"]) == ("new_cause", "began", "Berlin: X is missing.")
    assert told["url"].endswith(f"/issues/{one.pk}/")


def test_what_could_not_be_delivered_is_tried_again_with_the_same_id(sync: Sync, receiver: str) -> None:
    choose(webhook_url=receiver, by_email=False)
    issue(sync)
    Receiver.answer = 503
    look()
    Receiver.answer = 204
    look(timezone.now() + timedelta(minutes=2))
    first, second = (json.loads(body)["id"] for _, body in Receiver.got)
    assert first == second
    assert AlertMessage.objects.get().sent_at is not None


def test_it_is_not_tried_again_before_the_pause_is_over(sync: Sync, receiver: str) -> None:
    choose(webhook_url=receiver, by_email=False)
    issue(sync)
    Receiver.answer = 503
    look()
    look()
    assert len(Receiver.got) == 1


def test_it_is_given_up_in_the_end(sync: Sync, receiver: str) -> None:
    choose(webhook_url=receiver, by_email=False)
    issue(sync)
    Receiver.answer = 503
    for hours in range(12):
        look(timezone.now() + timedelta(hours=12 * hours))
    message = AlertMessage.objects.get()
    assert (message.attempts, message.due_at, message.failure) == (alerts.TRIES, None, "The machine answered 503.")


def test_an_answer_that_leads_elsewhere_is_not_followed(sync: Sync, receiver: str) -> None:
    choose(webhook_url=receiver, by_email=False)
    issue(sync)
    Receiver.answer = 307
    look()
    assert AlertMessage.objects.get().failure == "The machine answered 307."


def test_a_name_of_this_machine_is_not_posted_to(sync: Sync, settings: Settings) -> None:
    settings.ALERTS_TO_ANY_ADDRESS = False
    with pytest.raises(posting.NotDelivered, match="private network"):
        posting.post("https://localhost/x", b"", {})


def test_who_may_not_see_crmsync_any_more_is_told_nothing(sync: Sync) -> None:
    choose(role=None)
    issue(sync)
    look()
    assert subjects() == []


def test_a_test_is_sent_by_each_way_that_was_chosen(sync: Sync, receiver: str) -> None:
    choice = choose(webhook_url=receiver)
    alerts.send_test(choice.user, timezone.now())
    jobs.tell()
    assert [json.loads(body)["state"] for _, body in Receiver.got] == ["test"]
    assert subjects() == ["[crmsync] This is a test: alerts from crmsync reach you here."]
