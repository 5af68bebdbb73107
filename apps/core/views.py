"""What operators and their tools look at."""

import secrets
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from apps.core import backlog, health

LOOPBACK = ("127.0.0.1", "::1")


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 if the work gets done, 503 if not; what was looked at is named."""
    checks = health.checks()
    is_ready = all(check.is_ok for check in checks)
    body = {
        "status": "ok" if is_ready else "unavailable",
        "checks": {check.name: {"ok": check.is_ok, "detail": check.detail} for check in checks},
    }
    return JsonResponse(body, status=200 if is_ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format: the counters of all processes, and what waits now."""
    if not _may_look(request):
        words = "Send METRICS_TOKEN as a bearer token." if settings.METRICS_TOKEN else "Open on loopback only."
        body = {"detail": words, "error": {"code": "permission_denied", "message": words, "details": None}}
        return JsonResponse(body, status=403)
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _may_look(request: HttpRequest) -> bool:
    """With the token, if there is one; else from this machine, and not through a proxy on it."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return secrets.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    return request.META["REMOTE_ADDR"] in LOOPBACK and "X-Forwarded-For" not in request.headers


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Backlog())
    registry.register(_Processes(Path(settings.METRICS_DIR)) if settings.METRICS_DIR else _ThisProcess())
    return registry


class _Backlog(Collector):
    """What waits, counted now."""

    def collect(self) -> Iterator[Metric]:
        for figure in backlog.figures():
            family = GaugeMetricFamily(figure.name, figure.description, labels=[figure.label] if figure.label else [])
            for label, value in figure.values.items():
                family.add_metric([label] if figure.label else [], value)
            yield family


class _Processes(Collector):
    """The counters of every process, which leave them in files below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        files = [str(path) for path in self._folder.rglob("*.db")]
        yield from MultiProcessCollector.merge(files, accumulate=True)


class _ThisProcess(Collector):
    """The counters of a process that runs alone."""

    def collect(self) -> Iterator[Metric]:
        yield from REGISTRY.collect()
