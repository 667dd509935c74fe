"""Who may sign in: invited by a link that lets them choose a password, given another role, removed. One administrator always remains."""

from __future__ import annotations

import logging
import secrets
from smtplib import SMTPException

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group, User
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crmsync.accounts import AccountExists, Role, add_account, role_of
from crmsync.models import Act
from crmsync.sync import audit, saved_views
from crmsync.sync.actions import ActionError
from crmsync.sync.setup import SetupError

log = logging.getLogger(__name__)
By = AbstractBaseUser | None


def add(email: str, role: Role, password: str, by: By = None) -> User:
    """An account with a password that somebody typed. Raises `SetupError`."""
    user = _added(email, role, password)
    audit.record(by, Act.PERSON_ADDED, user, after={"role": role})
    return user


def invite(email: str, role: Role, by: By = None) -> User:
    """An account that waits for its password, which the link of `send_invitation` or `invitation` lets choose. Raises `SetupError`."""
    user = _added(email, role, secrets.token_urlsafe(32))
    user.set_unusable_password()
    user.save(update_fields=["password"])
    audit.record(by, Act.PERSON_INVITED, user, after={"role": role})
    return user


def _added(email: str, role: Role, password: str) -> User:
    try:
        return add_account(email, role, password)
    except AccountExists as error:
        raise SetupError(_("There is an account with this e-mail address already."), "email") from error


def invitation(user: User) -> str:
    """A link by which this person chooses a password. It ends by itself, when it was used, and when the person has signed in."""
    key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return settings.BASE_URL.rstrip("/") + reverse("account_reset_password_from_key", kwargs=key)


def send_invitation(user: User) -> bool:
    """By e-mail; False where none can be sent, and the link has to be handed over."""
    if not settings.EMAIL_URL:
        return False
    days = settings.PASSWORD_RESET_TIMEOUT // 86_400
    text = _("You can use crmsync from now on. Choose your password here, within %(days)s days:\n\n%(link)s\n")
    try:
        send_mail(_("[crmsync] Your invitation"), text % {"days": days, "link": invitation(user)}, None, [user.email])
    except (OSError, SMTPException) as error:
        log.warning("an invitation couldn't be sent", extra={"user": user.pk, "error": type(error).__name__})
        return False
    return True


def resend(user: User, by: By = None) -> bool:
    """Invite once more somebody who hasn't signed in yet. As `send_invitation`; raises `ActionError`."""
    if user.has_usable_password() or user.last_login or not user.is_active:
        raise ActionError(_("%(email)s needs no invitation any more.") % {"email": user.email})
    audit.record(by, Act.PERSON_INVITED, user)
    return send_invitation(user)


def set_password(user: User, password: str, by: By = None) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(by, Act.PASSWORD_REPLACED, user)


def change_role(user: User, role: Role, by: By = None) -> None:
    """Raises `ActionError` for the last administrator."""
    before = role_of(user)
    with transaction.atomic():
        if role is not Role.ADMINISTRATOR:
            _require_another_administrator(user)
        user.groups.remove(*Group.objects.filter(name__in=list(Role)))
        user.groups.add(Group.objects.get(name=role))
        if before != role:
            audit.record(by, Act.ROLE_CHANGED, user, {"role": before}, {"role": role})


def set_access(user: User, *, is_active: bool, by: By = None) -> None:
    """Take access away, at once and in all browsers, or give it back. Raises `ActionError` for the last administrator."""
    with transaction.atomic():
        if not is_active:
            _require_another_administrator(user)
        user.is_active = is_active
        user.save(update_fields=["is_active"])
        audit.record(by, Act.ACCESS_GIVEN if is_active else Act.ACCESS_TAKEN, user)


def remove(user: User, by: By = None) -> None:
    """Delete the account; what the person did stays in the audit log by name. Raises `ActionError` for the last administrator."""
    with transaction.atomic():
        _require_another_administrator(user)
        audit.record(by, Act.PERSON_REMOVED, user, before={"role": role_of(user)})
        saved_views.outlive(user)
        user.delete()


def _require_another_administrator(user: User) -> None:
    """One who can sign in: not somebody invited who never did. Locks them all, so that two can't remove each other."""
    rows = User.objects.select_for_update().filter(is_active=True, groups__name=Role.ADMINISTRATOR)
    able = [one.pk for one in rows if one.has_usable_password() or one.last_login]
    if user.pk in able and able == [user.pk]:
        raise ActionError(_("%(email)s is the last administrator. Make somebody else an administrator first.") % {"email": user.email})
