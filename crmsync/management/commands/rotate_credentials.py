"""`manage.py rotate_credentials`: encrypt every stored credential with the first of CREDENTIAL_KEYS, so that older keys can go."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import models, transaction

from crmsync.models.fields import EncryptedTextField


class Command(BaseCommand):
    help = "Encrypts every stored credential with the first of CREDENTIAL_KEYS; the other keys can be removed afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        count = sum(rotate(model) for model in apps.get_models())
        self.stdout.write(f"{count} rows are encrypted with the first of CREDENTIAL_KEYS now.")


def rotate(model: type[models.Model]) -> int:
    """Rows of `model` that were encrypted anew; 0 where it has no encrypted field."""
    names = [field.name for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
    keys = list(model._default_manager.values_list("pk", flat=True)) if names else []
    for key in keys:
        _rotate_row(model, key, names)
    return len(keys)


@transaction.atomic
def _rotate_row(model: type[models.Model], key: Any, names: list[str]) -> None:
    """Reading decrypts, saving encrypts; the lock keeps a credential that someone saves meanwhile."""
    for row in model._default_manager.select_for_update().filter(pk=key).only(*names):
        row.save(update_fields=names)
