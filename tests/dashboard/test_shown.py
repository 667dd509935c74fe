"""How single things are shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import timezone

from crmsync.engine.records import Side
from crmsync.models import Change, Health, HeldBatch, Mode, Result, RunStatus, Status
from crmsync.sync.hooks import HookHealth
from dashboard.looks import LOOKS
from dashboard.templatetags.shown import change_title, differences, due, lasted, system, unlocalized, value, when

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def render(source: str, **context: object) -> str:
    return Template("{% load shown %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("status", Status),
        ("health", Health),
        ("mode", Mode),
        ("run", RunStatus),
        ("result", Result),
        ("batch", HeldBatch.State),
        ("hook", HookHealth),
    ],
)
def test_every_state_has_a_look(kind: str, members: type[StrEnum]) -> None:
    assert {member for member, _look in LOOKS[kind]} == set(members)


def test_a_badge_is_the_word_and_an_icon_in_its_tone() -> None:
    shown = render("{% badge 'status' status %}", status="failed")
    assert 'class="state state-bad"' in shown
    assert "icons.svg#alert-circle" in shown
    assert "<span>failed</span>" in shown


@pytest.mark.parametrize(
    ("age_s", "words"),
    [(5, "just now"), (-5, "in less than a minute"), (180, "3\xa0minutes ago"), (7300, "2\xa0hours ago"), (-600, "in 10\xa0minutes")],
)
def test_a_time_is_relative(age_s: int, words: str) -> None:
    assert f">{words}</time>" in when(timezone.now() - timedelta(seconds=age_s + (-1 if age_s < -60 else 0)))


def test_a_time_has_the_exact_one_as_its_title() -> None:
    assert 'title="2026-11-24 08:05:00 UTC"' in when(datetime(2026, 11, 24, 8, 5, tzinfo=UTC))


def test_no_time_is_a_dash() -> None:
    assert "—" in when(None)


@pytest.mark.parametrize(("seconds", "words"), [(4, "4 s"), (190, "3 min 10 s"), (7500, "2 h 5 min")])
def test_a_duration_is_short(seconds: int, words: str) -> None:
    start = datetime(2026, 11, 24, tzinfo=UTC)
    assert lasted(start, start + timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (["vip", "kunde"], "vip, kunde"),
        (True, "yes"),
        ("a < b", "a &lt; b"),
        ("<p>one</p><p>two</p>", "one<br>two"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("line\nbreak", "line<br>break"),
    ],
)
def test_a_value_is_what_a_person_reads(raw: object, shown: str) -> None:
    assert value(raw) == shown


@pytest.mark.parametrize("empty", [None, "", []])
def test_nothing_is_a_dash_that_says_so(empty: object) -> None:
    assert value(empty) == '<span class="nothing" title="nothing">—</span>'


@pytest.mark.parametrize(("text", "shown"), [("2026-11-27", "2026-11-27"), ("2026-11-27T08:00:00+00:00", "2026-11-27 08:00 UTC")])
def test_a_due_date_has_its_time_where_it_has_one(text: str, shown: str) -> None:
    assert due(text) == shown


def test_a_change_says_what_and_where() -> None:
    assert change_title(Change(kind="add_tags", side=Side.GHL)) == "Tags added in GoHighLevel"


def test_a_change_lists_what_was_cleared_too() -> None:
    assert differences(Change(before={"phone": "1", "fax": "2"}, after={"phone": "3"})) == [("phone", "1", "3"), ("fax", "2", None)]


@pytest.mark.parametrize(
    ("after", "title"),
    [
        ({"title": "Angebot", "text": "x"}, "Note created in GoHighLevel"),
        ({"title": "Anruf", "due": None, "done": None}, "Task created in GoHighLevel"),
        ({"title": "Anruf"}, "Note or task created in GoHighLevel"),
    ],
)
def test_a_note_and_a_task_are_told_apart_by_their_fields(after: dict[str, str | None], title: str) -> None:
    assert change_title(Change(kind="create_item", side=Side.GHL, after=after)) == title


def test_what_was_written_leaves_out_empty_values_and_shows_when_a_task_is_due() -> None:
    change = Change(kind="create_item", after={"title": "Anruf", "due": "2026-11-27T08:00:00+00:00", "done": None})
    assert differences(change) == [("title", None, "Anruf"), ("due", None, "2026-11-27 08:00 UTC")]


def test_a_side_has_its_name() -> None:
    assert [system("ghl"), system("centralstation"), system("")] == ["GoHighLevel", "CentralStationCRM", ""]


def test_a_number_in_an_attribute_has_a_point() -> None:
    assert unlocalized(33.3333) == "33.33"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_has_nothing_inline(template: Path) -> None:
    """The policy forbids inline script and style; browsers would drop them in silence."""
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son\w+=|hx-on|javascript:", template.read_text())


def test_every_icon_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (ROOT / "static/vendor/tabler/icons.svg").read_text()))
    text = "".join(path.read_text() for path in TEMPLATES)
    used = set(re.findall(r'{% icon "([\w-]+)"|symbol="([\w-]+)"', text))
    names = {name for pair in used for name in pair if name} | {look.icon for looks in LOOKS.values() for _, look in looks}
    assert names <= sprite
