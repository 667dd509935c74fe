"""Every address there is: what machines call, sign-in, and the staff's pages."""

from django.urls import include, path

from crmsync import endpoints

urlpatterns = [
    path("healthz", endpoints.healthz, name="healthz"),
    path("webhooks/ghl/<int:pk>/", endpoints.ghl_webhook, name="ghl_webhook"),
    path("webhooks/ghl/<int:pk>/workflow/<str:secret>/", endpoints.ghl_workflow, name="ghl_workflow"),
    path(
        "webhooks/centralstation/<int:pk>/<str:model>/<str:event>/<str:secret>/", endpoints.centralstation_hook, name="centralstation_hook"
    ),
    path("accounts/", include("allauth.account.urls")),
    path("", include("dashboard.urls")),
]
