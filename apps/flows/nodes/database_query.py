from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from apps.flows.calls import Query, Result
from apps.flows.nodes import base, calling, filling, sql

MAX_PARAMETERS = 100

_CREDENTIALS = frozenset(["connectionString", "connection_string", "host", "username", "user", "password"])
_POSTGRES = frozenset(["postgresql", "postgres", "pg"])


def _database(value: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else value
    if isinstance(word, str) and word not in _POSTGRES:
        raise ValueError(f"{word[:30]!r} cannot be queried here, only PostgreSQL can")
    return "postgresql" if isinstance(word, str) else word


def _kind(value: Any) -> Any:
    word = value.strip().upper() if isinstance(value, str) else value
    if isinstance(word, str) and word != "SELECT":
        raise ValueError("a flow only reads from a database: SELECT")
    return word


@base.nodes.register
class DatabaseQuery(calling.Calling):
    """Reads from a database that an administrator has registered; variables are bound, never pasted."""

    key = "database_query"

    class Config(calling.Config):
        variable: calling.Variable = "query_result"
        connection: str = Field(
            min_length=1,
            max_length=255,
            validation_alias=AliasChoices(
                "connectionName", "connectionId", "connection", "databaseConnection", "connection_name", "connection_id"
            ),
        )
        database: Annotated[Literal["postgresql"], BeforeValidator(_database)] = Field(
            "postgresql", validation_alias=AliasChoices("databaseType", "connectionType", "database_type")
        )
        kind: Annotated[Literal["SELECT"], BeforeValidator(_kind)] = Field(
            "SELECT", validation_alias=AliasChoices("queryType", "query_type")
        )
        parameters: dict[str, Any] | list[Any] = Field({}, max_length=MAX_PARAMETERS)
        statement: sql.Statement = Field(validation_alias=AliasChoices("query", "statement", "sql"))
        format: Literal["list", "first", "count", "scalar"] = Field(
            "list", validation_alias=AliasChoices("resultFormat", "result_format")
        )
        timeout: Annotated[float, Field(gt=0, allow_inf_nan=False), calling.seconds(1, 30, above=120)] = 30.0

        @model_validator(mode="before")
        @classmethod
        def name_a_connection(cls, data: Any) -> Any:
            """How to reach a database is not for a canvas to say."""
            if isinstance(data, dict) and any(data.get(name) for name in _CREDENTIALS):
                raise ValueError("an administrator registers connections, and the node names one in connectionName")
            return data

        @field_validator("parameters", mode="before")
        @classmethod
        def read_named(cls, raw: Any) -> Any:
            """One dialect lists objects with a name and a value."""
            if isinstance(raw, list) and raw and all(isinstance(one, dict) and one.get("name") for one in raw):
                return {str(one["name"]): one.get("value") for one in raw}
            return raw

        @field_validator("parameters")
        @classmethod
        def read_templates(cls, parameters: dict[str, Any] | list[Any]) -> Any:
            """Every text within may hold variables."""
            return filling.read(parameters)

        @field_validator("statement", mode="before")
        @classmethod
        def read_statement(cls, raw: Any, info: ValidationInfo) -> sql.Statement:
            """The statement, with its variables and parameters to be bound."""
            if not isinstance(raw, str):
                raise ValueError("a statement is a text")
            return sql.read(raw, info.data.get("parameters", {}))

    def refers(self, config: Config) -> tuple[base.Reference, ...]:
        return (base.Reference("connection", config.connection.strip(), "connectionName"),)

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        parameters = config.statement.parameters(visit.variables)
        query = Query(config.connection.strip(), config.statement.text, parameters, config.format, config.timeout)
        return base.Outcome(call=query)

    def returned(self, config: Config, visit: base.Visit, result: Result) -> base.Outcome:
        if not result.ok:
            return calling.fail(config, self.key, visit, result)
        assert config.variable is not None
        return base.Outcome(exit=base.NEXT, variables={config.variable: result.value})
