"""Secrets that nobody set: made once, kept in files that only their owner reads.

For the embedded default alone (SQLite in CRMSYNC_DATA). With a DATABASE_URL a missing secret stops the start instead.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in `path`, made on the first call. Several processes that ask at once all get the same one."""
    if not path.exists():
        _write_once(path, make())
    return path.read_text().strip()


def _write_once(path: Path, secret: str) -> None:
    """A link appears whole or not at all, and never over another's: whoever comes second reads the first one's."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secret + "\n")
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
