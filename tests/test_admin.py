"""The Django admin shows every model of ours, to super_admins only."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.db import models
from django.test import Client

from apps.organizations.models import User

MODELS = [model for model in apps.get_models() if model.__module__.startswith("apps.")]


def shown_inline() -> set[type[models.Model]]:
    inlines: list[type[InlineModelAdmin]] = [
        inline for page in admin.site._registry.values() for inline in page.inlines
    ]
    return {inline.model for inline in inlines}


def test_every_model_has_a_page_or_is_shown_beside_its_owner() -> None:
    assert [model for model in MODELS if model not in admin.site._registry and model not in shown_inline()] == []


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model in admin.site._registry], ids=lambda m: m.__name__
)
def test_list_of_every_model_opens_and_is_searched(
    model: type[models.Model], super_admin: User, client: Client
) -> None:
    client.force_login(super_admin)
    page = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert client.get(page).status_code == 200
    assert client.get(page, {"q": "00000000-0000-0000-0000-000000000001"}).status_code == 200


def test_administrator_of_an_organization_is_not_let_in(admin: User, client: Client) -> None:
    client.force_login(admin)
    assert client.get("/admin/").status_code == 302
