"""Columns that hold secrets: encrypted at rest, readable by who has the key, never shown in an error."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.models.lookups import IsNull


class CredentialKeyMissing(ImproperlyConfigured):
    """A stored credential was encrypted with a key that CREDENTIAL_KEYS doesn't have."""

    def __init__(self) -> None:
        super().__init__("CREDENTIAL_KEYS lacks the key that a stored credential was encrypted with. Add the old key, after the first one.")


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher(keys: Sequence[str] | None = None) -> MultiFernet:
    """Encrypts with the first of CREDENTIAL_KEYS, decrypts with any of them."""
    return _cipher(tuple(settings.CREDENTIAL_KEYS if keys is None else keys))


def decrypt(token: str) -> str:
    """Raises `CredentialKeyMissing`, which shows neither the token nor what is in it."""
    try:
        return cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        raise CredentialKeyMissing from None


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text encrypted by CREDENTIAL_KEYS (authenticated: a changed byte is an error). Empty text and None stay as they are.

    Reading a row decrypts it; a page that lists rows defers the field. No lookup but `isnull`: the same text is different each time.
    """

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return cipher().encrypt(text.encode()).decode() if text else text

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return decrypt(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return IsNull
        raise FieldError(f"{self.name} is encrypted: it can't be searched by {lookup_name}.")
