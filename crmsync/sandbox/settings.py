"""What can be set on a simulated CRM, and the credentials that the demo and the tests use.

The defaults are the real services' limits (ghl.md, section 1; centralstationcrm.md, section 1). What the references leave open is a
setting here, so that a client can be tried against either answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEMO_GHL_TOKEN = "pit-sandbox-full-access"  # noqa: S105 (opens nothing but this simulation)
DEMO_GHL_READONLY_TOKEN = "pit-sandbox-read-only"  # noqa: S105
DEMO_LOCATION_ID = "SandboxLocation00001"
DEMO_API_KEY = "sandbox-owner-key"

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


def _demo_tokens() -> Mapping[str, frozenset[str]]:
    readonly = frozenset(scope for scope in GHL_SCOPES if scope.endswith(".readonly"))
    return {DEMO_GHL_TOKEN: GHL_SCOPES, DEMO_GHL_READONLY_TOKEN: readonly}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What both have in common. `limit` requests are let through in any `window_s` seconds; `contacts` people are made from `seed`."""

    limit: int
    window_s: float = 10.0
    latency_ms: float = 0.0
    contacts: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GhlSettings(SandboxSettings):
    """One GHL location. `tokens` maps each valid token to its scopes, `country` completes national phone numbers.

    `search_lag_s`: how long a write stays unseen by lists and search. `missing_status`: 400 or 404 for an unknown contact.
    `raw_names_in_lists`: lists carry `firstNameRaw` beside the lower-case names. `wraps_notes`: a plain note is stored as HTML.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralStationSettings(SandboxSettings):
    """One CentralStationCRM account. `api_keys` maps each valid key to the id of the user it belongs to.

    `children_move_person`: phones, tags, notes and the like move the person's `updated_at`, not the stream alone. `repeated_tags`:
    the same tag may be set twice on a person; otherwise a 422. `country` completes national phone numbers.
    """

    limit: int = 50
    api_keys: Mapping[str, int] = field(default_factory=lambda: {DEMO_API_KEY: 4711})
    account_id: int = 87444
    account_name: str = "Sandbox GmbH"
    country: str = "DE"
    children_move_person: bool = True
    repeated_tags: bool = True
