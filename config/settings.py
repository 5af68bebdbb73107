"""Every setting, read from the environment. The table in README.md explains each variable."""

from datetime import timedelta
from pathlib import Path

import environ
import structlog
from django.core.exceptions import ImproperlyConfigured

from apps.core import logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")
environ.Env.read_env(BASE_DIR / ".local" / "env")  # what `make run` made: its secrets and its engines

# --- Django ---------------------------------------------------------------------------------------------------------
PORT = env.int("PORT", 8000)
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY")
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_EXPOSE_HEADERS = ["Link", "X-Total-Count", "X-Total-Count-Capped", "X-Page", "X-Per-Page"]
PUBLIC_URL = env.str("PUBLIC_URL", f"http://127.0.0.1:{PORT}")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "axes",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "apps.core",
    "apps.organizations",
    "apps.contacts",
    "apps.conversations",
    "apps.handover",
    "apps.flows",
    "apps.meta",
    "apps.whatsapp",
    "apps.sandbox",
]

MIDDLEWARE = [
    "apps.core.middleware.strip_trailing_slash",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.core.middleware.RequestLog",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
APPEND_SLASH = False
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# where nothing was collected (the image collects), files are served from where they lie
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not STATIC_ROOT.exists()
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024  # a canvas of 10 MB passes, with room for its envelope
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
EMAIL_TIMEOUT = 10
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env("EMAIL_FROM", default="recado@localhost")

# --- PostgreSQL and Redis -------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"].update(
    ENGINE="django.db.backends.postgresql",
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        # a short `reconnect_timeout`: attempts begin anew, instead of minutes apart once PostgreSQL was away for long
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", 12),
            "timeout": 5,
            "reconnect_timeout": 5,
        },
        # short queries only: parallel plans and JIT cost more than they give (docs/decisions/0001)
        "options": "-c jit=off -c max_parallel_workers_per_gather=0",
    },
)
REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},  # nobody waits long for a Redis that is away
    }
}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}

# --- Celery: nudges and sweeps --------------------------------------------------------------------------------------
SWEEP_SECONDS = env.float("SWEEP_SECONDS", 1.0)
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 1}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_DB_REUSE_MAX = 1_000  # tasks, before a process opens its pool anew (config/celery.py)
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULE = {
    name: {"task": f"apps.{task}", "schedule": seconds, "options": {"expires": max(seconds, 2)}}
    for name, task, seconds in [
        ("drain", "conversations.tasks.drain_events", SWEEP_SECONDS),
        ("turns", "conversations.tasks.take_turns", SWEEP_SECONDS),
        ("delivery", "conversations.tasks.deliver_messages", SWEEP_SECONDS),
        ("outbox", "core.tasks.publish_outbox", SWEEP_SECONDS),
        ("settle", "conversations.tasks.settle_unknown", 10 * SWEEP_SECONDS),
        ("join-parked", "conversations.tasks.join_parked", 60.0),
        ("heartbeat", "core.tasks.beat_heartbeat", 5.0),
        ("prune", "conversations.tasks.prune", 3600.0),
        ("prune-outbox", "core.tasks.prune_outbox", 3600.0),
        ("flow-visits", "flows.tasks.keep_visits", 3600.0),
    ]
}

# --- Sign-in and REST -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "organizations.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    # an inactive person with the right password is told so; who lets people in checks `is_active`
    "django.contrib.auth.backends.AllowAllUsersModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=30)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "apps.organizations.lockout.name_of"
AXES_CLIENT_IP_CALLABLE = "apps.organizations.lockout.address_of"
AXES_RESET_ON_SUCCESS = True
PROXY_COUNT = env.int("PROXY_COUNT", 0)  # of our own, before us: only what they add to X-Forwarded-For is believed
REGISTRATION = env.str("REGISTRATION", "closed")
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "USER_ID_CLAIM": "sub",
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.organizations.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.organizations.permissions.RolePermission"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {
        "register": env.str("THROTTLE_REGISTER", "10/hour"),
        "login": env.str("THROTTLE_LOGIN", "5/min"),
        "refresh": env.str("THROTTLE_REFRESH", "60/min"),
    },
    "NUM_PROXIES": PROXY_COUNT,
    "EXCEPTION_HANDLER": "apps.core.exception_handler.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Recado",
    "DESCRIPTION": "A company's conversations on WhatsApp, Instagram and Messenger.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Meta -----------------------------------------------------------------------------------------------------------
