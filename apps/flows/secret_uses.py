"""Where flows name the organization's secrets."""

import json
import re
from collections.abc import Iterator
from typing import Any

from apps.flows.models import Flow
from apps.organizations import secrets
from apps.organizations.models import Secret
from apps.organizations.secrets import Use


@secrets.users.register
class Flows:
    """The drafts and the published versions of flows."""

    key = "flows"

    def uses(self, secret: Secret) -> Iterator[Use]:
        """Each flow with the nodes that name it."""
        flows = Flow.objects.present().filter(organization=secret.organization_id).select_related("version")
        for flow in flows.order_by("created_at", "pk"):
            nodes = _naming(flow.canvas_data, secret)
            if flow.version:
                nodes |= _naming(flow.version.canvas_data, secret)
            if nodes:
                yield Use("flow", str(flow.pk), flow.name, ", ".join(sorted(nodes)))


def _naming(canvas: dict[str, Any], secret: Secret) -> set[str]:
    """The ids of the nodes that name a secret: in a template, or as the secret of their authentication."""
    template = re.compile(rf"\bsecrets\.{re.escape(secret.name)}\b", re.IGNORECASE)
    names = {secret.name.casefold(), str(secret.pk)}
    found = set()
    for node in canvas.get("nodes") or ():
        data = node.get("data") if isinstance(node, dict) else None
        if not isinstance(data, dict):
            continue
        named = data.get("secretId") or data.get("secret_id")
        if (isinstance(named, str) and named.strip().casefold() in names) or template.search(json.dumps(data)):
            found.add(str(node.get("id")))
    return found
