import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from apps.core.middleware import strip_trailing_slash


@pytest.mark.parametrize(
    ("asked", "routed"),
    [
        ("/api/v1/flows/", "/api/v1/flows"),
        ("/api/v1/flows", "/api/v1/flows"),
        ("/api/v1/flows//", "/api/v1/flows"),
        ("/api/", "/api"),
        ("/admin/", "/admin/"),
        ("/apiary/", "/apiary/"),
        ("/", "/"),
    ],
)
def test_only_api_paths_lose_their_trailing_slash(asked: str, routed: str) -> None:
    seen: list[str] = []

    def answer(request: HttpRequest) -> HttpResponse:
        seen.append(request.path_info)
        return HttpResponse()

    strip_trailing_slash(answer)(RequestFactory().get(asked))
    assert seen == [routed]


async def test_the_middleware_stays_asynchronous_in_an_asynchronous_stack() -> None:
    async def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.path_info)

    middleware = strip_trailing_slash(answer)
    assert iscoroutinefunction(middleware)
    response = await middleware(RequestFactory().get("/api/v1/flows/"))
    assert response.content == b"/api/v1/flows"
