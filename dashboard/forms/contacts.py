"""Which contacts a list shows, and the reason for leaving one out."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crmsync.engine.values import phone_e164
from crmsync.models import Contact, Issue, MatchKey, Status, Sync
from crmsync.models.contact import ContactQuerySet


class ContactFilter(forms.Form):
    """What is asked for in the address. What can't be understood there is left out, and the form's errors say so."""

    q = forms.CharField(
        label=_("Search"), required=False, max_length=200, error_messages={"max_length": _("The text is too long to search for.")}
    )
    sync = forms.ModelChoiceField(
        Sync.objects.all(),
        label=_("Sync"),
        required=False,
        empty_label=_("All syncs"),
        error_messages={"invalid_choice": _("There is no such sync: the contacts of all are shown.")},
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("Any status")), *Status.choices],
        error_messages={"invalid_choice": _("There is no status “%(value)s”: contacts of any status are shown.")},
    )
    issue = forms.ModelChoiceField(
        Issue.objects.all(),
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": _("What held these contacts up is no longer known: all contacts are shown.")},
    )

    def contacts(self) -> ContactQuerySet:
        """The contacts asked for, of any status: what the counts beside each status count."""
        self.is_valid()  # what is not valid is not in `cleaned_data`
        asked = self.cleaned_data
        found = Contact.objects.all()
        if sync := asked.get("sync"):
            found = found.filter(sync=sync)
        if issue := asked.get("issue"):
            found = found.filter(issue=issue)
        if text := asked.get("q"):
            found = found.filter(_mentions(text))
        return found

    def with_status(self) -> ContactQuerySet:
        """The contacts asked for."""
        found = self.contacts()
        status = self.cleaned_data.get("status")
        return found.filter(status=status) if status else found


def are_many_syncs() -> bool:
    """Whether a list has to say which sync a contact belongs to."""
    return Sync.objects.count() > 1


def _mentions(text: str) -> Q:
    """Part of a name, an e-mail address or a phone number however written; or an id, whole."""
    found = Q(email__icontains=text) | Q(phone__icontains=text)
    for form in {text, text.lower(), text.upper(), text.title()}:  # SQLite knows the case of ASCII's letters only
        found |= Q(label__icontains=form)
    found |= Q(ghl_id=text) | Q(centralstation_id=text)
    if number := phone_e164(text, "DE"):
        found |= Q(pk__in=MatchKey.objects.filter(kind="phone", value=number).values("contact"))
    return found


class ExcludeForm(forms.Form):
    reason = forms.CharField(
        label=_("Why is this contact left out?"),
        max_length=300,
        help_text=_("Shown beside the contact, so that others understand. For example: asked not to be contacted."),
    )
