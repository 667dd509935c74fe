"""Choosing what one is told without looking."""

from __future__ import annotations

from django.test import Client

from crmsync.models import ReportSubscription


def test_a_person_chooses_reports_for_themselves(viewer: Client, operator: Client) -> None:
    viewer.post("/notifications/", {"every": ["day", "month"]})
    assert sorted(ReportSubscription.objects.values_list("user__email", "every")) == [
        ("viewer@example.com", "day"),
        ("viewer@example.com", "month"),
    ]


def test_what_was_chosen_is_shown(viewer: Client) -> None:
    viewer.post("/notifications/", {"every": ["week"]})
    assert viewer.get("/notifications/").context["form"].initial == {"every": ["week"]}


def test_a_period_that_does_not_exist_is_refused(viewer: Client) -> None:
    assert viewer.post("/notifications/", {"every": ["year"]}).status_code == 422


def test_it_says_that_no_email_can_be_sent(viewer: Client) -> None:
    assert "No e-mail can be sent from here yet" in viewer.get("/notifications/").content.decode()
