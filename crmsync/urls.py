"""Every address there is: what machines call, sign-in, and the staff's pages."""

from django.urls import include, path

from crmsync import endpoints

urlpatterns = [
    path("healthz", endpoints.healthz, name="healthz"),
    path("accounts/", include("allauth.account.urls")),
    path("", include("dashboard.urls")),
]
