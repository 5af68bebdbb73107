import uuid

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import apps.core.encryption


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0004_sessions_have_versions"),
        ("organizations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DatabaseConnection",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name", models.CharField(help_text="What flows call it.", max_length=100)),
                (
                    "kind",
                    models.CharField(choices=[("postgresql", "PostgreSQL")], default="postgresql", max_length=10),
                ),
                (
                    "url",
                    apps.core.encryption.EncryptedTextField(
                        help_text="postgresql://user:password@host:port/database, of a user that may only read what flows may know."
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "max_rows",
                    models.PositiveSmallIntegerField(
                        default=100,
                        help_text="Rows of one answer.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                    ),
                ),
                (
                    "timeout",
                    models.PositiveSmallIntegerField(
                        default=10,
                        help_text="Seconds for one query.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(30),
                        ],
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="organizations.organization"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "name"), name="one_database_connection_per_name")
                ],
            },
        ),
    ]
