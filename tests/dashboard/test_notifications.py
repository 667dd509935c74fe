"""Choosing what one is told without looking."""

from __future__ import annotations

import pytest
from django.test import Client

from crmsync.models import AlertChoice, ReportSubscription


def test_a_person_chooses_reports_for_themselves(viewer: Client, operator: Client) -> None:
    viewer.post("/notifications/", {"every": ["day", "month"]})
    assert sorted(ReportSubscription.objects.values_list("user__email", "every")) == [
        ("viewer@example.com", "day"),
        ("viewer@example.com", "month"),
    ]


def test_what_was_chosen_is_shown(viewer: Client) -> None:
    viewer.post("/notifications/", {"every": ["week"]})
    assert viewer.get("/notifications/").context["reports_form"].initial == {"every": ["week"]}


def test_a_period_that_does_not_exist_is_refused(viewer: Client) -> None:
    assert viewer.post("/notifications/", {"every": ["year"]}).status_code == 422


def test_it_says_that_no_email_can_be_sent(viewer: Client) -> None:
    assert "No e-mail can be sent from here yet" in viewer.get("/notifications/").content.decode()


ALERTS = {"kinds": ["batch"], "backlog_minutes": "30", "by_email": "on", "webhook_url": ""}


def test_a_person_chooses_alerts_for_themselves(viewer: Client, operator: Client) -> None:
    viewer.post("/notifications/alerts", ALERTS)
    assert list(AlertChoice.objects.values_list("user__email", "kinds")) == [("viewer@example.com", ["batch"])]


@pytest.mark.parametrize(
    "url",
    ["http://example.org/x", "https://127.0.0.1/x", "https://10.0.0.8/x", "https://[::1]/x", "https://me:pw@example.org/", "nonsense"],
)
def test_an_address_that_nothing_is_sent_to_is_refused_where_it_is_typed(viewer: Client, url: str) -> None:
    answer = viewer.post("/notifications/alerts", {**ALERTS, "webhook_url": url})
    assert answer.status_code == 422
    assert "webhook_url" in answer.context["alerts_form"].errors


def test_alerts_by_no_way_at_all_are_refused(viewer: Client) -> None:
    assert viewer.post("/notifications/alerts", {"kinds": ["batch"], "backlog_minutes": "30"}).status_code == 422


WEBHOOK = {**ALERTS, "webhook_url": "https://example.org/x"}


def secret() -> str:
    return str(AlertChoice.objects.get().webhook_secret)


def test_a_new_webhook_shows_its_secret_once(viewer: Client) -> None:
    shown = viewer.post("/notifications/alerts", WEBHOOK).content.decode()
    later = [viewer.post("/notifications/alerts", WEBHOOK, follow=True).content.decode(), viewer.get("/notifications/").content.decode()]
    assert [secret() in text for text in (shown, *later)] == [True, False, False]


def test_the_secret_is_told_by_its_end(viewer: Client) -> None:
    viewer.post("/notifications/alerts", WEBHOOK)
    assert f"ends in {secret()[-4:]}." in viewer.get("/notifications/").content.decode()


def test_a_new_secret_is_made_after_saying_what_that_means(viewer: Client) -> None:
    viewer.post("/notifications/alerts", WEBHOOK)
    before = secret()
    assert "the old one counts no more" in viewer.get("/notifications/secret").content.decode()
    assert secret() == before
    shown = viewer.post("/notifications/secret").content.decode()
    assert (secret() in shown, secret() == before) == (True, False)


def test_nobody_renews_somebody_elses_secret(viewer: Client, operator: Client) -> None:
    viewer.post("/notifications/alerts", WEBHOOK)
    before = secret()
    operator.post("/notifications/secret")
    assert secret() == before


def test_a_test_is_shown_on_its_way(viewer: Client) -> None:
    viewer.post("/notifications/alerts", ALERTS)
    viewer.post("/notifications/test")
    assert "on its way" in viewer.get("/notifications/").content.decode()
