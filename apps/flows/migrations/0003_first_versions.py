"""What ran before there were versions is each flow's first one; sessions go on on it."""

import uuid
from datetime import datetime
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def publish(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    flows, versions = apps.get_model("flows", "Flow"), apps.get_model("flows", "FlowVersion")
    now: datetime = timezone.now()
    for flow in flows.objects.filter(version=None).iterator(chunk_size=100):
        flow.version = versions.objects.create(
            id=uuid.uuid4(),
            organization_id=flow.organization_id,
            flow=flow,
            number=1,
            canvas_data=flow.canvas_data,
            variables=flow.variables,
            created_at=now,
            updated_at=now,
        )
        flow.save(update_fields=["version"])
        apps.get_model("flows", "FlowSession").objects.filter(flow=flow).update(version=flow.version)


class Migration(migrations.Migration):
    dependencies = [("flows", "0002_versions")]

    operations = [migrations.RunPython(publish, migrations.RunPython.noop, elidable=True)]
