"""Django's handle on the dashboard."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        from dashboard import first_password  # models can't be imported any earlier

        first_password.connect()
