"""The first page: how every sync stands."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crmsync.models import Connection
from crmsync.sync import listening
from crmsync.sync.prices import MANY
from dashboard.access import VIEW, StaffRequest, needs
from dashboard.answers import show
from dashboard.cards import first_steps, sync_cards


@require_safe
@needs(VIEW)
def overview(request: StaffRequest) -> HttpResponse:
    cards = sync_cards()
    context = {
        "cards": cards,
        "steps": [] if cards else first_steps(request.user),
        "connections": Connection.objects.without_secrets(),
        "alarms": listening.alarms(timezone.now()),
        "many": MANY,
        "is_moving": any(card.is_moving for card in cards),
    }
    return show(request, "overview/page.html", "overview/_live.html", context)
