"""Who may see and press what: every address there is, with every role and none."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from crmsync.accounts import Role
from crmsync.engine.records import Side
from crmsync.models import Act, BulkAction, FieldMapping, HeldBatch, Issue, Run, RunKind, SavedView, Status, Sync
from crmsync.sync import audit
from dashboard.access import CONNECTIONS, MAPPINGS, PEOPLE, RESOLVE, RETRY, RUN, VIEW
from dashboard.verbs import VERBS
from tests.dashboard.conftest import signed_in
from tests.dashboard.data import make_contact, make_user

NEEDED = {
    "overview": VIEW,
    "overview_charts": VIEW,
    "contacts": VIEW,
    "contacts_export": VIEW,
    "contacts_bulk": RETRY,
    "bulk_action": VIEW,
    "bulk_stop": RETRY,  # that of what is stopped, too
    "saved_view_add": VIEW,
    "saved_view_edit": VIEW,  # one's own; a shared one an administrator, too
    "saved_view_update": VIEW,
    "saved_view_delete": VIEW,
    "contact": VIEW,
    "contact_row": VIEW,
    "contact_exclude": RESOLVE,
    "contact_decide": RESOLVE,
    "contact_fix": RESOLVE,
    "contact_link": RESOLVE,
    "contact_do": RETRY,  # each verb has its own: test_a_verb_needs_its_own_permission
    "queues": VIEW,
    "queue": VIEW,
    "queue_decide": RESOLVE,
    "queue_undo": RESOLVE,
    "issues": VIEW,
    "issue": VIEW,
    "issue_retry": RETRY,
    "issue_fix": RESOLVE,
    "batch": VIEW,
    "batch_decide": RUN,
    "notifications": VIEW,
    "alerts_save": VIEW,
    "alerts_secret": VIEW,
    "alerts_test": VIEW,
    "reports": VIEW,
    "report_csv": VIEW,
    "undo": RESOLVE,
    "undone": VIEW,
    "why": VIEW,
    "why_ask": RETRY,
    "why_contact": VIEW,
    "runs": VIEW,
    "run": VIEW,
    "connections": VIEW,
    "connection": VIEW,
    "connection_add_ghl": CONNECTIONS,
    "connection_add_ghl_oauth": CONNECTIONS,
    "connection_add_centralstation": CONNECTIONS,
    "connection_connect": CONNECTIONS,
    "connection_location": CONNECTIONS,
    "connection_client_secret": CONNECTIONS,
    "oauth_ghl_callback": CONNECTIONS,
    "connection_edit": CONNECTIONS,
    "connection_credential": CONNECTIONS,
    "connection_test": CONNECTIONS,
    "connection_delete": CONNECTIONS,
    "connection_hooks": CONNECTIONS,
    "connection_pause": RUN,
    "connection_resume": RUN,
    "syncs": VIEW,
    "sync": VIEW,
    "sync_add": MAPPINGS,
    "sync_edit": MAPPINGS,
    "sync_run": RUN,
    "sync_pause": RUN,
    "sync_resume": RUN,
    "sync_go_live": MAPPINGS,
    "mappings": VIEW,
    "mapping_add": MAPPINGS,
    "mapping_check": MAPPINGS,
    "mapping_revisions": VIEW,
    "mapping_revision": VIEW,
    "mapping_restore": MAPPINGS,
    "mapping_change": MAPPINGS,
    "mapping_remove": MAPPINGS,
    "people": PEOPLE,
    "audit": PEOPLE,
    "audit_export": PEOPLE,
    "audit_take_back": PEOPLE,
    "person_invite": PEOPLE,
    "person_resend": PEOPLE,
    "person_remove": PEOPLE,
    "typed": CONNECTIONS,
    "typed_own": CONNECTIONS,
    "person_add": PEOPLE,
    "person_role": PEOPLE,
    "person_access": PEOPLE,
}
"""What each of our addresses needs. A new one has no entry, and fails."""

MAY = {
    None: set(),
    Role.VIEWER: {VIEW},
    Role.OPERATOR: {VIEW, RETRY, RESOLVE, RUN},
    Role.ADMINISTRATOR: {VIEW, RETRY, RESOLVE, RUN, CONNECTIONS, MAPPINGS, PEOPLE},
}


def url_patterns(resolver: URLResolver) -> list[URLPattern]:
    found: list[URLPattern] = []
    for pattern in resolver.url_patterns:
        found.extend([pattern] if isinstance(pattern, URLPattern) else url_patterns(pattern))
    return found


OPEN = {"healthz", "ghl_webhook", "ghl_workflow", "centralstation_hook"}
GUARDED = {
    name: list(pattern.pattern.converters)
    for pattern in url_patterns(get_resolver())
    if (name := pattern.name or str(pattern.pattern)) not in OPEN and not name.startswith("account_")
}
"""The names of all addresses but those of machines and of signing in, each with what it takes."""


@pytest.fixture
def addresses(joined: Sync) -> dict[str, str]:
    """Each guarded address, with rows that are there."""
    contact, other = make_contact(joined, Status.WAITING), make_contact(joined)
    run = Run.objects.create(sync=joined, kind=RunKind.POLL)
    issue = Issue.objects.create(sync=joined, code="x", side=Side.GHL, explanation="x", what_to_do="x")
    person, mapping = make_user(None, "someone@example.com"), FieldMapping.objects.filter(sync=joined)[0]
    pks = {"contact": contact.pk, "issue": issue.pk, "run": run.pk, "connection": joined.ghl_id, "sync": joined.pk, "person": person.pk}
    pks |= {"mappings": joined.pk, "mapping_add": joined.pk, "mapping_change": mapping.pk, "mapping_remove": mapping.pk}
    pks |= {"queue": contact.pk, "saved_view": SavedView.objects.create(name="Mine").pk}
    pks |= {"audit": audit.record(None, Act.CONTACT_INCLUDED, other, {"reason": "x"}).pk}
    pks |= {"why": contact.pk, "bulk": BulkAction.objects.create(verb="retry", total=1, upto=0).pk}
    pks |= dict.fromkeys(("typed", "mapping_check", "mapping_revision", "mapping_restore"), joined.pk)
    batch = HeldBatch.objects.create(sync=joined, kind=HeldBatch.Kind.DELETIONS, side=Side.GHL, explanation="x")
    undo = Run.objects.create(sync=joined, kind=RunKind.UNDO, progress={"undo": "run", "pk": run.pk, "upto": 0})
    pks |= {"undone": undo.pk, "undo": run.pk}
    pks = {"batch": batch.pk, "connection_hooks": joined.centralstation_id, **pks}
    further = {
        "other": other.pk,
        "name": "retry",
        "verb": "repair",
        "word": "approve",
        "way": "blanks",
        "number": 1,
        "check": "address",
        "kind": "conflict",
        "what": "run",
    }

    def address(name: str, takes: list[str]) -> str:
        pk = next((pks[prefix] for prefix in pks if name.startswith(prefix)), None)
        return reverse(name, kwargs={key: further.get(key, pk) for key in takes})

    return {name: address(name, takes) for name, takes in GUARDED.items()}


def answer(client: Client, address: str) -> int | str:
    """The status of a GET, or of a POST where there is no GET; "sign in" for a redirect there. The saved view is this person's own."""
    SavedView.objects.update(owner=client.session.get("_auth_user_id"))
    response = client.get(address)
    if response.status_code == 405:
        response = client.post(address, {"side": "ghl", "field": "phone"})
    return (
        "sign in" if response.status_code == 302 and response.headers["Location"].startswith("/accounts/login/") else response.status_code
    )


