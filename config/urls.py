"""Every route. Those of the API end without a slash: the middleware takes it away before routing."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views import defaults
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

admin.site.site_header = admin.site.site_title = "Recado"


@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """Says that this process answers; /readyz says whether the work gets done."""
    return JsonResponse({"status": "ok"})


def not_found(request: HttpRequest, exception: Exception, **_: Any) -> HttpResponse:
    """An unknown address: told in JSON below /api."""
    if request.path.startswith("/api/"):
        return _error(404, "not_found", "Not found.")
    return defaults.page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """A fault of ours: told in JSON below /api, without details."""
    if request.path.startswith("/api/"):
        return _error(500, "internal_error", "Something went wrong on our side.")
    return defaults.server_error(request)


def _error(status: int, code: str, message: str) -> JsonResponse:
    body = {"detail": message, "error": {"code": code, "message": message, "details": None}}
    return JsonResponse(body, status=status)


handler404 = "config.urls.not_found"
handler500 = "config.urls.failed"

api: list[URLPattern | URLResolver] = [
    path("health", alive),
    path("", include("apps.organizations.urls")),
    path("", include("apps.contacts.urls")),
    path("", include("apps.conversations.urls")),
    path("", include("apps.handover.urls")),
    path("", include("apps.flows.urls")),
    path("", include("apps.meta.urls")),
    path("", include("apps.whatsapp.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(api)),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema")),
    path("healthz", alive),
    path("", include("apps.core.urls")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]
