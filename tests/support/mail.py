"""A mail server that keeps what it is sent, and refuses what it is told to."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What a mail server was told: the recipients of each letter, and the letters as they came."""

    port: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    """Answers of the server by the beginning of the command, instead of 250."""
    recipients: list[list[str]] = field(default_factory=list)
    letters: list[bytes] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Mailbox]:
    """A mail server on a port of its own, as long as the block runs."""
    mailbox = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mail.example")
            recipients: list[str] = []
            while line := self.rfile.readline().decode().strip():
                command = line.upper()
                refusal = next((answer for start, answer in mailbox.refused.items() if command.startswith(start)), "")
                if refusal:
                    self._say(refusal)
                elif command.startswith("DATA"):
                    self._say("354 go on")
                    mailbox.letters.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                    mailbox.recipients.append(recipients)
                    self._say("250 kept")
                elif command.startswith("QUIT"):
                    self._say("221 bye")
                    return
                else:
                    if command.startswith("RCPT TO:"):
                        recipients.append(line[len("RCPT TO:") :].strip("<>"))
                    self._say("250 fine")

        def _say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        mailbox.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield mailbox
        server.shutdown()
