from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ConversationsConfig(AppConfig):
    name = "apps.conversations"

    def ready(self) -> None:
        """Let the apps fill the registries of backlog sources, channels and responders."""
        autodiscover_modules("backlog", "channel", "responder")
