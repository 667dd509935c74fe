"""Sign-in: accounts are made by an administrator, never by a visitor."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Closes the sign-up page, whose view then says so."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
