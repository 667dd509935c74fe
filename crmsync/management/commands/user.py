"""`manage.py user`: who may sign in."""

from argparse import ArgumentTypeError
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from crmsync.accounts import Role, role_of
from crmsync.management.command import SubCommands, secret_from_stdin
from crmsync.sync import people
from crmsync.sync.setup import SetupError


def email_address(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError as error:
        raise ArgumentTypeError(f"{text!r} is not an e-mail address") from error
    return text


class Command(SubCommands):
    help = "Adds and lists the accounts that may sign in."

    def add_actions(self) -> None:
        add = self.add_action("add", self.add, "Add an account that can sign in at once.")
        add.add_argument("email", type=email_address, metavar="EMAIL")
        add.add_argument("--role", required=True, choices=[str(role) for role in Role])
        add.add_argument("--password-stdin", required=True, action="store_true", help="Read the password from standard input.")
        password = self.add_action("password", self.password, "Give an account a new password.")
        password.add_argument("email", type=email_address, metavar="EMAIL")
        password.add_argument("--password-stdin", required=True, action="store_true", help="Read the password from standard input.")
        self.add_action("list", self.list, "List all accounts.")

    def add(self, options: dict[str, Any]) -> None:
        email, role, password = options["email"], Role(options["role"]), self._password()
        try:
            user = people.add(email, role, password)
        except SetupError as error:
            raise CommandError(_("There is an account with this e-mail address already: %s") % email) from error
        self.show(options, _row(user), _("%(email)s can sign in now, as %(role)s.") % {"email": user.email, "role": role})

    def password(self, options: dict[str, Any]) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(_("There is no account with this e-mail address: %s") % options["email"])
        people.set_password(user, self._password())
        self.show(options, _row(user), _("%s has a new password.") % user.email)

    def list(self, options: dict[str, Any]) -> None:
        self.show_all(options, map(_row, User.objects.prefetch_related("groups").order_by("email")))

    def _password(self) -> str:
        """Who runs this command decides how strong a password must be here; a weak one is only remarked on."""
        password = secret_from_stdin("password")
        try:
            validate_password(password)
        except ValidationError as error:
            self.tell(_("Warning: the password is weak. %s") % " ".join(error.messages))
        return password


def _row(user: User) -> dict[str, Any]:
    return {"id": user.pk, "email": user.email, "role": role_of(user), "is_active": user.is_active}
