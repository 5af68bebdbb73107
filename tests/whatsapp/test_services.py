import pytest
from pytest_django import Settings

from apps.conversations.models import AccountAddress
from apps.organizations.models import Organization
from apps.whatsapp import services
from apps.whatsapp.models import WhatsAppAccount
from tests.support.meta import SandboxServer

NUMBER_ID, WABA_ID = SandboxServer.phone_number_id, SandboxServer.waba_id


@pytest.fixture
def proof_wanted(settings: Settings) -> None:
    settings.VERIFY_OWNERSHIP = True


def connect(organization: Organization, **fields: str) -> WhatsAppAccount:
    account = services.create_number(
        organization=organization,
        **{
            "phone_number": "+5511900000001",
            "phone_number_id": NUMBER_ID,
            "whatsapp_business_account_id": WABA_ID,
            "access_token": "EAAG-token",
            **fields,
        },
    )
    account.refresh_from_db()
    return account


def addresses(account: WhatsAppAccount) -> set[tuple[str, str]]:
    return set(AccountAddress.objects.filter(account=account).values_list("kind", "external_id"))


def test_number_is_live_once_its_token_has_read_it(
    organization: Organization, meta: SandboxServer, proof_wanted: None
) -> None:
    account = connect(organization)

    assert account.verified_at is not None
    assert (account.status, account.status_reason) == ("connected", "")
    assert (account.quality_rating, account.throughput_level) == ("GREEN", "STANDARD")
    assert addresses(account) == {("phone_number_id", NUMBER_ID), ("waba", WABA_ID)}


def test_high_throughput_lifts_the_pace(organization: Organization, meta: SandboxServer, proof_wanted: None) -> None:
    number = {"phone_number_id": NUMBER_ID, "waba_id": WABA_ID, "display_phone_number": "1", "throughput": 1000}
    meta.configure(numbers=[number])

    assert connect(organization).messages_per_second == 1_000


def test_pace_that_administrators_set_is_not_lifted(
    organization: Organization, meta: SandboxServer, proof_wanted: None
) -> None:
    number = {"phone_number_id": NUMBER_ID, "waba_id": WABA_ID, "display_phone_number": "1", "throughput": 1000}
    meta.configure(numbers=[number])
    account = services.create_number(
        organization=organization,
        phone_number="+5511900000001",
        phone_number_id=NUMBER_ID,
        access_token="EAAG-token",
        messages_per_second=300,
    )

    assert (account.messages_per_second, account.throughput_level) == (300, "HIGH")


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"access_token": "EXPIRED"}, "error", "Error validating access token: Session has expired"),
        ({"phone_number_id": "999"}, "error", "Unsupported get request. Object with ID '999' does not exist"),
        ({"access_token": ""}, "error", "The phone number id or the access token is missing."),
    ],
)
def test_number_that_meta_does_not_confirm_is_made_all_the_same(
    organization: Organization,
    meta: SandboxServer,
    proof_wanted: None,
    fields: dict[str, str],
    status: str,
    reason: str,
) -> None:
    account = connect(organization, **fields)

    assert (account.verified_at, account.status) == (None, status)
    assert account.status_reason.startswith(reason)
    assert "waba" not in {kind for kind, _ in addresses(account)}


def test_number_is_made_while_meta_is_away(organization: Organization, proof_wanted: None, settings: Settings) -> None:
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    account = connect(organization)

    assert (account.verified_at, account.status) == (None, "error")
    assert account.status_reason == "Graph could not be reached. NewConnectionError"


def test_business_account_that_the_token_cannot_read_is_no_address(
    organization: Organization, meta: SandboxServer, proof_wanted: None
) -> None:
    account = connect(organization, whatsapp_business_account_id="200000000000777")

    assert account.verified_at is not None
    assert addresses(account) == {("phone_number_id", NUMBER_ID)}


def test_own_secret_is_proof_enough(organization: Organization, meta: SandboxServer, proof_wanted: None) -> None:
    account = connect(organization, app_secret="0123456789abcdef", access_token="EXPIRED")

    assert account.verified_at is not None
    assert account.status == "error"
    assert addresses(account) == {("phone_number_id", NUMBER_ID), ("waba", WABA_ID)}


def test_number_without_its_own_secret_any_more_must_be_proven(
    organization: Organization, meta: SandboxServer, proof_wanted: None
) -> None:
    account = connect(organization, app_secret="0123456789abcdef", access_token="EXPIRED")
    services.update_number(account=account, app_secret="")
    account.refresh_from_db()

    assert account.verified_at is None


def test_other_id_must_be_proven_anew(organization: Organization, meta: SandboxServer, proof_wanted: None) -> None:
    account = connect(organization)
    services.update_number(account=account, phone_number_id="999")
    account.refresh_from_db()

    assert (account.verified_at, account.status) == (None, "error")


def test_expired_token_takes_no_proof_back(organization: Organization, meta: SandboxServer, proof_wanted: None) -> None:
    account = connect(organization)
    services.update_number(account=account, access_token="EXPIRED")
    account.refresh_from_db()

    assert account.verified_at is not None
    assert account.status == "error"


def test_change_of_other_fields_asks_meta_nothing(
    organization: Organization, meta: SandboxServer, proof_wanted: None, settings: Settings
) -> None:
    account = connect(organization)
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    services.update_number(account=account, name="Padaria da Bia", is_active=False)
    account.refresh_from_db()

    assert (account.name, account.is_active, account.status) == ("Padaria da Bia", False, "connected")


def test_check_brings_a_number_back(organization: Organization, meta: SandboxServer, proof_wanted: None) -> None:
    account = connect(organization, access_token="EXPIRED")
    WhatsAppAccount.objects.update(status="error")
    account.access_token = "EAAG-token"
    services.check_number(account=account)
    account.refresh_from_db()

    assert account.verified_at is not None
    assert (account.status, account.status_reason) == ("connected", "")


def test_check_that_fails_tells_metas_words(organization: Organization, meta: SandboxServer) -> None:
    account = connect(organization, access_token="EXPIRED-1")
    with pytest.raises(services.CheckFailed) as failed:
        services.check_number(account=account)
    account.refresh_from_db()

    assert failed.value.status == 424
    assert failed.value.message.startswith("Error validating access token: Session has expired")
    assert failed.value.details == {"code": 190, "subcode": 463}
    assert account.status == "error"


def test_without_proof_wanted_meta_is_not_asked(organization: Organization, settings: Settings) -> None:
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    account = connect(organization)

    assert account.verified_at is not None
    assert account.status == "connected"
