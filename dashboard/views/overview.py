"""The first page: how every sync stands, what needs a person, what changed meanwhile."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crmsync.models import Sync
from crmsync.sync.figures import Unit, figures, together
from dashboard.access import VIEW, StaffRequest, needs
from dashboard.answers import show
from dashboard.cards import first_steps, sync_cards
from dashboard.charts import Chart, lag_chart, volume_chart
from dashboard.standing import fares
from dashboard.standing import needs as what_needs_a_person
from dashboard.visits import away

CHARTS_OVER = timedelta(hours=24)


@require_safe
@needs(VIEW)
def overview(request: StaffRequest) -> HttpResponse:
    cards, now = sync_cards(), timezone.now()
    standing = fares(now)
    context = {
        "cards": cards,
        "steps": [] if cards else first_steps(request.user),
        "fares": standing,
        "needs": what_needs_a_person(cards, standing),
        "is_moving": any(card.is_moving for card in cards),
    }
    if not request.htmx:
        syncs = [card.sync for card in cards]
        context |= {"away": away(request.user, syncs, now), "charts": _charts(syncs) if syncs else []}
    return show(request, "overview/page.html", "overview/_live.html", context)


@require_safe
@needs(VIEW)
def charts(request: StaffRequest) -> HttpResponse:
    """The charts alone, for the page that is left open."""
    return render(request, "overview/_charts.html", {"charts": _charts(list(Sync.objects.all()))})


def _charts(syncs: list[Sync]) -> list[Chart]:
    now = timezone.now()
    slots = figures(syncs, now - CHARTS_OVER, now, Unit.HOUR)
    return [volume_chart(slots, Unit.HOUR), lag_chart(slots, together(slots), Unit.HOUR)]
