from collections import ChainMap
from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from apps.flows import effects
from apps.flows.calls import Result
from apps.flows.nodes import acting, base, calling, requesting


@base.nodes.register
class Action(calling.Calling):
    """Does things in their order: keeps what is known about the contact, tags, sets variables, calls on the world."""

    key = "action"

    class Config(base.Config):
        actions: list[acting.Kind] = Field(min_length=1, max_length=20)

        @model_validator(mode="before")
        @classmethod
        def read_single(cls, data: Any) -> Any:
            """Two dialects write a single action without the list."""
            if isinstance(data, dict) and not data.get("actions"):
                return {**data, "actions": [{key: value for key, value in data.items() if key != "actions"}]}
            return data

    def writes(self, config: Config, node_id: str) -> frozenset[str]:
        names = [act.assignment.name for act in config.actions if isinstance(act, acting.UpdateVariable)]
        errands = [act.writes() for act in config.actions if isinstance(act, acting.Errand)]
        return frozenset(names).union(*errands)

    def refers(self, config: Config) -> tuple[base.Reference, ...]:
        webhooks = [act for act in config.actions if isinstance(act, acting.Webhook)]
        return tuple(reference for webhook in webhooks for reference in requesting.refers(webhook))

    def run(self, config: Config, visit: base.Visit) -> base.Outcome:
        return _go_on(config.actions, visit, base.Outcome(exit=base.NEXT))

    def returned(self, config: Config, visit: base.Visit, result: Result) -> base.Outcome:
        errands = [place for place, act in enumerate(config.actions) if isinstance(act, acting.Errand)]
        if not 0 < visit.calls <= len(errands):  # a call that none of these made
            return base.Outcome(exit=base.NEXT)
        place = errands[visit.calls - 1]
        errand = config.actions[place]
        assert isinstance(errand, acting.Errand)
        if result.ok:
            done = base.Outcome(exit=base.NEXT, variables=errand.kept(result))
        else:
            done = calling.fail(errand, self.key, visit, result)
        return _go_on(config.actions[place + 1 :], visit, done) if done.exit == base.NEXT else done


def _go_on(acts: Sequence[acting.Act], visit: base.Visit, done: base.Outcome) -> base.Outcome:
    """Do these after what is done, up to the next one that takes a call."""
    changed = dict(done.variables)
    known = ChainMap[str, Any](changed, dict(visit.variables))
    asked: list[effects.Effect] = []
    for act in acts:
        if isinstance(act, acting.Errand):
            call = act.call(known, {**_own(visit), **changed})
            return base.Outcome(tuple(asked), variables=changed, call=call, error=done.error)
        assert isinstance(act, acting.Deed)
        changed |= act.sets(known)
        asked += act.asks(known)
    return base.Outcome(tuple(asked), exit=base.NEXT, variables=changed, error=done.error)


def _own(visit: base.Visit) -> dict[str, Any]:
    """The variables that the session has set: not those of the contact, nor the globals of the chatbot."""
    return dict(visit.variables.maps[0] if isinstance(visit.variables, ChainMap) else visit.variables)
