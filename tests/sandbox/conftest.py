from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.support.business import CUSTOMER, Business
from tests.support.meta import SandboxServer


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[SandboxServer]:
    server = SandboxServer().start()
    yield server
    server.stop()


@pytest.fixture
def business(running_sandbox: SandboxServer, httpserver: HTTPServer) -> Iterator[Business]:
    """A business whose customer has just written, so that its window is open."""
    business = Business(running_sandbox)
    running_sandbox.reset()
    httpserver.expect_request("/webhook", method="POST").respond_with_handler(business.take)
    running_sandbox.configure(webhook_url=httpserver.url_for("/webhook"))
    running_sandbox.say("Oi", customer=CUSTOMER, name="Ana")
    business.webhooks.clear()
    yield business
    running_sandbox.reset()


@pytest.fixture
def meta(business: Business) -> SandboxServer:
    return business.meta


@pytest.fixture
def refused(business: Business) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Send what Graph must refuse; its error, once it is sure that nothing was accepted."""

    def send(content: dict[str, Any]) -> dict[str, Any]:
        response = business.send(content)
        error: dict[str, Any] = response.json()["error"]
        assert business.meta.sent() == []
        return error | {"status": response.status_code}

    return send
