"""Django's handle on the project."""

from django.apps import AppConfig


class CrmsyncConfig(AppConfig):
    name = "crmsync"
    default_auto_field = "django.db.models.BigAutoField"
