"""What a web server loads: `crmsync.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")

application = get_wsgi_application()
