from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ConversationsConfig(AppConfig):
    name = "apps.conversations"

    def ready(self) -> None:
        """Let the upper apps fill the registries of channels and responders."""
        autodiscover_modules("channel", "responder")
