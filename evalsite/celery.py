"""The Celery application: Redis when REDIS_URL is set, otherwise the embedded file broker."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")

app = Celery("blindscope")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
