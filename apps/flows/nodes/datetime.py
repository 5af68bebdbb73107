import calendar
import operator
import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from apps.core.templating import Path, Template, TemplateError
from apps.flows import values
from apps.flows.nodes import base

Zone = Annotated[zoneinfo.ZoneInfo, BeforeValidator(lambda name: _zone(name) if isinstance(name, str) else name)]

_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(.*)", re.DOTALL)
_COMPARE = {
    "gt": operator.gt,
    "lt": operator.lt,
    "eq": operator.eq,
    "gte": operator.ge,
    "lte": operator.le,
}


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError):
        raise ValueError(f"there is no time zone {name[:50]!r}") from None


@base.nodes.register
class Datetime(base.Node):
    """Reads the clock, reads, writes, moves and compares times, in a time zone; the result is kept in a variable.

    A time is kept in the format that the author gives, else as ISO 8601 with its offset; a comparison as true or false.
    """

    key = "datetime"

    class Config(base.Config):
        operation: Literal["get_current", "format", "add", "subtract", "compare", "parse"] = "get_current"
        zone: Zone = Field(zoneinfo.ZoneInfo("America/Sao_Paulo"), validation_alias="timezone")
        format: str = Field("", max_length=100, validation_alias=AliasChoices("outputFormat", "format"))
        input_format: str = Field("", max_length=100, validation_alias=AliasChoices("inputFormat", "input_format"))
        source: Path | None = Field(None, validation_alias=AliasChoices("sourceVariable", "source_variable"))
        amount: Template = Field(Template("0"), validation_alias=AliasChoices("addAmount", "add_amount", "amount"))
        unit: Literal["minutes", "hours", "days", "months", "years"] = Field(
            "days", validation_alias=AliasChoices("addUnit", "add_unit", "unit")
        )
        other: Template | None = Field(None, validation_alias=AliasChoices("compareWith", "compare_with"))
        other_source: Path | None = Field(None, validation_alias=AliasChoices("compareVariable", "compare_variable"))
        by: Literal["gt", "lt", "eq", "gte", "lte"] = Field(
            "eq", validation_alias=AliasChoices("compareOperator", "compare_operator")
        )
        variable: str = Field(
            "datetime_result",
            pattern=r"^[^\W\d][\w-]{0,99}$",
            validation_alias=AliasChoices("outputVariable", "output_variable"),
        )

        @model_validator(mode="after")
        def know_what_to_read(self) -> Self:
            """What is read comes from somewhere."""
            if self.operation == "parse" and self.source is None:
                raise ValueError("to parse, sourceVariable must name what to read")
            return self

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        try:
            result = self._result(config, visit)
        except (ValueError, OverflowError) as error:
            raise TemplateError(str(error)) from None
        return base.Outcome(exit=base.NEXT, variables={config.variable: result})

    def _result(self, config: Config, visit: base.Visit) -> Any:
        now = visit.now.astimezone(config.zone)
        if config.operation == "get_current":
            return _write(now, config)
        time = _find(config.source, config, visit) if config.source else now
        match config.operation:
            case "add" | "subtract":
                amount = values.number(config.amount.render(visit.variables))
                if amount is None:
                    raise ValueError("the amount of time is no number")
                return _write(_move(time, amount if config.operation == "add" else -amount, config.unit), config)
            case "compare":
                # two times of one zone would be compared by the wall's clock, which shows an hour twice in autumn
                return _COMPARE[config.by](time.astimezone(UTC), _other(config, visit, now).astimezone(UTC))
        return _write(time, config)


def _other(config: Datetime.Config, visit: base.Visit, now: datetime) -> datetime:
    """The time to compare with; where none is given, now."""
    if config.other_source:
        return _find(config.other_source, config, visit)
    words = config.other.render(visit.variables).strip() if config.other else ""
    if not words or words == "now":
        return now
    try:
        return _read(words, config)
    except ValueError:
        return _read_any(words, config.zone)  # the author's format is that of the variable that is compared


def _find(source: Path, config: Datetime.Config, visit: base.Visit) -> datetime:
    try:
        return _read(source.find(visit.variables), config)
    except LookupError:
        raise ValueError(f"there is no variable {source.source!r}") from None


def _read(value: Any, config: Datetime.Config) -> datetime:
    """A time by the author's format, if one is given; without a zone, in ours."""
    words = values.text(value).strip()[:100]
    if not config.input_format:
        return _read_any(words, config.zone)
    return _in_zone(datetime.strptime(words, config.input_format), config.zone)  # noqa: DTZ007 (set right here)


def _read_any(words: str, zone: zoneinfo.ZoneInfo) -> datetime:
    """A time in ISO 8601, day/month/year, or seconds or milliseconds since 1970."""
    if words.isdecimal() and 9 <= len(words) <= 13:
        return datetime.fromtimestamp(int(words) / (1000 if len(words) > 11 else 1), zone)
    if match := _DAY_FIRST.fullmatch(words):
        day, month, year, rest = match.groups()
        words = f"{year}-{month:0>2}-{day:0>2}{rest}"
    try:
        return _in_zone(datetime.fromisoformat(words), zone)
    except ValueError:
        raise ValueError(f"{words!r} is no time") from None


def _in_zone(time: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    return time.astimezone(zone) if time.tzinfo else time.replace(tzinfo=zone)


def _write(time: datetime, config: Datetime.Config) -> str:
    return time.strftime(config.format) if config.format else time.isoformat(timespec="seconds")


def _move(time: datetime, amount: float, unit: str) -> datetime:
    """The time so much later. Hours have passed, days and months are turned on the wall's clock and calendar; the 31st
    of a shorter month is its last day."""
    if unit in ("minutes", "hours"):
        return (time.astimezone(UTC) + timedelta(**{unit: amount})).astimezone(time.tzinfo)
    if unit == "days":
        return time + timedelta(days=amount)
    months = time.year * 12 + time.month - 1 + int(amount * (12 if unit == "years" else 1))
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise ValueError(f"the year {year} is none")
    day = min(time.day, calendar.monthrange(year, month + 1)[1])
    return time.replace(year=year, month=month + 1, day=day)
