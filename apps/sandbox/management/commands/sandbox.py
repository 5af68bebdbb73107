"""`manage.py sandbox`: write as a customer, or serve the sandbox by itself."""

import dataclasses
import json
import time
from argparse import ArgumentParser
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from urllib3.exceptions import ReadTimeoutError

from apps.sandbox.__main__ import serve
from apps.sandbox.settings import SandboxSettings

CONNECT_SECONDS = 5


class Command(BaseCommand):
    """Two verbs: say and serve."""

    help = "Write as a customer and see the replies, or serve the sandbox by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs and their options."""
        verbs: Any = parser.add_subparsers(dest="verb", required=True, parser_class=ArgumentParser)
        say = verbs.add_parser("say", help="send a customer's message and print the replies as they come")
        say.add_argument("text")
        say.add_argument("--from", dest="customer", default="5511999990001", help="the customer's number (%(default)s)")
        say.add_argument("--name", help="the customer's name")
        say.add_argument("--to", help="the phone_number_id written to; the sandbox's first if not given")
        say.add_argument("--url", default=settings.SANDBOX_URL, help="where the sandbox is (%(default)s)")
        say.add_argument("--wait", type=float, default=5, help="seconds of quiet that end it (%(default)s)")
        serving = verbs.add_parser("serve", help="serve the sandbox as a process of its own")
        serving.add_argument("--host", default="127.0.0.1")
        serving.add_argument("--port", type=int, default=9100)
        serving.add_argument("--webhook", help="where webhooks go")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the verb."""
        if options["verb"] == "say":
            self._say(options)
            return
        chosen = SandboxSettings.from_environment()
        if options["webhook"]:
            chosen = dataclasses.replace(chosen, webhook_url=options["webhook"])
        serve(chosen, host=options["host"], port=options["port"])

    def _say(self, options: dict[str, Any]) -> None:
        url, customer, wait = options["url"].rstrip("/"), options["customer"], options["wait"]
        message = {"from": customer, "name": options["name"], "text": options["text"], "phone_number_id": options["to"]}
        try:
            with requests.get(
                f"{url}/api/events", params={"customer": customer}, stream=True, timeout=(CONNECT_SECONDS, wait)
            ) as events:
                events.raise_for_status()
                lines = events.iter_lines()
                next(lines)  # the stream says that it listens: nothing is missed from here on
                said = requests.post(f"{url}/api/say", json=message, timeout=60)
                if not said.ok:
                    raise CommandError(f"The sandbox refused the message: {said.text}")
                if 200 not in said.json()["answers"]:
                    answers = ", ".join(str(answer or "no answer") for answer in said.json()["answers"])
                    raise CommandError(f"The webhook was not taken: HTTP {answers}.")
                self._print_replies(lines, wait)
        except requests.RequestException as error:
            raise CommandError(f"The sandbox at {url} cannot be reached: {error}") from error

    def _print_replies(self, lines: Any, wait: float) -> None:
        """Print what the business writes until it has been quiet for `wait` seconds."""
        last_at = time.monotonic()
        try:
            for line in lines:
                event = json.loads(line[6:]) if line.startswith(b"data: ") else {}
                if event.get("type") == "message" and event["entry"]["direction"] == "out":
                    self.stdout.write(words(event["entry"]["message"]))
                    last_at = time.monotonic()
                if time.monotonic() - last_at > wait:
                    return
        except requests.ConnectionError as error:
            if not isinstance(error.args[0], ReadTimeoutError):  # the read time-out is the quiet that ends it
                raise


def words(message: dict[str, Any]) -> str:
    """A business message as a terminal shows it; buttons and rows stand in brackets, below."""
    kind = message.get("type") or next((name for name in ("interactive", "template") if name in message), "text")
    content = message[kind]
    if kind == "text":
        return str(content["body"])
    if kind == "template":
        return f"[template {content['name']}]"
    if kind != "interactive":
        return f"[{kind}] {content.get('caption', '') if isinstance(content, dict) else ''}".rstrip()
    action = content["action"]
    titles = [button["reply"]["title"] for button in action.get("buttons", [])]
    titles += [row["title"] for section in action.get("sections", []) for row in section.get("rows", [])]
    return "\n".join([content.get("body", {}).get("text", content["type"]), *(f"  [{title}]" for title in titles)])
