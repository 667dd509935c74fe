"""What can be set on a simulated CRM, and the credentials that the demo and the tests use.

The defaults are the real services' limits (ghl.md, section 1; centralstationcrm.md, section 1). What the references leave open is a
setting here, so that a client can be tried against either answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

DEMO_GHL_TOKEN = "pit-sandbox-full-access"  # noqa: S105 (opens nothing but this simulation)
DEMO_GHL_READONLY_TOKEN = "pit-sandbox-read-only"  # noqa: S105
DEMO_LOCATION_ID = "SandboxLocation00001"
DEMO_API_KEY = "sandbox-owner-key"
DEMO_CLIENT_ID = "5a6d6f780000000000c0ffee-sandbox1"
DEMO_CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105
DEMO_COMPANY_ID = "SandboxCompany000001"

GHL_SCOPES = frozenset(
    {
        "contacts.readonly",
        "contacts.write",
        "locations.readonly",
        "locations/customFields.readonly",
        "locations/tags.readonly",
        "locations/tags.write",
        "locations/tasks.readonly",
        "users.readonly",
        "businesses.readonly",
    }
)
APP_SCOPES = GHL_SCOPES | {
    *("businesses.write", "locations/customFields.write", "oauth.readonly", "oauth.write", "workflows.readonly", "campaigns.readonly"),
    *("calendars.readonly", "calendars/events.readonly", "calendars/events.write", "opportunities.readonly", "opportunities.write"),
    *("conversations.readonly", "conversations/message.readonly"),
}
"""What an app may ask for (ghl.md, section 2)."""

WEBHOOK_EVENTS = frozenset(
    {
        *("ContactCreate", "ContactUpdate", "ContactDelete", "ContactTagUpdate", "ContactDndUpdate"),
        *("NoteCreate", "NoteUpdate", "NoteDelete", "TaskCreate", "TaskComplete", "TaskDelete"),
    }
)
"""All that GHL tells of contacts, notes and tasks (ghl.md, section 5): there is no TaskUpdate."""

Signature = Literal["ed25519", "rsa"]


def _demo_tokens() -> Mapping[str, frozenset[str]]:
    readonly = frozenset(scope for scope in GHL_SCOPES if scope.endswith(".readonly"))
    return {DEMO_GHL_TOKEN: GHL_SCOPES, DEMO_GHL_READONLY_TOKEN: readonly}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What both have in common. `limit` requests are let through in any `window_s` seconds; `contacts` people are made from `seed`.

    `clock_offset_s`: how far this CRM's clock is ahead of ours. `webhook_timeout_s`: how long a receiver of webhooks may take to answer.
    """

    limit: int
    window_s: float = 10.0
    latency_ms: float = 0.0
    contacts: int = 0
    seed: int = 1
    clock_offset_s: float = 0.0
    webhook_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GhlSettings(SandboxSettings):
    """One GHL location. `tokens` maps each valid token to its scopes, `country` completes national phone numbers.

    `search_lag_s`: how long a write stays unseen by lists and search. `missing_status`: 400 or 404 for an unknown contact.
    `raw_names_in_lists`: lists carry `firstNameRaw` beside the lower-case names. `wraps_notes`: a plain note is stored as HTML.

    `scopes`: all that this account lets anybody have, private tokens and apps alike (None: whatever they have or ask for).
    The app: `redirect_uris` that are registered (none: any will do); one of `app_type` Company is an agency's, whose token opens no
    location, but is exchanged for a location's. `other_locations` (names by id) can be chosen beside this one, though nobody is in them.
    `oauth_errors`: "oauth" says `error`, "status" says `statusCode` and `message`. `forgiving_refresh`: a used refresh token gives the same
    pair once more, as long as that wasn't refreshed itself.

    Webhooks go to `webhook_url` for changes named in `webhook_events`, flat or, with `webhook_envelope`, their payload in `data`, with the
    headers of `webhook_signatures`. A receiver that answers 429 is asked again `webhook_redeliveries` times, `webhook_pause_s` apart.
    `task_create_names_contact`: False leaves contactId and body out of TaskCreate, as some were seen.
    """

    limit: int = 100
    daily_limit: int = 200_000
    tokens: Mapping[str, frozenset[str]] = field(default_factory=_demo_tokens)
    location_id: str = DEMO_LOCATION_ID
    location_name: str = "Sandbox Agency"
    country: str = "DE"
    timezone: str = "Europe/Berlin"
    search_lag_s: float = 0.0
    allow_duplicates: bool = False
    missing_status: int = 400
    raw_names_in_lists: bool = True
    wraps_notes: bool = False

    scopes: Collection[str] | None = None
    client_id: str = DEMO_CLIENT_ID
    client_secret: str = DEMO_CLIENT_SECRET
    company_id: str = DEMO_COMPANY_ID
    redirect_uris: tuple[str, ...] = ()
    app_type: Literal["Location", "Company"] = "Location"
    other_locations: Mapping[str, str] = field(default_factory=dict)
    token_life_s: float = 86_399.0
    code_life_s: float = 60.0
    oauth_errors: Literal["oauth", "status"] = "oauth"
    forgiving_refresh: bool = False

    webhook_url: str = ""
    webhook_events: Collection[str] = WEBHOOK_EVENTS
    webhook_envelope: bool = False
    webhook_signatures: tuple[Signature, ...] = ("ed25519",)
    webhook_pause_s: float = 600.0
    webhook_redeliveries: int = 6
    task_create_names_contact: bool = True

    @property
    def app_id(self) -> str:
        """The first part of the client id."""
        return self.client_id.partition("-")[0]

    @property
    def locations(self) -> Mapping[str, str]:
        """Names by id."""
        return {self.location_id: self.location_name, **self.other_locations}


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralStationSettings(SandboxSettings):
    """One CentralStationCRM account. `api_keys` maps each valid key to the id of the user it belongs to.

    `children_move_person`: phones, tags, notes and the like move the person's `updated_at`, not the stream alone. `repeated_tags`:
    the same tag may be set twice on a person; otherwise a 422. `country` completes national phone numbers.

    `children_fire_hooks`: phones, tags and the like fire the person's `update` hooks (notes and tasks never do). After `hook_failures`
    failed deliveries a hook is disabled. `hooks_refused`: the 401 or 403 for a key without the right to hooks (None: it has it).
    """

    limit: int = 50
    api_keys: Mapping[str, int] = field(default_factory=lambda: {DEMO_API_KEY: 4711})
    account_id: int = 87444
    account_name: str = "Sandbox GmbH"
    country: str = "DE"
    children_move_person: bool = True
    repeated_tags: bool = True
    children_fire_hooks: bool = True
    hook_failures: int = 10
    hooks_refused: Literal[401, 403] | None = None
