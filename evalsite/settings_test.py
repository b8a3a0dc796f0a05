"""Settings for the test run: the same file, with a throw-away data folder and fast password hashing."""

import os
import tempfile

os.environ.setdefault("BLINDSCOPE_DEBUG", "True")
os.environ.setdefault("BLINDSCOPE_DATA_DIR", tempfile.mkdtemp(prefix="blindscope-test-"))

from evalsite.settings import *  # noqa: E402, F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
