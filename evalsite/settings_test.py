"""Settings for the test run: the same file, with a throw-away data folder and fast password hashing."""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("BLINDSCOPE_SECRET_KEY", "only-for-tests")
if "BLINDSCOPE_DATA_DIR" not in os.environ:
    os.environ["BLINDSCOPE_DATA_DIR"] = tempfile.mkdtemp(prefix="blindscope-test-")
    atexit.register(shutil.rmtree, os.environ["BLINDSCOPE_DATA_DIR"], ignore_errors=True)

from evalsite.settings import *  # noqa: F403

# Most tests are about pages behind these locks; evalsite/tests/test_sign_in.py switches them on.
STAFF_MFA = REAUTHENTICATION = False
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# A file, not memory: the browser test's server threads need connections of their own.
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}  # noqa: F405
