"""Scripts: what they may do, and everything that they may not."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.flows import calls
from apps.flows.calling import script
from apps.flows.calls import Result

EXAMPLE = """// Extrair detalhes do horário selecionado
const slot = available_slots[selected_slot - 1];

return {
  appointment_date: slot.date,
  appointment_time: slot.time,
  professional_name: slot.professional
};"""

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda items: st.lists(items, max_size=4) | st.dictionaries(TEXT, items, max_size=4),
    max_leaves=10,
)


def run(code: str, variables: dict[str, Any] | None = None, *, timeout: float = 5.0) -> Result:
    return script.perform(calls.Script(code, variables or {}, timeout))


def error(code: str, variables: dict[str, Any] | None = None, *, timeout: float = 5.0) -> str:
    result = run(code, variables, timeout=timeout)
    assert not result.ok
    assert result.value is None
    assert result.assigned == {}
    return result.error


def scripts_running() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "javascript.py" in " ".join(_line(child))]


def _line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_script_of_a_booking_flow_gives_its_details() -> None:
    slots = [{"date": "02/12", "time": "09:00", "professional": "Ana"}, {"date": "03/12", "time": "10:30"}]
    details = {"appointment_date": "02/12", "appointment_time": "09:00", "professional_name": "Ana"}

    assert run(EXAMPLE, {"available_slots": slots, "selected_slot": "1"}) == Result(
        ok=True, value=details, assigned=details
    )


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("return total * 2", 14),
        ("total + 1", 8),
        ("const double = (x) => x * 2; double(total)", 14),
        ("if (total > 5) { 'muito' } else { 'pouco' }", "muito"),
        ("async function soon() { await null; return total } soon()", 7),
        ("return await Promise.all([1, total])", [1, 7]),
        ("'use strict'; return [new Date(0), undefined, NaN, () => 1]", ["1970-01-01T00:00:00.000Z", None, None, None]),
        ("console.log('olá', total); console.error('x')", None),
        ("", None),
        ('"a\\u0000b\\ud800"', "ab?"),
        ("'pão de queijo 🥐'", "pão de queijo 🥐"),
        ("1e999", None),
    ],
)
def test_value_is_what_it_returns_or_its_last_expression(code: str, value: Any) -> None:
    result = run(code, {"total": 7})

    assert (result.ok, result.value, result.error) == (True, value, "")


@pytest.mark.parametrize(
    ("code", "assigned"),
    [
        ("total = 8", {"total": 8}),
        ("total = 7; fresh = {a: [1]}", {"fresh": {"a": [1]}}),
        ("var kept = 1; let local = 2; const other = 3; function f() {}", {"kept": 1}),
        ("cart.items.push('pão')", {"cart": {"items": ["pão"]}}),
        ("variables['full name'] = 'Bia'; variables.total = 9", {"full name": "Bia", "total": 9}),
        ("total = 1; return {total: 2, extra: null}", {"total": 2, "extra": None}),
        ("total = 1; ({total: 2})", {"total": 1}),
        ("total = 1; return [2]", {"total": 1}),
        ("total = undefined; var nothing", {"total": None}),
        ("Function('return this')().found = 1; globalThis.more = 2", {"found": 1, "more": 2}),
        ("performance = 'alta'; Math = null", {"performance": "alta"}),
        ("total", {}),
    ],
)
def test_assigned_is_what_it_made_of_its_globals(code: str, assigned: dict[str, Any]) -> None:
    result = run(code, {"total": 7, "cart": {"items": []}, "full name": "Ana"})

    assert (result.ok, result.assigned) == (True, assigned)


def test_variables_named_like_the_language_are_reached_by_name_only() -> None:
    result = run(
        "[JSON.stringify(1), variables.JSON, __proto__.a, variables['x-y']]",
        {"JSON": 5, "x-y": 6, "__proto__": {"a": 1}},
    )

    assert result == Result(ok=True, value=["1", 5, 1, 6])


@settings(max_examples=15, deadline=None)
@given(variables=st.dictionaries(TEXT, JSON, max_size=4))
def test_any_variables_come_back_as_they_went(variables: dict[str, Any]) -> None:
    assert script.perform(calls.Script("variables", variables)) == Result(ok=True, value=variables)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("let a = 1;\nlet b = ;", "SyntaxError: unexpected token in expression: ';' (line 2)"),
        ("\n\nfoo.bar()", "ReferenceError: foo is not defined (line 3)"),
        ("\nreturn nothing.x", "ReferenceError: nothing is not defined (line 2)"),
        ("function f() {\n  throw new TypeError('não')\n}\nf()", "TypeError: não (line 2)"),
        ("throw {code: 5}", 'The script threw {"code":5}.'),
        ("return await new Promise(() => {})", "The script awaits something that never happens."),
        ("10n", "The script's value cannot be kept: TypeError: BigInt are forbidden in JSON.stringify"),
        ("loop = {}; loop.self = loop; 1", "loop cannot be kept: TypeError: circular reference"),
        ("'x'.repeat(66000)", "The script gives more than 64 KiB."),
        ("let a = []; for (let i = 0; i < 70; i++) a = [a]; a", "The value has more than 64 levels within each other."),
        (
            "let a = []; for (let i = 0; i < 50000; i++) a = [a]; a",
            "The script's value cannot be kept: RangeError: Maximum call stack size exceeded",
        ),
    ],
)
def test_errors_are_said_to_the_author_with_the_line(code: str, words: str) -> None:
    assert error(code) == words


@pytest.mark.parametrize(
    "code",
    [
        "while (true) {}",
        "try { while (true) {} } finally { while (true) {} }",
        "async function f() { await null; while (true) {} } f()",
        "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "Object.prototype.toJSON = () => { while (true) {} }; ({})",
        "async function f() { while (true) await null } f()",
    ],
)
def test_endless_script_is_stopped_in_time_and_leaves_no_process(code: str) -> None:
    began = time.monotonic()

    assert error(code, timeout=0.3) == "The script took longer than 0.3 seconds."
    assert time.monotonic() - began < 1.3
    assert scripts_running() == []


def test_engine_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stuck = tmp_path / "javascript.py"
    stuck.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(script, "_CHILD", str(stuck))
    began = time.monotonic()

    assert error("1", {"filler": "x" * 200_000}, timeout=0.2) == "The script took longer than 0.2 seconds."
    assert time.monotonic() - began < 1.2
    assert scripts_running() == []


def test_engine_that_never_stops_talking_is_cut_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    endless = tmp_path / "javascript.py"
    endless.write_text("import os\nwhile True: os.write(1, b'=' * 4096)\n")
    monkeypatch.setattr(script, "_CHILD", str(endless))

    assert error("1", timeout=20) == "The script gives more than 64 KiB."
    assert scripts_running() == []


@pytest.mark.parametrize(
    "code",
    [
        "let a = []; while (true) a.push(new Array(1e6))",
        "let a = []; while (true) a.push('x'.repeat(1e6) + a.length)",
        "a = {}; while (true) { a = {a} }",
        "new ArrayBuffer(1e9)",
        "'x'.repeat(1e8)",
        "let a = 'x'; while (true) a += a",
        "function f() { return f() } f()",
        "let s = '['.repeat(1e6); JSON.parse(s)",
    ],
)
def test_script_that_wants_everything_gets_little(code: str) -> None:
    words = error(code)

    assert any(part in words for part in ("memory", "Maximum call stack", "too long", "array buffer length")), words


@pytest.mark.parametrize(
    "code",
    [
        "require('fs')",
        "process.env",
        "os.getenv('HOME')",
        "std.loadFile('/etc/passwd')",
        "fetch('http://127.0.0.1/')",
        "setTimeout(() => 1, 1)",
        "new Worker('x')",
        "load('/etc/passwd')",
        "import('fs')",
        "import('/etc/passwd')",
        "await import('/etc/hosts')",
        "import * as std from 'std'",
        "Function('return this')().process.exit()",
        "this.constructor.constructor('return process')()",
        "[].constructor.constructor('return require')()('fs')",
        "console.log.constructor('return std')()",
    ],
)
def test_there_is_no_way_to_the_host(code: str) -> None:
    words = error(code)

    assert words.startswith(("ReferenceError", "TypeError", "SyntaxError"))
    assert "/usr" not in words
    assert ".py" not in words


def test_globals_are_those_of_the_language_and_nothing_else() -> None:
    names = run("Object.getOwnPropertyNames(globalThis)").value

    assert {name for name in names if name[0].islower()} == {
        "atob",
        "btoa",
        "console",
        "decodeURI",
        "decodeURIComponent",
        "encodeURI",
        "encodeURIComponent",
        "escape",
        "eval",
        "globalThis",
        "isFinite",
        "isNaN",
        "parseFloat",
        "parseInt",
        "queueMicrotask",
        "undefined",
        "unescape",
        "variables",
    }


def test_process_of_a_script_has_no_rights() -> None:
    child = Path(script.__file__).with_name("javascript.py")
    attempts = f"""
