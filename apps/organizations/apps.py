from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class OrganizationsConfig(AppConfig):
    name = "apps.organizations"

    def ready(self) -> None:
        """Find the apps whose rows name secrets."""
        autodiscover_modules("secret_uses")
