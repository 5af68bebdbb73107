import uuid

import django.db.models.deletion
from django.db import migrations, models

TABLE = """
CREATE TABLE flows_flowvisit (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    session_id uuid NOT NULL,
    flow_id uuid NOT NULL,
    version_id uuid NOT NULL,
    node varchar(255) NOT NULL,
    exit varchar(255) NOT NULL,
    entered_at timestamptz NOT NULL,
    place integer NOT NULL CHECK (place >= 0),
    seconds double precision NOT NULL,
    error varchar(500) NOT NULL,
    PRIMARY KEY (id, entered_at)
) PARTITION BY RANGE (entered_at);
CREATE INDEX flow_visits_of_flow ON flows_flowvisit (flow_id, entered_at);
CREATE INDEX flow_visits_of_session ON flows_flowvisit (session_id, entered_at);
CREATE TABLE flows_flowvisit_default PARTITION OF flows_flowvisit DEFAULT;
"""


def loose(to, **options):
    """A reference that the database neither checks nor looks up by itself."""
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name="+",
        to=to,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0005_database_connection"),
        ("organizations", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            # Django cannot say that a table is in parts
            database_operations=[migrations.RunSQL(TABLE, "DROP TABLE flows_flowvisit")],
            state_operations=[
                migrations.CreateModel(
                    name="FlowVisit",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("organization", loose("organizations.organization")),
                        ("session", loose("flows.flowsession")),
                        (
                            "flow",
                            loose(
                                "flows.flow",
                                help_text="The one to which the node belongs: not the session's own after a jump.",
                            ),
                        ),
                        ("version", loose("flows.flowversion")),
                        ("node", models.CharField(max_length=255)),
                        ("exit", models.CharField(blank=True, max_length=255)),
                        ("entered_at", models.DateTimeField()),
                        (
                            "place",
                            models.PositiveIntegerField(help_text="Which one it was of those that the turn left."),
                        ),
                        ("seconds", models.FloatField(help_text="How long the session was there.")),
                        ("error", models.CharField(blank=True, max_length=500)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["flow", "entered_at"], name="flow_visits_of_flow"),
                            models.Index(fields=["session", "entered_at"], name="flow_visits_of_session"),
                        ],
                    },
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="flowsession",
            index=models.Index(
                models.F("flow"),
                models.F("created_at").desc(),
                models.F("id").desc(),
                name="flow_sessions_newest",
            ),
        ),
    ]