def test_every_address_says_what_it_needs() -> None:
    assert set(GUARDED) == set(NEEDED)


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_each_role_gets_what_it_may_and_no_more(role: Role | None, addresses: dict[str, str]) -> None:
    client = signed_in(role)
    allowed = {name for name in GUARDED if answer(client, addresses[name]) in (200, 302, 422)}
    assert allowed == {name for name in GUARDED if NEEDED[name] in MAY[role]}


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_what_a_role_may_not_is_forbidden(role: Role | None, addresses: dict[str, str]) -> None:
    client = signed_in(role)
    refused = {answer(client, addresses[name]) for name in GUARDED if NEEDED[name] not in MAY[role]}
    assert refused <= {403}


def test_a_stranger_is_sent_to_sign_in_everywhere(client: Client, addresses: dict[str, str]) -> None:
    assert {answer(client, address) for address in addresses.values()} == {"sign in"}


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_verb_needs_its_own_permission(verb: object, sync: Sync, viewer: Client) -> None:
    contact = make_contact(sync, verb.statuses[0])  # type: ignore[attr-defined]
    address = reverse("contact_do", args=[contact.pk, verb.name])  # type: ignore[attr-defined]
    assert {viewer.get(address).status_code, viewer.post(address).status_code} == {403}


@pytest.mark.parametrize("name", ["account_login", "account_reset_password", "account_signup"])
def test_a_page_before_signing_in_is_shown(client: Client, db: None, name: str) -> None:
    assert client.get(reverse(name)).status_code == 200


def test_a_viewer_is_shown_no_button(sync: Sync, viewer: Client) -> None:
    failed = make_contact(sync, Status.FAILED)
    pages = [viewer.get(address).content.decode() for address in ("/", "/contacts/", reverse("contact", args=[failed.pk]), "/connections/")]
    assert [page.count('method="post"') for page in pages] == [1, 1, 1, 1]  # signing out


def test_people_are_in_the_navigation_of_administrators_only(operator: Client, administrator: Client) -> None:
    shown = ['href="/people/"' in client.get("/").content.decode() for client in (operator, administrator)]
    assert shown == [False, True]


def test_who_has_no_role_is_told_whom_to_ask(db: None) -> None:
    assert "An administrator can give it one" in signed_in(None).get("/").content.decode()


def test_a_page_that_refreshes_itself_is_replaced_by_sign_in(client: Client, sync: Sync) -> None:
    response = client.get("/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/contacts/?q=x"})
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=/contacts/"
