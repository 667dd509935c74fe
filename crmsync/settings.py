"""Django's settings. Every value that differs between installations comes from the environment, read once, here.

Safe on a laptop with nothing set; README.md, Configuration, has the table.
"""

from pathlib import Path

import environ

from crmsync import configuration

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Where the SQLite file, generated secrets and collected static files live.
CRMSYNC_DATA = configuration.data_directory(BASE_DIR / ".crmsync")

# Shows tracebacks to visitors: for developing only.
DEBUG = configuration.flag("DEBUG", default=False)

# Public address. By https it switches secure cookies, HSTS and the redirect from http on.
_base_url = configuration.base_url("http://127.0.0.1:8000")
BASE_URL = _base_url.geturl()
IS_HTTPS = _base_url.scheme == "https"

# Further host names, comma separated. BASE_URL's and this machine's own are always allowed.
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", default=[]), str(_base_url.hostname), "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [f"{_base_url.scheme}://{_base_url.netloc}"]

DATABASE_URL = env.str("DATABASE_URL", default="")
DATABASES = {"default": configuration.database(DATABASE_URL, CRMSYNC_DATA)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = configuration.secret_key(CRMSYNC_DATA, embedded=not DATABASE_URL)
CREDENTIAL_KEYS = configuration.credential_keys(CRMSYNC_DATA, embedded=not DATABASE_URL)

# Broker of the background work, and cache. Without it the database is the broker and files are the cache.
REDIS_URL = configuration.redis_url(env.str("REDIS_URL", default=""))

INSTALLED_APPS = [
    "crmsync",  # before django_q, whose `qcluster` it replaces
    "dashboard",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "django_htmx",
    "django_q",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crmsync.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.zones.browsers_zone",
]

ROOT_URLCONF = "crmsync.urls"
WSGI_APPLICATION = "crmsync.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Shared by all processes, for sign-in's rate limits count attempts in it.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(CRMSYNC_DATA / "cache")},
}

# --- Background work (django-q2) ---

# Worker processes of one `qcluster`.
CRMSYNC_WORKERS = configuration.number("CRMSYNC_WORKERS", default=2, most=64)

Q_CLUSTER = {
    "name": "crmsync",
    "workers": CRMSYNC_WORKERS,
    "timeout": 300,  # seconds; a job ends by its own deadline, long before
    "retry": 360,  # seconds; must be above timeout, or a slow job runs twice
    # A job is a nudge to look for due work. What failed is due again, so the queue itself repeats nothing.
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,  # successes aren't stored: each one stored makes the next slower
    "catch_up": False,
    "poll": 0,  # our broker does the waiting
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default", "broker_class": "crmsync.broker.WakeUpBroker"}),
}

# Days after which the record of a change is deleted.
CHANGES_KEPT_DAYS = configuration.number("CHANGES_KEPT_DAYS", default=400, most=36_500)

# --- Sign-in (django-allauth) ---

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "crmsync.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by an administrator, who knows the address
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[crmsync] "
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_SESSION_REMEMBER = None  # the user says
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _base_url.scheme
# An https address means one proxy in front of us: its X-Forwarded-For is whom the rate limits count.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if IS_HTTPS else 0

EMAIL_URL = env.str("EMAIL_URL", default="")
globals().update(configuration.email(EMAIL_URL))
DEFAULT_FROM_EMAIL = f"crmsync@{_base_url.hostname}"

# Alerts may be posted by http and to private networks: for trying things out, and where all who sign in are trusted with the network.
ALERTS_TO_ANY_ADDRESS = configuration.flag("ALERTS_TO_ANY_ADDRESS", default=False)

# --- Security ---

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked from within, by http
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
# TLS ends at a proxy, for `serve` speaks http; it must set or strip this header.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
# Whether *other* hosts of the domain must be https isn't for us to say (W005), still less browsers' preload lists (W021).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# --- Language, time, static files ---

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = CRMSYNC_DATA / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "crmsync.staticfiles.HashedOnceCollected"},
}
WHITENOISE_USE_FINDERS = True  # plain names, for tests and `runserver`, which collect nothing

# --- Logs: one line an event, on standard error ---

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "crmsync.logs.LineFormatter"}},
    "filters": {"mask": {"()": "crmsync.logs.MaskSecrets"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["mask"]}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        # At INFO they would name every URL, with the e-mail addresses that we search for.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # At INFO it says four lines a job, and jobs are nudges.
        "django-q": {"level": "WARNING"},
        "django": {"level": "INFO", "handlers": [], "propagate": True},
    },
}
