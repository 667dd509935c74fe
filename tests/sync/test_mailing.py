"""Reports by e-mail: once each, when their time is over, to who may read them."""

from __future__ import annotations

from datetime import UTC, datetime
from smtplib import SMTPException
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from pytest_django import Settings

from crmsync import jobs
from crmsync.accounts import Role
from crmsync.models import Every, ReportSubscription
from crmsync.sync import mailing
from tests.dashboard.data import make_user

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
TUESDAY, WEDNESDAY = MONDAY.replace(day=24), MONDAY.replace(day=25)


class Broken(BaseEmailBackend):
    def send_messages(self, *_: Any) -> int:
        raise SMTPException


@pytest.fixture(autouse=True)
def _mail_is_set_up(db: None, settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://mail.example.org"


def asked(every: Every = Every.DAY, role: Role | None = Role.VIEWER) -> None:
    mailing.subscribe(make_user(role), [every], MONDAY)


def subjects() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


def test_a_day_is_reported_when_it_is_over() -> None:
    asked()
    mailing.send_due(TUESDAY)
    assert subjects() == ["[crmsync] Report of 2026-11-23"]


def test_nothing_is_reported_before() -> None:
    asked()
    mailing.send_due(MONDAY.replace(hour=23))
    assert subjects() == []


def test_a_report_is_sent_once() -> None:
    asked()
    mailing.send_due(TUESDAY)
    mailing.send_due(TUESDAY.replace(hour=18))
    assert len(subjects()) == 1


def test_each_day_has_its_report() -> None:
    asked()
    mailing.send_due(TUESDAY)
    mailing.send_due(WEDNESDAY)
    assert subjects() == ["[crmsync] Report of 2026-11-23", "[crmsync] Report of 2026-11-24"]


def test_a_week_is_reported_after_its_sunday() -> None:
    asked(Every.WEEK)
    mailing.send_due(WEDNESDAY)
    mailing.send_due(MONDAY.replace(day=30))
    assert subjects() == ["[crmsync] Report of 2026-11-23 – 2026-11-29"]


def test_what_could_not_be_sent_is_sent_later(settings: Settings) -> None:
    asked()
    usual = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    mailing.send_due(TUESDAY)
    settings.EMAIL_BACKEND = usual
    mailing.send_due(TUESDAY.replace(hour=10))
    assert len(subjects()) == 1


def test_who_may_read_no_reports_any_more_gets_none() -> None:
    asked(role=None)
    mailing.send_due(TUESDAY)
    assert subjects() == []


def test_what_is_not_chosen_any_more_ends() -> None:
    user = make_user(Role.VIEWER)
    mailing.subscribe(user, [Every.DAY, Every.WEEK], MONDAY)
    mailing.subscribe(user, [Every.WEEK], MONDAY)
    assert list(ReportSubscription.objects.values_list("every", flat=True)) == [Every.WEEK]


def test_saving_again_sends_nothing_again() -> None:
    asked()
    mailing.send_due(TUESDAY)
    mailing.subscribe(ReportSubscription.objects.get().user, [Every.DAY], TUESDAY)
    mailing.send_due(TUESDAY.replace(hour=18))
    assert len(subjects()) == 1


def test_a_report_leads_to_its_page() -> None:
    asked()
    mailing.send_due(TUESDAY)
    assert "/reports/?every=day&day=2026-11-23" in mail.outbox[0].body


def test_days_are_those_of_where_the_person_asked() -> None:
    mailing.subscribe(make_user(Role.VIEWER), [Every.DAY], MONDAY, "Pacific/Auckland")
    mailing.send_due(MONDAY.replace(hour=12))  # past midnight there
    assert subjects() == ["[crmsync] Report of 2026-11-23"]


def test_a_job_sends_them() -> None:
    asked()
    jobs.tell()
    assert len(subjects()) == 1
