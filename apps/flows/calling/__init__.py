"""Performs what nodes want of the world: one module per kind of call."""

import uuid

from apps.flows import calls
from apps.flows.calling import email, query, request, script


def perform(call: calls.Call, *, organization_id: uuid.UUID) -> calls.Result:
    """Do what a node asked for, as the organization; whatever fails is told in the result."""
    match call:
        case calls.Request():
            return request.perform(call, organization_id=organization_id)
        case calls.Script():
            return script.perform(call)
        case calls.Query():
            return query.perform(call, organization_id=organization_id)
        case calls.Email():
            return email.perform(call)
