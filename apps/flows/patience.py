"""What is done about a customer who falls silent, and about a window that closes."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from apps.core.templating import Template
from apps.flows.models import Flow

INACTIVITY, WINDOW = "inactivity", "window"
"""The keys of a conversation's wake-ups for a silent customer, and for a window that closes."""

_Settings = TypeVar("_Settings", bound=BaseModel)

Minutes = Annotated[int, Field(ge=1, le=30 * 24 * 60)]


class Inactivity(BaseModel):
    """After `timeout_minutes` without a word from the customer the action is taken, after a warning if there is one."""

    model_config = ConfigDict(frozen=True)

    enabled: bool = True
    timeout_minutes: Minutes = 60
    send_warning_at_minutes: Minutes | None = None
    warning_message: Template = Template("Você ainda está aí? Encerraremos em {{remaining_minutes}} minutos.")
    closing_message: Template = Template("")
    action: Literal["transfer", "close", "send_reminder", "fallback_flow"] = "transfer"
    fallback_flow_id: uuid.UUID | None = None

    @model_validator(mode="after")
    def know_where_to(self) -> Self:
        """A fallback flow has an id."""
        if self.action == "fallback_flow" and self.fallback_flow_id is None:
            raise ValueError("the action fallback_flow needs a fallback_flow_id")
        return self

    @property
    def warns(self) -> bool:
        return self.send_warning_at_minutes is not None and self.send_warning_at_minutes < self.timeout_minutes

    def next_at(self, since: datetime, now: datetime) -> datetime | None:
        """When something is next to be done about a customer who has been silent since then; None: never again."""
        warning_at = since + timedelta(minutes=self.send_warning_at_minutes or 0)
        timeout_at = since + timedelta(minutes=self.timeout_minutes)
        if self.warns and now < warning_at:
            return warning_at
        return timeout_at if now < timeout_at else None

    def is_over(self, since: datetime, now: datetime) -> bool:
        """Whether the time for warnings is past."""
        return now >= since + timedelta(minutes=self.timeout_minutes)

    def variables(self, since: datetime, now: datetime) -> dict[str, Any]:
        """What its messages may say besides the session's own variables."""
        inactive = int((now - since).total_seconds() // 60)
        return {
            "timeout_minutes": self.timeout_minutes,
            "warning_at_minutes": self.send_warning_at_minutes or "",
            "inactive_minutes": inactive,
            "remaining_minutes": max(self.timeout_minutes - inactive, 0),
        }


class WindowExpiry(BaseModel):
    """What is done where the flow wants to say something after the window has closed, and shortly before it closes."""

    model_config = ConfigDict(frozen=True)

    action: Literal["transfer", "send_template", "wait_customer"] = "wait_customer"
    template_name: str = Field("", max_length=512)
    send_warning: bool = False
    warning_at_hours: int = Field(22, ge=1, le=23)
    warning_template_name: str = Field("", max_length=512)
    language: str = Field("pt_BR", max_length=20)

    @model_validator(mode="after")
    def name_templates(self) -> Self:
        """What is sent has a name."""
        if self.action == "send_template" and not self.template_name:
            raise ValueError("the action send_template needs a template_name")
        if self.send_warning and not self.warning_template_name:
            raise ValueError("a warning needs a warning_template_name")
        return self

    def warns_at(self, since: datetime) -> datetime | None:
        """When a customer who last wrote then is to be warned; None: never."""
        return since + timedelta(hours=self.warning_at_hours) if self.send_warning else None


def inactivity(flow: Flow) -> Inactivity | None:
    """What a flow does about silence: its own settings, else its chatbot's; None: nothing."""
    found = _read(Inactivity, flow.inactivity_settings or flow.chatbot.settings.get("inactivity_settings"))
    return found if found and found.enabled else None


def window_expiry(flow: Flow) -> WindowExpiry | None:
    """What a flow does about the window: its own settings, else its chatbot's; None: what it says is tried, and dropped
    with the reason."""
    return _read(WindowExpiry, flow.window_expiry_settings or flow.chatbot.settings.get("window_expiry_settings"))


def wakeups(
    spoke: Iterable[Flow], waiting: Flow | None, *, since: datetime | None, now: datetime
) -> dict[str, datetime | None]:
    """When something is next to be done about a customer, by key (None: nothing any more).

    `waiting` is the flow that waits for them, `since` the time of their last word; `spoke` may have asked before.
    """
    found: dict[str, datetime | None] = {}
    for flow in spoke:
        if inactivity(flow):
            found[INACTIVITY] = None
        if (expiry := window_expiry(flow)) and expiry.send_warning:
            found[WINDOW] = None
    if waiting and since:
        if rules := inactivity(waiting):
            found[INACTIVITY] = rules.next_at(since, now)
        expiry = window_expiry(waiting)
        warn_at = expiry.warns_at(since) if expiry else None
        if warn_at and warn_at > now:
            found[WINDOW] = warn_at
    return found


def _read(shape: type[_Settings], raw: Any) -> _Settings | None:
    """The settings; None where there are none. A chatbot's own settings are free: what is no such thing is none."""
    if not raw:
        return None
    try:
        return shape.model_validate(raw)
    except ValidationError:
        return None
