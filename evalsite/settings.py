"""All settings of Blindscope; every environment variable is read here (see docs/settings.md)."""

from pathlib import Path
from typing import Any

import dj_database_url

from evalsite.env import env_bool, env_int, env_list, env_secret, env_str, mail_settings, oidc_provider

BASE_DIR = Path(__file__).resolve().parent.parent

# -- Core --------------------------------------------------------------------------------------------------------------
DEBUG = env_bool("BLINDSCOPE_DEBUG", False)
# True on the demo site: the sign-in page then prints the demo's own logins. Never set it on a site with real raters.
DEMO_SITE = env_bool("BLINDSCOPE_DEMO", False)

# Everything that Blindscope writes lies under this folder: database, artifacts, broker files.
DATA_DIR = Path(env_str("BLINDSCOPE_DATA_DIR", str(BASE_DIR / "var"))).resolve()
SECRET_KEY = env_secret("BLINDSCOPE_SECRET_KEY", own_file=DATA_DIR / "secret-key" if DEBUG or DEMO_SITE else None)
ALLOWED_HOSTS = env_list("BLINDSCOPE_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("BLINDSCOPE_CSRF_TRUSTED_ORIGINS", [])
ROOT_URLCONF = "evalsite.urls"
WSGI_APPLICATION = "evalsite.wsgi.application"

ARTIFACTS_URL = env_str("BLINDSCOPE_ARTIFACTS_URL", str(DATA_DIR / "artifacts"))
# With artifacts in an object store: where this machine keeps copies, and an S3 server other than Amazon's.
ARTIFACTS_CACHE = env_str("BLINDSCOPE_ARTIFACTS_CACHE", str(DATA_DIR / "artifact-cache"))
S3_ENDPOINT = env_str("BLINDSCOPE_S3_ENDPOINT", "")
# Trained weights, tokenizer and provenance that ship with the repository.
SHIPPED_NETWORKS_DIR = BASE_DIR / "neurons" / "shipped"

INSTALLED_APPS = [
    "analysis",
    "annotation",
    "annotation.sealed",
    "neurons",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "evalsite",  # after allauth, one of whose signals it takes over
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Before the check of form tokens, whose refusal would tell that an address exists.
    "evalsite.access.RoleGateMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "evalsite" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "evalsite.access.role_context",
            ],
        },
    },
]

# -- Database ----------------------------------------------------------------------------------------------------------
DATABASES = {
    "default": dj_database_url.parse(
        env_str("DATABASE_URL", f"sqlite:///{DATA_DIR / 'blindscope.sqlite3'}"), conn_max_age=60
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Write-ahead log: readers never wait for the one writer. IMMEDIATE: a transaction takes its write lock at the
    # start, so two raters who save at once wait for each other instead of failing half-way.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Queue -------------------------------------------------------------------------------------------------------------
REDIS_URL = env_str("REDIS_URL", "")
BROKER_DIR = DATA_DIR / "broker"
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any]
if not REDIS_URL:
    # The embedded broker: messages are files in one folder, so no server has to be installed.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}
# Long work on networks has a queue of its own, so that machines with graphics cards do that and nothing else
# (-Q neurons) and a report never waits behind a harvest (-Q celery). A worker that names no queue serves both.
CELERY_TASK_QUEUES = {name: {"exchange": name} for name in ("celery", "neurons")}
CELERY_TASK_ROUTES = {"neurons.*": {"queue": "neurons"}}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1

CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(DATA_DIR / "cache")}
    )
}

