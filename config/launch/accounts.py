"""The account that the engines run under: PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class PopenOptions(TypedDict, total=False):
    """The part of Popen's arguments that changes the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Who runs the engines: `nobody` when we are root, else ourselves."""

    options: PopenOptions

    def can_read(self, path: Path) -> bool:
        """Whether the account can reach and read a file or folder."""
        test = ["test", "-r", str(path)]
        return subprocess.run(test, cwd="/", **self.options).returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Whether the account can reach a folder and what it may open below it."""
        test = ["test", "-x", str(folder)]
        return subprocess.run(test, cwd="/", **self.options).returncode == 0

    def own(self, folder: Path) -> bool:
        """Make a folder of the account's alone; False when it exists and is somebody else's."""
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            return folder.lstat().st_uid == self.options.get("user", os.getuid()) and not folder.is_symlink()
        self.give(folder)
        return True

    def give(self, path: Path) -> None:
        """Hand a file or folder of ours over to the account."""
        if self.options:
            os.chown(path, self.options["user"], self.options["group"])


def for_engines() -> Account:
    """The account to run PostgreSQL and Valkey under."""
    if os.geteuid() != 0:
        return Account({})
    nobody = pwd.getpwnam("nobody")
    return Account({"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []})
