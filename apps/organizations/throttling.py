"""Throttles of the sign-in routes."""

import structlog
from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

logger = structlog.get_logger(__name__)


class SignInThrottle(ScopedRateThrottle):
    """The rate of the view's `throttle_scope`, per address.

    Without Redis it lets everyone in: people must be able to sign in, and the lock-out (in the database) still holds.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether this address may ask again already."""
        try:
            return super().allow_request(request, view)
        except RedisError as error:
            logger.warning("throttle_open", scope=self.scope, reason=type(error).__name__)
            return True
