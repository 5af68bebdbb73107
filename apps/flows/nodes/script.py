from apps.flows.calls import Result
from apps.flows.nodes import base, calling, scripting


@base.nodes.register
class Script(calling.Calling):
    """Runs its author's JavaScript, with the variables as its globals; what it makes of them is kept."""

    key = "script"
    Config = scripting.Config

    def writes(self, config: scripting.Config, node_id: str) -> frozenset[str]:
        return base.ANY

    def run(self, config: scripting.Config, visit: base.Visit) -> base.Outcome:
        return base.Outcome(call=scripting.script(config, visit.variables))

    def returned(self, config: scripting.Config, visit: base.Visit, result: Result) -> base.Outcome:
        if not result.ok:
            return calling.fail(config, self.key, visit, result)
        return base.Outcome(exit=base.NEXT, variables=scripting.keep(config, result))
