"""What can be set on the stand-in, from the environment at the start and by `PUT /api/settings` later."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter

Positive = Annotated[int, Field(ge=1)]
FORBID_UNKNOWN = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A business phone number. Its own secret and webhook address, when given, come before the application's."""

    __pydantic_config__ = FORBID_UNKNOWN

    phone_number_id: str
    waba_id: str
    display_phone_number: str
    verified_name: str = "Recado Sandbox"
    quality_rating: str = "GREEN"
    throughput: int = 80  # messages a second, in and out; 0: no limit
    app_secret: str | None = None
    webhook_url: str | None = None

    @property
    def digits(self) -> str:
        """The number as it stands in webhooks: without spaces and signs."""
        return "".join(character for character in self.display_phone_number if character.isdigit())

    @property
    def throughput_level(self) -> str:
        """Meta's name for the throughput."""
        return "HIGH" if self.throughput == 0 or self.throughput >= 1000 else "STANDARD"


@dataclass(frozen=True, kw_only=True)
class Template:
    """A message template of the registry; `body_parameters` is how many values its body takes."""

    __pydantic_config__ = FORBID_UNKNOWN

    name: str
    language: str = "pt_BR"
    body_parameters: int = 0
    body: str = ""
    category: str = "UTILITY"
    status: Literal["APPROVED", "PAUSED"] = "APPROVED"


DEFAULT_NUMBER = Number(
    phone_number_id="100000000000001", waba_id="200000000000001", display_phone_number="+55 11 90000-0001"
)


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """The stand-in's settings. Times are seconds; a status delay of None means that this status never comes."""

    __pydantic_config__ = FORBID_UNKNOWN

    webhook_url: str
    app_secret: str = ""
    verify_token: str = ""
    numbers: tuple[Number, ...] = (DEFAULT_NUMBER,)
    tokens: frozenset[str] | None = None  # None: every token works that does not start with EXPIRED
    templates: tuple[Template, ...] | None = None  # None: every template is approved

    sent_delay: float | None = 0.1
    delivered_delay: float | None = 0.4
    read_delay: float | None = 1.2
    delay_jitter: float = 0.0
    status_form: Literal["v23", "v24"] = "v24"  # v23 and older carry a conversation
    statuses_per_post: Positive = 10

    webhook_body: Literal["escaped", "raw"] = "escaped"  # raw: UTF-8 on the wire, signed in its escaped form
    webhook_concurrency: Positive = 32
    webhook_timeout: float = 20.0
    retry_pause: float = 0.5  # before the first retry, doubling after each
    retry_period: float = 60.0  # Meta's seven days

    window: Literal["webhook", "error", "open"] = "webhook"  # how free text outside 24 hours is refused
    is_pair_limited: bool = True  # 45 messages at once to one customer, then one every 6 seconds

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "SandboxSettings":
        """The defaults, with the address and the secrets that Recado itself runs with."""
        variables = os.environ if environment is None else environment
        port = variables.get("PORT", "8000")
        return cls(
            webhook_url=variables.get("SANDBOX_WEBHOOK_URL", f"http://127.0.0.1:{port}/api/v1/whatsapp/webhook"),
            app_secret=variables.get("META_APP_SECRET", ""),
            verify_token=variables.get("META_VERIFY_TOKEN", ""),
        )

    def changed(self, changes: dict[str, Any]) -> "SandboxSettings":
        """A copy with these values; raises pydantic's ValidationError for unknown names and wrong types."""
        return _settings.validate_python(dataclasses.asdict(self) | changes)

    def as_json(self) -> dict[str, Any]:
        """The settings as `PUT /api/settings` takes them."""
        dumped: dict[str, Any] = _settings.dump_python(self, mode="json")
        return dumped

    def number(self, phone_number_id: str) -> Number | None:
        """The number with this id, if there is one."""
        for number in self.numbers:
            if number.phone_number_id == phone_number_id:
                return number
        return None


_settings = TypeAdapter(SandboxSettings)
