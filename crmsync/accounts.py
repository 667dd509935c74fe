"""Who may sign in, and as what. Accounts are made by an administrator, never by a visitor."""

from enum import StrEnum

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest


class Role(StrEnum):
    """A group of the same name, made by a migration with its permissions."""

    VIEWER = "viewer"  # sees
    OPERATOR = "operator"  # retries, resolves, runs
    ADMINISTRATOR = "administrator"  # connections, mappings, people


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Closes the sign-up page, whose view then says so."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class AccountExists(Exception):
    """There is an account with this e-mail address."""


@transaction.atomic
def add_account(email: str, role: Role, password: str) -> User:
    """An account that can sign in at once. Raises `AccountExists`."""
    email = email.lower()
    if User.objects.filter(email__iexact=email).exists():
        raise AccountExists(email)
    user = User.objects.create_user(username=email, email=email, password=password)
    user.groups.set([Group.objects.get(name=role)])
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def role_of(user: User) -> Role | None:
    """The account's highest role, None where it has none."""
    names = set(user.groups.values_list("name", flat=True))
    return next((role for role in reversed(Role) if role in names), None)
