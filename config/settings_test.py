"""Settings of the test run: the same, with fast password hashes and its own secrets."""

import os

os.environ.setdefault("SECRET_KEY", "test-secret-key-that-is-long-enough-for-hs256")
os.environ.setdefault("ENCRYPTION_KEYS", "dGVzdC1lbmNyeXB0aW9uLWtleS0zMi1ieXRlcy1sb24=")
os.environ.setdefault("META_APP_SECRET", "test-app-secret")
os.environ.setdefault("META_VERIFY_TOKEN", "test-verify-token")
os.environ.setdefault("REGISTRATION", "open")
os.environ.setdefault("VERIFY_OWNERSHIP", "0")
os.environ.setdefault("THROTTLE_REGISTER", "10000/hour")
os.environ.setdefault("THROTTLE_LOGIN", "10000/min")
os.environ.setdefault("THROTTLE_REFRESH", "10000/min")

from config.settings import *  # noqa: F403
from config.settings import DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["OPTIONS"].pop("pool")  # the test runner creates and drops its database: no idle connections
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
