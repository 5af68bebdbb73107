from django.test import Client

from apps.organizations.models import User
from apps.whatsapp import services
from apps.whatsapp.models import WhatsAppAccount

URL = "/admin/whatsapp/whatsappaccount/"


def test_admin_shows_numbers_and_no_secret(client: Client, super_admin: User, number: WhatsAppAccount) -> None:
    services.update_number(account=number, app_secret="0123456789abcdef")
    client.force_login(super_admin)
    listed = client.get(URL, {"q": "Padaria"}).content.decode()
    shown = client.get(f"{URL}{number.pk}/change/").content.decode()

    assert "+5511900000001" in listed
    assert "••••1234" in shown
    assert "••••cdef" in shown
    for secret in ("EAAG-token-1234", "0123456789abcdef", "padaria-verify", number.app_secret_fingerprint):
        assert secret not in listed + shown


def test_operator_switches_a_number_off_and_its_secrets_stay(
    client: Client, super_admin: User, number: WhatsAppAccount
) -> None:
    client.force_login(super_admin)
    response = client.post(
        f"{URL}{number.pk}/change/", {"messages_per_second": "20", "pause_reason": "", "phone_number": "+1"}
    )
    number.refresh_from_db()

    assert response.status_code == 302
    assert (number.is_active, number.auto_response_enabled, number.messages_per_second) == (False, False, 20)
    assert (number.phone_number, number.access_token) == ("+5511900000001", "EAAG-token-1234")


def test_admin_neither_adds_nor_deletes_numbers(client: Client, super_admin: User, number: WhatsAppAccount) -> None:
    client.force_login(super_admin)

    assert client.get(f"{URL}add/").status_code == 403
    assert client.post(f"{URL}{number.pk}/delete/", {"post": "yes"}).status_code == 403
    assert WhatsAppAccount.objects.filter(pk=number.pk).exists()
