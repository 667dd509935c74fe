"""Companies by name: a person's company is a row of its own here, found before one is made (centralstationcrm.md, section 11).

The names are loaded once, 250 a page, since a first sync asks for hundreds of them; sending `company_name` instead of an id would
risk a second company of the same name."""

from __future__ import annotations

import re
import time
from threading import Lock

from crmsync.systems.centralstation import operations as op
from crmsync.systems.centralstation.api import Api
from crmsync.systems.centralstation.rows import Company
from crmsync.systems.errors import CrmError, NotFound, UnexpectedAnswer

FRESH_S = 60.0
"""So long a loaded list is trusted not to lack a company that somebody else has made meanwhile."""
NAME_KEPT_S = 300.0


class Companies:
    """The companies of one account. Thread-safe: of two threads that miss the same company, one makes it.

    `positions_move`: whether this account lets a position change its company; None until it has been tried."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = Lock()
        self._id_by_name: dict[str, str] = {}
        self._name_by_id: dict[str, tuple[str | None, float]] = {}
        self._loaded_at: float | None = None
        self.positions_move: bool | None = None

    def id_of(self, name: str) -> str:
        """The id of the company called exactly so; made if there is none."""
        with self._lock:
            self._load_once()
            key = _key(name)
            if key not in self._id_by_name and self._is_stale():
                self._bring_up_to_date(name)
            if key not in self._id_by_name:
                self._create(name)
            return self._id_by_name[key]

    def name_of(self, id: str) -> str | None:
        """The company's name; None where it is gone."""
        name, seen_at = self._name_by_id.get(id, (None, float("-inf")))
        if time.monotonic() - seen_at < NAME_KEPT_S:
            return name
        try:
            name = self._api.one(Company, op.GET_COMPANY, id=id).name
        except NotFound:
            name = None
        self._name_by_id[id] = (name, time.monotonic())
        return name

    def forget(self, name: str) -> None:
        """Look it up anew next time: its id was refused."""
        with self._lock:
            self._id_by_name.pop(_key(name), None)
            self._loaded_at = float("-inf")

    def _load_once(self) -> None:
        if self._loaded_at is not None:
            return
        for company in self._api.every(Company, op.LIST_COMPANIES, params={"order": "new-asc"}):
            self._keep(company)
        self._loaded_at = time.monotonic()

    def _is_stale(self) -> bool:
        return self._loaded_at is not None and time.monotonic() - self._loaded_at > FRESH_S

    def _bring_up_to_date(self, name: str) -> None:
        """One count tells whether there are others than we know; only then is this one searched for."""
        try:
            is_complete = self._api.total(op.COUNT_COMPANIES) == len(self._name_by_id)
        except (NotFound, UnexpectedAnswer):
            is_complete = False
        if is_complete:
            self._loaded_at = time.monotonic()
        else:
            self._search(name)

    def _search(self, name: str) -> None:
        for company in self._api.every(Company, op.SEARCH_COMPANIES, params={"name": name}):
            self._keep(company)

    def _create(self, name: str) -> None:
        try:
            company = self._api.one(Company, op.CREATE_COMPANY, json={"company": {"name": name}})
        except CrmError:
            self._loaded_at = float("-inf")  # it may exist all the same: the next one searches
            raise
        self._keep(company)
        self._id_by_name[_key(name)] = company.id

    def _keep(self, company: Company) -> None:
        """Of companies with the same name the oldest counts."""
        if not company.name:
            return
        key = _key(company.name)
        known = self._id_by_name.get(key)
        if known is None or company.age < Company(id=known).age:
            self._id_by_name[key] = company.id
        self._name_by_id[company.id] = (company.name, time.monotonic())


def _key(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip()
