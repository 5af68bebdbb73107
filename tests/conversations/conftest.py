from tests.support.sockets import listen, socket_server  # noqa: F401 (fixtures)
