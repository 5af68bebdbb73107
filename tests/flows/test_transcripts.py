"""Golden transcripts: those that ship with Recado, and what a wrong one looks like."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.flows import playing, transcripts
from apps.organizations.models import Organization
from tests.flows.factories import main_flow, make_chatbot

HERE = Path(__file__).parent
SHIPPED = sorted((HERE / "transcripts").rglob("*.yaml"))

GREETING = f"""# How the flow greets.
flow: {HERE / "data" / "seed_mapping_doc_flow.json"}
steps:
- customer: oi
  bot:
  - Qual seu nome
- customer: 'no'
  bot:
  - Ola no
"""

ASKING = """
{"nodes": [
  {"id": "s", "type": "start"},
  {"id": "d", "type": "delay", "data": {"duration": 90, "unit": "minutes"}},
  {"id": "q", "type": "question", "data": {"content": "Qual tamanho?", "options": ["P", "M"], "variableName": "t"}},
  {"id": "m", "type": "message", "data": {"messageType": "image", "mediaUrl": "https://a.example/{{t}}.jpg"}},
  {"id": "h", "type": "handoff", "data": {"queue": "Vendas", "sendTransferMessage": false}}],
 "edges": [{"source": "s", "target": "d"}, {"source": "d", "target": "q"}, {"source": "q", "target": "m"},
  {"source": "m", "target": "h"}]}
"""


@pytest.fixture
def asking(tmp_path: Path) -> Path:
    (tmp_path / "asking.json").write_text(ASKING)
    return tmp_path / "asking.yaml"


def flow_test(*arguments: str | Path) -> str:
    out = StringIO()
    call_command("flow_test", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(HERE / "transcripts")))
def test_a_shipped_transcript_is_what_its_flow_answers(path: Path) -> None:
    played = playing.play(transcripts.read(path))
    assert played.passes, played.diff()


def test_the_example_of_the_documentation_is_right(tmp_path: Path) -> None:
    root = HERE.parent.parent
    [example] = re.findall(r"```yaml\n(.*?)```", (root / "docs" / "flow-tests.md").read_text(), re.DOTALL)
    (tmp_path / "example.yaml").write_text(example.replace("flow: ../", f"flow: {root}/"))
    played = playing.play(transcripts.read(tmp_path / "example.yaml"))
    assert played.passes, played.diff()


def test_a_wrong_transcript_fails_and_shows_the_difference(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(GREETING)
    wrong.write_text(GREETING.replace("Ola no", "Oi no"))
    out = StringIO()
    with pytest.raises(CommandError, match="2 transcripts, 1 failed") as failure:
        call_command("flow_test", str(right), str(wrong), stdout=out)
    assert failure.value.returncode == 1
    assert out.getvalue() == (
        f"--- {wrong} (expected)\n+++ {wrong} (came)\n@@ -3,4 +3,4 @@\n   - Qual seu nome\n"
        " - customer: 'no'\n   bot:\n-  - Oi no\n+  - Ola no\n"
    )


def test_right_transcripts_are_summed_up(tmp_path: Path) -> None:
    (tmp_path / "right.yaml").write_text(GREETING)
    assert flow_test(tmp_path / "right.yaml") == "1 transcript, 0 failed\n"


def test_an_update_writes_what_came_below_what_stands_before_the_steps(tmp_path: Path) -> None:
    path = tmp_path / "greeting.yaml"
    path.write_text(GREETING.replace("  bot:\n  - Ola no\n", ""))
    assert flow_test("--update", path) == f"{path}: updated\n1 transcript, 0 failed\n"
    assert path.read_text() == GREETING


def test_choices_files_waits_and_hand_overs_are_compared(asking: Path) -> None:
    text = """
flow: asking.json
steps:
- customer: oi
- waits: 1 hour
- customer: Alô?
- waits: 30 minutes
  bot:
  - buttons: [P, M]
  - Por favor, escolha uma das opções.
- customer: {file: image}
  bot: ["Por favor, escolha uma das opções."]
- customer: {choice: M}
  bot:
  - media: image
    url: https://a.example/M.jpg
  variables: {t: M}
  hands_over: Vendas
"""
    asking.write_text(text)
    played = playing.play(transcripts.read(asking))
    assert played.passes, played.diff()
    for right, wrong in [("[P, M]", "[M, P]"), ("M.jpg", "P.jpg"), ("t: M", "t: P"), ("Vendas", "Suporte")]:
        asking.write_text(text.replace(right, wrong))
        assert not playing.play(transcripts.read(asking)).passes


def test_a_flow_of_the_database_is_tried_by_its_id(tmp_path: Path, organization: Organization) -> None:
    path = tmp_path / "stored.yaml"
    path.write_text(
        f"flow: {main_flow(make_chatbot(organization)).pk}\nsteps:\n- customer: oi\n  bot:\n  - Qual seu nome?\n"
    )
    assert flow_test(path) == "1 transcript, 0 failed\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a transcript says `flow` and, last, `steps`"),
        ("steps: [", "expected"),
        ("steps:\n- customer: oi\nflow: x", "`steps` come last"),
        ("flow: x\nsteps: []", "steps: "),
        ("flow: x\nsteps:\n- {}", "either what the customer says"),
        ("flow: x\nsteps:\n- waits: a while", "written like `2 hours`"),
        ("flow: x\nsteps:\n- customer: {text: oi, else: 1}", "steps.0.customer"),
        ("flow: missing.json\nsteps:\n- customer: oi", "No such file"),
        ("flow: broken.json\nsteps:\n- customer: oi", "there is no flow in this file"),
        ("flow: odd.json\nsteps:\n- customer: oi", "its triggers cannot be read"),
        ("flow: unable.json\nsteps:\n- customer: oi", "cannot run"),
        ("flow: asking.json\nchannel: fax\nsteps:\n- customer: oi", "no channel 'fax'"),
    ],
)
def test_what_is_no_transcript_fails_in_words(asking: Path, text: str, words: str) -> None:
    (asking.parent / "broken.json").write_text("[]")
    (asking.parent / "unable.json").write_text('{"nodes": [{"id": "x", "type": "fax"}]}')
    (asking.parent / "odd.json").write_text('{"canvas_data": {"nodes": []}, "triggers": 1}')
    asking.write_text(text)
    out = StringIO()
    with pytest.raises(CommandError, match="1 transcript, 1 failed"):
        call_command("flow_test", str(asking), stdout=out)
    assert words in out.getvalue()