import os, resource, runpy, sys
javascript = runpy.run_path({str(child)!r}, run_name="child")
javascript["confine"](1)
def refused(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"
print(os.getcwd(), os.getuid(), os.getgroups(), refused(lambda: open("/etc/passwd")),
      refused(os.fork), refused(lambda: os.pipe()), resource.getrlimit(resource.RLIMIT_CPU))
"""
    output = subprocess.run([sys.executable, "-I", "-c", attempts], capture_output=True, text=True, env={}, cwd="/")
    uid = 65534 if psutil.Process().uids().real == 0 else psutil.Process().uids().real

    groups = [] if uid == 65534 else os.getgroups()

    assert output.stderr == ""
    assert output.stdout == f"/ {uid} {groups} OSError BlockingIOError OSError (3, 3)\n"


def test_environment_of_the_server_does_not_reach_the_script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "javascript.py"
    told.write_text("""import os, json
files = [int(name) for name in os.listdir('/dev/fd')]
facts = [dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid(), max(files) < 5]
print('=' + json.dumps({'value': facts, 'assigned': {}}))
""")
    monkeypatch.setenv("SECRET_KEY", "geheim")
    monkeypatch.setattr(script, "_CHILD", str(told))

    environment, folder, leads_its_session, has_no_files = run("1").value

    assert environment in ({}, {"LC_CTYPE": "C.UTF-8"})
    assert (folder, leads_its_session, has_no_files) == ("/", True, True)


def test_twenty_scripts_at_once_each_get_their_own_answer() -> None:
    with ThreadPoolExecutor(20) as pool:
        results = list(
            pool.map(
                lambda number: run("number = number * 2; return number", {"number": number}, timeout=10), range(1, 21)
            )
        )

    assert [(result.value, result.assigned) for result in results] == [(n * 2, {"number": n * 2}) for n in range(1, 21)]


def test_no_script_runs_longer_than_thirty_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "TIMEOUT", 0.2)

    assert error("while (true) {}", timeout=3600) == "The script took longer than 0.2 seconds."


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("return 1", ""),
        ("x = 1; x + 1", ""),
        ("await later()", ""),
        ("while (true) {}", ""),
        ("\nif (a {\n", "SyntaxError: Unexpected token '{' (line 2)"),
        ("if (a) {", "SyntaxError: unexpected token in expression: ')' (line 1)"),
        ("def f():\n  pass", "SyntaxError: expecting ';' (line 1)"),
    ],
)
def test_grammar_is_checked_without_running_anything(code: str, words: str) -> None:
    assert script.check(code) == words
