from apps.flows.calls import Result
from apps.flows.nodes import base, calling, requesting


@base.nodes.register
class ApiCall(calling.Calling):
    """Asks an API, and keeps its answer: the whole of it, its status, and parts of it by their paths."""

    key, aliases = "api_call", ("api",)

    class Config(requesting.Config):
        variable: calling.Variable = "api_response"

    def writes(self, config: Config, node_id: str) -> frozenset[str]:
        return requesting.writes(config, self.key)

    def refers(self, config: Config) -> tuple[base.Reference, ...]:
        return requesting.refers(config)

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        return base.Outcome(call=requesting.request(config, visit.variables))

    def returned(self, config: Config, visit: base.Visit, result: Result) -> base.Outcome:
        if not result.ok:
            return calling.fail(config, self.key, visit, result)
        return base.Outcome(exit=base.NEXT, variables=requesting.keep(config, result))
