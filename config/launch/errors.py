"""What ends the launcher early."""


class LaunchError(Exception):
    """Recado cannot start; the message says why, and what to do about it, in one line."""


class Stopped(Exception):
    """A signal asked the launcher to end while it was waiting for something."""
