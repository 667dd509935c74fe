"""The app in the location: its authorisations and its webhooks, as tests, pages and the control API handle them (ghl.md, sections 2, 5)."""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.sandbox.core import Json, SimulatedCrm
from crmsync.sandbox.faults import FaultKind
from crmsync.sandbox.ghl.events import Events
from crmsync.sandbox.ghl.oauth import Authorisation, OAuth
from crmsync.sandbox.settings import GhlSettings


class GhlApp(SimulatedCrm):
    """What is between the location and those who are connected to it. `Ghl` completes it with records."""

    def __init__(self, settings: GhlSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        self.location_id = settings.location_id
        self.users: dict[str, Json] = {}
        self.oauth = OAuth(settings)
        self.events = Events(self)
        self.webhooks.pause_s, self.webhooks.redeliveries = settings.webhook_pause_s, settings.webhook_redeliveries

    def authorise(self, scopes: Iterable[str], location_id: str = "") -> Json:
        """Install the app as if a person had allowed it and the code had been exchanged: the answer of `/oauth/token`."""
        return self.oauth.issue(self.install(scopes, [location_id or self.location_id]))

    def install(self, scopes: Iterable[str], location_ids: Iterable[str]) -> Authorisation:
        """A person allows the app these scopes in these locations; INSTALL is sent."""
        authorisation = self.oauth.consent(scopes, location_ids, next(iter(self.users)))
        self.events.installed(authorisation.location_ids)
        return authorisation

    def uninstall(self) -> None:
        """UNINSTALL is sent, and all authorisations are revoked."""
        first = self.oauth.authorisations[-1:]
        self.events.uninstalled(first[0].location_ids if first else [self.location_id])
        self.oauth.revoke()

    def expire_tokens(self) -> None:
        """All access tokens of the app have expired."""
        self.oauth.expire_tokens()

    def revoke(self) -> None:
        """No token of the app works any more, and none can be refreshed. Nothing is sent."""
        self.oauth.revoke()

    def change_scopes(self, scopes: Iterable[str]) -> None:
        """What every token, private ones too, may do from now on."""
        self.oauth.change_scopes(scopes)

    @property
    def refreshes(self) -> int:
        """How often a refresh token was exchanged for a new pair."""
        return self.oauth.refreshes

    def lose_next_refresh(self) -> None:
        """The next answer of `/oauth/token` gets lost after the pair has changed."""
        self.fault(FaultKind.ANSWER_LOST, path="^/oauth/token$", times=1)

    @property
    def webhook_url(self) -> str:
        return self.events.url

    def send_webhooks_to(self, url: str, events: Iterable[str] | None = None) -> None:
        """From now on; "" for nowhere. `events`: which, where that changes, too."""
        self.events.url = url
        if events is not None:
            self.events.events = frozenset(events)

    @property
    def webhook_public_key(self) -> str:
        """PEM, of the key that makes `X-GHL-Signature`."""
        return self.events.keys.public("ed25519")

    @property
    def webhook_legacy_public_key(self) -> str:
        """PEM, of the key that makes `x-wh-signature`."""
        return self.events.keys.public("rsa")

    def call_workflow(self, url: str, contact_id: str, type: str = "ContactUpdate") -> None:
        """A workflow of this location reaches its *Webhook* action: unsigned JSON to `url`."""
        self.events.call_workflow(url, contact_id, type)
