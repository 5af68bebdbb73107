"""What happens to every request before its route is looked up."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django_structlog.middlewares import RequestMiddleware

_Answer = HttpResponseBase | Awaitable[HttpResponseBase]


@sync_and_async_middleware
def strip_trailing_slash(get_response: Callable[[HttpRequest], _Answer]) -> Callable[[HttpRequest], _Answer]:
    """Every API path works with and without its trailing slash, with no redirect (one would lose a POST's body)."""

    def middleware(request: HttpRequest) -> _Answer:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
        return get_response(request)

    if iscoroutinefunction(get_response):
        markcoroutinefunction(middleware)
    return middleware


class RequestLog(RequestMiddleware):
    """Logs refused and failed requests, without their query strings: those hold tokens, names and numbers."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method and path."""
        return f"{request.method} {request.path}"
