"""What is true of the account as a whole: whose key it is, its custom fields, whom a new task is for.

None of it changes from one contact to the next, so it is asked once and kept for a while."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Lock

from crmsync.engine.records import FieldKey, Side
from crmsync.systems.base import Account, FieldInfo
from crmsync.systems.centralstation import operations as op
from crmsync.systems.centralstation.api import Api
from crmsync.systems.centralstation.fields import custom_fields
from crmsync.systems.centralstation.rows import CustomFieldsType, Login, Person
from crmsync.systems.errors import CrmError, NeedsPerson, NotFound, PermissionMissing, Unavailable, UnexpectedAnswer

KEPT_S = 600.0


class AccountFacts:
    """Thread-safe. `default_user_id` is whom new tasks are for, where somebody was chosen."""

    def __init__(self, api: Api, default_user_id: str | None) -> None:
        self._api = api
        self._lock = Lock()
        self._user_id = default_user_id
        self._custom: dict[FieldKey, FieldInfo] = {}
        self._custom_read_at = float("-inf")

    def check(self, host: str) -> Account:
        """Prove the key, then try the reads that not every user may do. Raises `CredentialsRefused`, and `PermissionMissing` for people."""
        self._prove()
        user = self._own_user()
        missing = {}
        if user is None and not self._users():
            missing[op.LIST_USERS.scope] = "New tasks need a person chosen in the connection's settings."
        try:
            self.custom_fields(fresh=True, strictly=True)
        except PermissionMissing as error:
            missing[error.scope] = "Custom fields can't be mapped."
        return Account(
            name=_account_name(user) or host,
            timezone=user.timezone if user else None,
            default_user_id=self._user_id or (user.id if user else None),
            missing_scopes=missing,
        )

    def _prove(self) -> None:
        """Raises `NotFound` where something else answers at this address."""
        try:
            with suppress(NotFound, PermissionMissing):  # not documented for every kind of key: the people below prove it as well
                self._api.send(op.CHECK_CONNECTION)
            self._api.page(Person, op.LIST_PEOPLE, 1, params={"perpage": 1})
        except CrmError as error:
            if not _is_another_server(error):
                raise
            status = error.status
        else:
            return
        message = "There is no CentralStationCRM at this address."
        raise NotFound(message, side=Side.CENTRALSTATION, operation=op.LIST_PEOPLE.name, status=status)

    def custom_fields(self, *, fresh: bool = False, strictly: bool = False) -> dict[FieldKey, FieldInfo]:
        """The person's custom fields by key; none where the key's user may not read them, unless `strictly`: then `PermissionMissing`."""
        with self._lock:
            if fresh or time.monotonic() - self._custom_read_at > KEPT_S:
                try:
                    types = list(self._api.every(CustomFieldsType, op.LIST_CUSTOM_FIELDS_TYPES, params={"order": "id-asc"}))
                except (PermissionMissing, NotFound) as error:
                    if strictly and isinstance(error, PermissionMissing):
                        raise
                    types = []
                self._custom = {field.key: field for field in custom_fields(types)}
                self._custom_read_at = time.monotonic()
            return self._custom

    def user_id(self) -> str:
        """Who was chosen for new tasks, else the key's own user, else the first of all. Raises `NeedsPerson` where there's none."""
        with self._lock:
            if self._user_id is None:
                user = self._own_user() or next(iter(self._users()), None)
                if user is None:
                    message = "CentralStationCRM doesn't tell whom a new task could be for: choose a person in the connection's settings."
                    raise NeedsPerson(message, side=Side.CENTRALSTATION, operation=op.CREATE_TASK.name)
                self._user_id = user.id
            return self._user_id

    def _own_user(self) -> Login | None:
        """None where the route doesn't answer as one connector has it (centralstationcrm.md, section 12)."""
        try:
            return self._api.one(Login, op.GET_OWN_USER)
        except (NotFound, PermissionMissing, UnexpectedAnswer):
            return None

    def _users(self) -> list[Login]:
        try:
            return sorted(self._api.every(Login, op.LIST_USERS), key=lambda user: user.age)
        except (NotFound, PermissionMissing):
            return []


def _is_another_server(error: CrmError) -> bool:
    """A page instead of JSON, or people that aren't there, though the server itself is in order."""
    is_in_order = error.status is not None and error.status < 500
    return isinstance(error, (NotFound, UnexpectedAnswer)) or (isinstance(error, Unavailable) and is_in_order)


def _account_name(user: Login | None) -> str | None:
    """The account's name where `current_account` tells it; its shape isn't documented."""
    account = user.current_account if user else None
    name = account.get("name") if isinstance(account, dict) else None
    return name if isinstance(name, str) else None
