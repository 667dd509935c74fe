"""What a CRM can be asked to do, declared as records: one `Operation` a request, listed by each package in its own `operations.py`.

Client, scope check, catalog, sandbox and tests read the same records; `crmsync.systems.transport` sends them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Operation:
    """One request of a CRM's API.

    `path` has its ids in braces (`/contacts/{contact_id}`), `scope` is the CRM's own name of the permission it needs. `repeatable`: it
    may be sent again though an earlier try may have taken effect (reads, PUT, DELETE; not what creates). `source`: where it is documented.
    """

    name: str
    method: str
    path: str
    scope: str = ""
    repeatable: bool = True
    source: str = ""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing: what is searched for goes in a POST in places."""
        return self.method == "GET" or self.path.endswith("/search")

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names of the ids in the path, in order."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    def address(self, **ids: str) -> str:
        """The path with its ids filled in, percent-encoded. Raises `ValueError` for an empty one: it would address the list instead."""
        if empty := [name for name in self.path_names if not ids.get(name)]:
            raise ValueError(f"{self.name} needs {', '.join(empty)}")
        return self.path.format_map({name: quote(ids[name], safe="") for name in self.path_names})