# -- Sign-in -----------------------------------------------------------------------------------------------------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",  # signing in with an e-mail address
]
# Nobody makes an account without an invitation (evalsite.people.adapters); the rest is allauth's.
ACCOUNT_ADAPTER = "evalsite.people.adapters.AccountAdapter"
ACCOUNT_FORMS = {"login": "evalsite.people.sign_in.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION = "none"  # invitations bring the address; it can be verified on the account's page
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no mail to addresses that have no account here
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Blindscope] "
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {"login": "120/m/ip"}  # a room of raters behind one address; else as usual
ALLAUTH_TRUSTED_PROXY_COUNT = env_int("BLINDSCOPE_PROXIES", 0)
# A second factor: an app that shows codes, a passkey or other security key, and codes on paper for the day it is lost.
STAFF_MFA = env_bool("BLINDSCOPE_STAFF_MFA", not (DEBUG or DEMO_SITE))
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # there is no sign-up in which a stranger's address could be claimed
MFA_TOTP_ISSUER = "Blindscope"
# Acts that ask who is there once more, and for how long the answer holds (evalsite.reauthentication).
REAUTHENTICATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds
# Signing in through a university or company, by OpenID Connect, once its four values are given.
SOCIALACCOUNT_ADAPTER = "evalsite.people.adapters.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = oidc_provider(
    name=env_str("BLINDSCOPE_OIDC_NAME", ""),
    server_url=env_str("BLINDSCOPE_OIDC_SERVER_URL", ""),
    client_id=env_str("BLINDSCOPE_OIDC_CLIENT_ID", ""),
    secret=env_str("BLINDSCOPE_OIDC_SECRET", ""),
)
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True  # who owns an address there owns the account of that address here
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True

# -- E-mail ------------------------------------------------------------------------------------------------------------
MAIL = mail_settings(env_str("BLINDSCOPE_EMAIL_URL", "file:"))
EMAIL_BACKEND, EMAIL_FILE_PATH = MAIL.backend, str(DATA_DIR / "mail")
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.host, MAIL.port, MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = MAIL.use_tls, MAIL.use_ssl, 20
DEFAULT_FROM_EMAIL = env_str("BLINDSCOPE_EMAIL_FROM", "blindscope@localhost")

# -- Browser security --------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_AGE = 14 * 24 * 3600  # seconds; a rater comes back over days
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
HTTPS = env_bool("BLINDSCOPE_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

# -- Language, time, files ---------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"  # for whoever's browser asks for a language that is not shipped
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "evalsite" / "locale"]
# Numbers are written alike in every language: they also stand in styles, drawings, scripts and fields of forms.
FORMAT_MODULE_PATH = "evalsite.formats"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600  # seconds
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "evalsite" / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
# SQLite does not make its folder, and WhiteNoise warns about a missing one.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)

# -- Blindscope --------------------------------------------------------------------------------------------------------
TORCH_THREADS = env_int("BLINDSCOPE_TORCH_THREADS", 0)  # 0: torch decides
DEVICE = env_str("BLINDSCOPE_DEVICE", "cpu")
# A shard of a harvest whose worker has not been heard of for so long is given to another one.
HARVEST_LEASE_SECONDS = env_int("BLINDSCOPE_HARVEST_LEASE_SECONDS", 60)
HARVEST_CHECKPOINT_SECONDS = env_int("BLINDSCOPE_HARVEST_CHECKPOINT_SECONDS", 60)
# The service that reads texts for pages: path of a Unix socket or host:port; empty: a socket in the data folder.
INFERENCE_ADDRESS = env_str("BLINDSCOPE_INFERENCE_ADDRESS", "")
INFERENCE_AUTOSTART = env_bool("BLINDSCOPE_INFERENCE_AUTOSTART", True)  # pages start it when they need it
INFERENCE_IDLE_SECONDS = env_int("BLINDSCOPE_INFERENCE_IDLE_SECONDS", 900)
INFERENCE_MEMORY_MB = env_int("BLINDSCOPE_INFERENCE_MEMORY_MB", 1024)
INFERENCE_THREADS = env_int("BLINDSCOPE_INFERENCE_THREADS", 1)

# -- Raters from crowd providers, and the API --------------------------------------------------------------------------
PROLIFIC_API = env_str("BLINDSCOPE_PROLIFIC_API", "https://api.prolific.com")
PROLIFIC_TOKEN = env_str("BLINDSCOPE_PROLIFIC_TOKEN", "")
PROLIFIC_WEBHOOK_SECRET = env_str("BLINDSCOPE_PROLIFIC_WEBHOOK_SECRET", "")
# Hosts that participants may be sent back to, and nowhere else.
CROWD_RETURN_HOSTS = env_list("BLINDSCOPE_CROWD_RETURN_HOSTS", ["app.prolific.com"])
# Key of the hashes of providers' ids; empty: the secret key. Another key makes strangers of all who came before.
CROWD_HASH_KEY = env_str("BLINDSCOPE_CROWD_HASH_KEY", "")
API_RATE = env_str("BLINDSCOPE_API_RATE", "600/min")  # requests of one API token

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env_str("BLINDSCOPE_LOG_LEVEL", "INFO")},
}
