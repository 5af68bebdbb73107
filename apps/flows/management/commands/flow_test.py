"""Plays golden transcripts and shows where a flow answers otherwise."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.flows import playing, transcripts
from apps.flows.transcripts import InvalidTranscript


class Command(BaseCommand):
    help = "Play transcripts (docs/flow-tests.md) against their flows; no database is needed where these are files."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--update", action="store_true", help="write what really came into the files")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = [path for path in options["files"] if not self._passes(path, updates=options["update"])]
        played = len(options["files"])
        summary = f"{played} transcript{'' if played == 1 else 's'}, {len(failed)} failed"
        if failed:
            raise CommandError(summary)
        self.stdout.write(summary)

    def _passes(self, path: Path, *, updates: bool) -> bool:
        """Whether the flow answers as it should; else how it does is shown or, to update, written."""
        try:
            played = playing.play(transcripts.read(path))
        except InvalidTranscript as invalid:
            self.stdout.write(str(invalid))
            return False
        if played.passes:
            return True
        if updates:
            path.write_text(played.file.updated([dict(step) for step in played.steps]))
            self.stdout.write(f"{path}: updated")
        else:
            self.stdout.write(played.diff())
        return updates
