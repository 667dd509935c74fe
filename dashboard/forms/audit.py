"""Which acts the audit log shows."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crmsync.models import Act, AuditEntry

COMMAND_LINE = "-"
"""In the address: acts of the command line, which have no name."""


class AuditFilter(forms.Form):
    """What is asked for in the address. What can't be understood there is left out, and the form's errors say so."""

    who = forms.ChoiceField(label=_("Who"), required=False)
    act = forms.ChoiceField(label=_("What"), required=False, choices=[("", _("Anything")), *Act.choices])
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, asked: object) -> None:
        super().__init__(asked)  # type: ignore[arg-type]
        names = AuditEntry.objects.exclude(by_name="").order_by("by_name").values_list("by_name", flat=True).distinct()
        who = [("", _("Anybody")), *((name, name) for name in names), (COMMAND_LINE, _("the command line"))]
        self.fields["who"] = forms.ChoiceField(label=_("Who"), required=False, choices=who)

    def entries(self) -> QuerySet[AuditEntry]:
        """The acts asked for. Days are those of the browser's time zone, and the last one is whole."""
        self.is_valid()  # what is not valid is not in `cleaned_data`
        asked, found = self.cleaned_data, AuditEntry.objects.all()
        if who := asked.get("who"):
            found = found.filter(by_name="" if who == COMMAND_LINE else who)
        if act := asked.get("act"):
            found = found.filter(act=act)
        if since := asked.get("since"):
            found = found.filter(at__gte=timezone.make_aware(datetime.combine(since, time())))
        if until := asked.get("until"):
            found = found.filter(at__lt=timezone.make_aware(datetime.combine(until + timedelta(days=1), time())))
        return found
