"""GET verification: Meta asks whether the one who entered a callback URL knows its verify token."""

import hmac

from django.conf import settings

from apps.conversations.models import ChannelAccount
from apps.core import encryption


def is_known(*, channel: str, token: str) -> bool:
    """Whether this is the application's verify token, or that of any account of the channel."""
    application = settings.META_VERIFY_TOKEN
    if application and hmac.compare_digest(application.encode(), token.encode()):
        return True
    accounts = ChannelAccount.objects.filter(channel=channel)
    return accounts.filter(verify_token_fingerprint=encryption.fingerprint(token)).exists()
