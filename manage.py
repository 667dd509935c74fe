#!/usr/bin/env python
"""The command line's one door. What a user can put right is one line on standard error, never a traceback."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db.utils import DatabaseError
    except ImportError:
        sys.exit("crmsync's libraries are not installed here: pip install -r requirements.txt")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        stop(f"Configuration: {error}", error)
    except DatabaseError as error:
        stop(f"Database: {str(error).strip()} (is it reachable, and did you run: python manage.py migrate?)", error)
    except KeyboardInterrupt:
        sys.exit(130)


def stop(message: str, error: Exception) -> None:
    """End with status 1 and one line, unless the user asked for the traceback."""
    if "--traceback" in sys.argv:
        raise error
    sys.exit(" ".join(message.split()))


if __name__ == "__main__":
    main()
