"""Where sockets go."""

from channels.routing import URLRouter
from django.urls import re_path

from apps.conversations.consumers import InboxConsumer, NoSuchSocket

websocket_urlpatterns = [
    re_path(r"^ws/inbox/?$", InboxConsumer.as_asgi()),  # type: ignore[arg-type]  # the stubs know views alone
    re_path(r"", NoSuchSocket.as_asgi()),  # type: ignore[arg-type]
]
application = URLRouter(websocket_urlpatterns)  # type: ignore[arg-type]
