from pydantic import Field

from apps.core.templating import Template
from apps.flows import effects
from apps.flows.nodes import base


@base.nodes.register
class Start(base.Node):
    """Where a flow begins; it may greet."""

    key = "start"

    class Config(base.Config):
        greeting: Template = Field(Template(""))

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        return base.Outcome(effects.say(config.greeting.render(visit.variables)), exit=base.NEXT)
