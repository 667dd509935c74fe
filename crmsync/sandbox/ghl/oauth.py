"""The location's OAuth server: codes, tokens, and what takes them away (ghl.md, section 2).

A refresh token is used up by one use and comes back new. `Bearer` is what a token opens; private integration tokens are bearers, too.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from crmsync.sandbox.core import Json
from crmsync.sandbox.settings import GhlSettings

TOKEN_BYTES = 300
"""Real access tokens are JWTs of several hundred characters."""


class InvalidGrant(Exception):
    """The code or refresh token is unknown, used, expired or revoked; the text says which it is."""


@dataclass(slots=True, kw_only=True)
class Authorisation:
    """One installation of the app: what it was granted, for which locations, and the refresh token that counts now.

    `used` is the refresh token before, `answer` what it was exchanged for."""

    location_ids: tuple[str, ...]
    scopes: frozenset[str]
    user_id: str
    refresh_token: str = ""
    used: str = ""
    answer: Json = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Bearer:
    """What one access token opens. No `location_id`: an agency's token. `expires_at` is of the monotonic clock."""

    scopes: frozenset[str]
    location_id: str
    expires_at: float = math.inf
    authorisation: Authorisation | None = None

    @property
    def has_expired(self) -> bool:
        return time.monotonic() >= self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    redirect_uri: str
    authorisation: Authorisation
    expires_at: float


class OAuth:
    """The tokens of one location. `refreshes` counts those that gave a new pair."""

    def __init__(self, settings: GhlSettings) -> None:
        self._settings = settings
        self.refreshes = 0
        self.authorisations: list[Authorisation] = []
        self._codes: dict[str, _Code] = {}
        self._bearers = {
            token: Bearer(scopes=self.grantable(scopes), location_id=settings.location_id) for token, scopes in settings.tokens.items()
        }

    def grantable(self, scopes: Iterable[str]) -> frozenset[str]:
        """Of these, what the account lets anybody have."""
        allowed = self._settings.scopes
        return frozenset(scopes) if allowed is None else frozenset(scopes) & frozenset(allowed)

    def bearer(self, token: str) -> Bearer | None:
        """None for an unknown or revoked token."""
        return self._bearers.get(token)

    # From a person's consent to tokens

    def consent(self, scopes: Iterable[str], location_ids: Iterable[str], user_id: str) -> Authorisation:
        """A person has installed the app; nothing has been exchanged yet."""
        return Authorisation(location_ids=tuple(location_ids), scopes=self.grantable(scopes), user_id=user_id)

    def code_for(self, authorisation: Authorisation, redirect_uri: str) -> str:
        """A code that can be exchanged once, soon."""
        now = time.monotonic()
        self._codes = {code: one for code, one in self._codes.items() if one.expires_at > now}
        code = secrets.token_hex(20)
        self._codes[code] = _Code(redirect_uri=redirect_uri, authorisation=authorisation, expires_at=now + self._settings.code_life_s)
        return code

    def exchange(self, code: str, redirect_uri: str) -> Json:
        """Raises InvalidGrant. A `redirect_uri`, where one is given, must be that of the consent."""
        found = self._codes.pop(code, None)
        if found is None or found.expires_at <= time.monotonic() or redirect_uri not in ("", found.redirect_uri):
            raise InvalidGrant("authorization code is invalid")
        return self.issue(found.authorisation)

    def issue(self, authorisation: Authorisation) -> Json:
        """The first pair."""
        if authorisation not in self.authorisations:
            self.authorisations.append(authorisation)
        return self._pair(authorisation)

    def refresh(self, token: str) -> Json:
        """A new pair for a refresh token. Raises InvalidGrant."""
        for authorisation in self.authorisations:
            if token == authorisation.refresh_token:
                self.refreshes += 1
                authorisation.used = token
                authorisation.answer = self._pair(authorisation)
                return authorisation.answer
            if token and token == authorisation.used and self._settings.forgiving_refresh:
                authorisation.used = ""
                return authorisation.answer
        raise InvalidGrant("refresh token is invalid")

    def location_token(self, authorisation: Authorisation, location_id: str) -> Json:
        """An agency's token exchanged for a location's, which can't be refreshed."""
        token = self._access_token(authorisation, location_id)
        members = {"access_token": token, "token_type": "Bearer", "expires_in": self._life, "scope": _scope(authorisation)}
        return {**members, "locationId": location_id, "userId": authorisation.user_id}

    def _pair(self, authorisation: Authorisation) -> Json:
        is_agency = self._settings.app_type == "Company"
        place = {"approvedLocations": list(authorisation.location_ids)} if is_agency else {"locationId": authorisation.location_ids[0]}
        authorisation.refresh_token = secrets.token_urlsafe(TOKEN_BYTES)
        return {
            "access_token": self._access_token(authorisation, "" if is_agency else authorisation.location_ids[0]),
            "token_type": "Bearer",
            "expires_in": self._life,
            "refresh_token": authorisation.refresh_token,
            "scope": _scope(authorisation),
            "userType": self._settings.app_type,
            **place,
            "companyId": self._settings.company_id,
            "userId": authorisation.user_id,
            "planId": "",
        }

    def _access_token(self, authorisation: Authorisation, location_id: str) -> str:
        self._bearers = {token: one for token, one in self._bearers.items() if one.authorisation is None or not self._is_forgotten(one)}
        token, expires_at = secrets.token_urlsafe(TOKEN_BYTES), time.monotonic() + self._settings.token_life_s
        self._bearers[token] = Bearer(
            scopes=authorisation.scopes, location_id=location_id, expires_at=expires_at, authorisation=authorisation
        )
        return token

    def _is_forgotten(self, bearer: Bearer) -> bool:
        """Long expired: nobody comes back with it to be told so."""
        return time.monotonic() >= bearer.expires_at + 3600

    @property
    def _life(self) -> int:
        return math.ceil(self._settings.token_life_s)

    # What takes them away

    def expire_tokens(self) -> None:
        """All access tokens that were issued are too old from now on; refresh tokens still work."""
        for bearer in self._bearers.values():
            if bearer.authorisation:
                bearer.expires_at = time.monotonic()

    def revoke(self) -> None:
        """No token that was issued works any more, nor does a refresh; private tokens do."""
        self.authorisations.clear()
        self._codes.clear()
        self._bearers = {token: bearer for token, bearer in self._bearers.items() if bearer.authorisation is None}

    def change_scopes(self, scopes: Iterable[str]) -> None:
        """What every token, private ones too, may do from now on; the next refresh tells."""
        granted = frozenset(scopes)
        for authorisation in self.authorisations:
            authorisation.scopes = granted
        for bearer in self._bearers.values():
            bearer.scopes = granted


def _scope(authorisation: Authorisation) -> str:
    return " ".join(sorted(authorisation.scopes))
