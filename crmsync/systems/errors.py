"""What can go wrong between us and a CRM, sorted by what happens next.

    CrmError
    ├── TryLater            passes by itself
    │   ├── RateLimited     429; `retry_after_s`
    │   └── Unavailable     5xx, no connection, an answer that isn't JSON
    │       ├── Unanswered  a create without an answer: it may exist, so look before creating again
    │       └── Resting     not asked: it has been out of order lately; `retry_after_s` until it is asked again
    ├── NeedsPerson         doesn't pass by itself, and stops more than one contact
    │   ├── CredentialsRefused
    │   │   └── AuthorisationRefused   only connecting anew helps
    │   └── PermissionMissing   `scope`
    ├── Refused             this record only: `field`, `reason`
    │   └── Duplicate       another record has it: `other_id`, `field`
    ├── NotFound            the record isn't there, or isn't shown to us
    └── UnexpectedAnswer    the answer hasn't the documented shape: `field`

No text holds a secret or a person's data: it names the side, the operation, the status, the field and the fix.
"""

from __future__ import annotations

from pydantic import JsonValue

from crmsync.engine.records import Side

NAMES = {Side.GHL: "GoHighLevel", Side.CENTRALSTATION: "CentralStationCRM"}


class CrmError(Exception):
    """A CRM didn't do as asked. `code` names the cause for grouping, `can_retry` says whether trying again can help."""

    code = "error"
    can_retry = False

    def __init__(
        self,
        message: str,
        *,
        side: Side,
        operation: str = "",
        status: int | None = None,
        field: str = "",
        trace_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.side = side
        self.operation = operation
        self.status = status
        self.field = field
        self.trace_id = trace_id
        self.exchange: dict[str, JsonValue] = {}
        """The request that it came of and its answer, masked; {} where none was sent."""


class TryLater(CrmError):
    """Passes by itself. `retry_after_s` is what the CRM asked for, None where it didn't say."""

    code = "try_later"
    can_retry = True
    retry_after_s: float | None = None


class RateLimited(TryLater):
    code = "rate_limited"


class Unavailable(TryLater):
    code = "unavailable"


class Unanswered(Unavailable):
    """A create whose answer was lost: it may exist. Match before creating again."""

    code = "unanswered"


class Resting(Unavailable):
    """Nothing was sent: too many requests in a row have failed, and nobody asks until `retry_after_s` have passed."""

    code = "resting"


class NeedsPerson(CrmError):
    code = "needs_person"


class CredentialsRefused(NeedsPerson):
    code = "credentials_refused"


class AuthorisationRefused(CredentialsRefused):
    """An authorisation by OAuth is over, or was never given: a person has to give it anew."""


class PermissionMissing(NeedsPerson):
    """`scope` is the CRM's own name for what is missing."""

    code = "permission_missing"
    scope: str = ""


class Refused(CrmError):
    """The CRM won't take this value. `field` is the CRM's field key, "" where it didn't name one; `reason` its words."""

    code = "refused"
    reason: str = ""


class Duplicate(Refused):
    code = "duplicate"
    other_id: str = ""


class NotFound(CrmError):
    code = "not_found"


class UnexpectedAnswer(CrmError):
    code = "unexpected_answer"
