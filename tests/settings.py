"""The product's settings, for tests: data in a directory of their own, and nothing else made easier."""

import atexit
import os
import shutil
import tempfile

if "CRMSYNC_DATA" not in os.environ:
    os.environ["CRMSYNC_DATA"] = tempfile.mkdtemp(prefix="crmsync-tests-")
    atexit.register(shutil.rmtree, os.environ["CRMSYNC_DATA"], ignore_errors=True)
os.environ.setdefault("SECRET_KEY", "tests-only-" + "x" * 50)

from crmsync.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

# Each process counts sign-in attempts for itself, or tests that run side by side would lock each other out.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Contacts are reconciled in threads. In memory SQLite would lock them out of each other's tables; a file is what the product has, too.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": str(CRMSYNC_DATA / "test.sqlite3")}  # noqa: F405