SANDBOX = env.bool("SANDBOX", False)
SANDBOX_URL = env.str("SANDBOX_URL", f"http://127.0.0.1:{PORT}/sandbox")
if SANDBOX and not SANDBOX_URL.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]")):
    raise ImproperlyConfigured("SANDBOX=1 plays Meta without a password: it is refused off loopback.")
META_GRAPH_URL = env.str("META_GRAPH_URL", f"{SANDBOX_URL}/graph" if SANDBOX else "https://graph.facebook.com")
META_INSTAGRAM_GRAPH_URL = env.str(
    "META_INSTAGRAM_GRAPH_URL", f"{SANDBOX_URL}/graph" if SANDBOX else "https://graph.instagram.com"
)
META_GRAPH_VERSION = env.str("META_GRAPH_VERSION", "v25.0")
META_APP_ID = env.str("META_APP_ID", "")
META_APP_SECRET = env.str("META_APP_SECRET", "")
META_VERIFY_TOKEN = env.str("META_VERIFY_TOKEN", "")
INSTAGRAM_APP_ID = env.str("INSTAGRAM_APP_ID", "")
INSTAGRAM_APP_SECRET = env.str("INSTAGRAM_APP_SECRET", "")
VERIFY_OWNERSHIP = env.bool("VERIFY_OWNERSHIP", True)
META_CONNECT_TIMEOUT = env.float("META_CONNECT_TIMEOUT", 3.0)  # seconds
META_READ_TIMEOUT = env.float("META_READ_TIMEOUT", 10.0)  # seconds

# --- The straight line ----------------------------------------------------------------------------------------------
RESPONDERS = ["flows", "agents", "handover"]
DEMO = env.bool("DEMO", False)
EGRESS_ALLOW = env.list("EGRESS_ALLOW", default=[])
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# the folder below which all processes leave their counters; the library reads the second variable itself
METRICS_DIR = env.str("METRICS_DIR", env.str("PROMETHEUS_MULTIPROC_DIR", ""))
INTAKE_QUEUE_SIZE = env.int("INTAKE_QUEUE_SIZE", 10_000)  # bodies waiting for the next commit, a process
LEASE_SECONDS = env.float("LEASE_SECONDS", 30.0)  # a turn's or a delivery's hold on its conversation
DELIVERY_CONCURRENCY = env.int("DELIVERY_CONCURRENCY", 64)  # sends in flight, a worker task
RETRY_MINUTES = env.float("RETRY_MINUTES", 10.0)  # a head message is retried this long
UNKNOWN_HOLD_SECONDS = env.float("UNKNOWN_HOLD_SECONDS", 30.0)  # how long an unknown outcome holds up the next message
UNKNOWN_EVIDENCE_SECONDS = env.float("UNKNOWN_EVIDENCE_SECONDS", 120.0)  # silence that counts as evidence
FLOW_VISITS_DAYS = env.int("FLOW_VISITS_DAYS", 400)  # the numbers of flows go back so far
READY_OLDEST_SECONDS = env.float("READY_OLDEST_SECONDS", 30.0)  # an event waiting longer turns /readyz red

# --- Logs -----------------------------------------------------------------------------------------------------------
LOG_FORMAT = env.str("LOG_FORMAT", "json")  # json | console
_shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_renderer: structlog.typing.Processor = (
    structlog.processors.JSONRenderer(logs.dumps)
    if LOG_FORMAT == "json"
    else structlog.dev.ConsoleRenderer(colors=False)
)
structlog.configure(
    processors=[
        *_shared_processors,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared_processors,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([structlog.processors.ExceptionRenderer(logs.frames)] if LOG_FORMAT == "json" else []),
                _renderer,
            ],
        }
    },
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["stdout"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        name: {"level": "WARNING"}
        for name in (
            "django_structlog",
            "axes",
            "celery.beat",
            "celery.worker.request",
            "celery.worker.strategy",
            "celery.app.trace",
            "uvicorn",
        )
    },
}
