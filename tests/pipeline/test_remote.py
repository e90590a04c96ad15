"""Servers are asked for their models, and hubs for students, before anything is paid for: what is wrong has its line."""

import http.server
import json
import threading

import pytest

from cotdistill.client import models
from tests.support.fault_server import HANG, FaultServer, Received, status
from tests.support.offline import cut_off

TEXT = """\
name: t
problems: {dataset: demo, limit: 4}
teacher: {kind: endpoint, base_url: "URL", model: deep-r1}
filter: {}
"""
KEYED = TEXT.replace("model: deep-r1", "model: deep-r1, api_key_env: SOME_KEY")
JUDGED = """\
name: t
problems: {dataset: demo, limit: 4}
teacher: demo
judge: {kind: endpoint, base_url: "URL", model: deep-r1}
verifier: {kind: judge}
filter: {}
"""
ASKED_STUDENT = """\
name: t
problems: {dataset: demo, limit: 4, holdout: 2}
teacher: demo
student: demo
train: {max_steps: 1}
evaluate: {sampler: {kind: endpoint, base_url: "URL", model: "s-{arm}"}}
"""


@pytest.fixture
def said(call, tmp_path, monkeypatch):
    """Run a command on a recipe: its exit code and all that it says."""
    monkeypatch.setenv("SOME_KEY", "sk-123456789")

    def run(command, text, *arguments):
        (tmp_path / "t.yaml").write_text(text)
        code, out, err = call(command, "t.yaml", *arguments)
        return code, " ".join(f"{out} {err}".split())

    return run


PAGE = status(200, "<html>welcome</html>", content_type="text/html")


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("models", "text", "code", "message"),
    [
        (
            ("deep-r2", "other"),
            TEXT,
            2,
            "t.yaml:3: teacher.model: HOST has no model `deep-r1` (did you mean `deep-r2`?)",
        ),
        ((status(401, '{"error": "no"}'),), KEYED, 3, "t.yaml:3: teacher.api_key_env: HOST: the endpoint refused the"),
        ((status(401, '{"error": "no"}'),), KEYED, 3, "HTTP 401: no (the key is read from SOME_KEY)"),
        ((status(402),), TEXT, 3, "name the variable that holds a key in `api_key_env`"),
        (("deep-r2",), JUDGED, 2, "t.yaml:4: judge.model: HOST has no model `deep-r1`"),
        ((status(401),), ASKED_STUDENT, 3, "t.yaml:6: evaluate.sampler.api_key_env: HOST: the endpoint refused"),
    ],
)
def test_a_server_that_will_not_do_is_found_before_the_first_stage(said, command, models, text, code, message):
    with FaultServer(models=models) as server:
        found = said(command, text.replace("URL", server.base_url))
        assert found[0] == code
        assert message.replace("HOST", f"127.0.0.1:{server.port}") in found[1]
        assert server.requests == [] and 1 <= len(server.asked_models) <= 2


@pytest.mark.parametrize("command", ["check", "run"])
def test_an_address_without_its_version_is_found(said, command):
    with FaultServer(models=("deep-r1",)) as server:
        address = server.base_url.removesuffix("/v1")
        code, text = said(command, TEXT.replace("URL", address))
    assert code == 2
    assert f"t.yaml:3: teacher.base_url: {address} is no OpenAI-compatible address: HTTP 404: no" in text
    assert f"(write {address}/v1)" in text


@pytest.mark.parametrize(
    ("models", "note"),
    [
        (("deep-r1",), "HOST has 1 model, `deep-r1` among them"),
        (("deep-r1", "deep-r2"), "HOST has 2 models, `deep-r1` among them"),
        ((), "HOST lists no models"),
        (None, "HOST shows no list of models (HTTP 404: no): whether it has this one is not known"),
        ((PAGE,), "HOST shows no list of models (it answers with an HTML page)"),
        ((status(200, '{"object": "error"}'),), "(it answers with no list of models)"),
        ((status(403, '{"error": "missing scope"}'),), "HOST does not show its models with this key"),
        ((status(503),), "HOST shows no list of models (HTTP 503: no)"),
    ],
)
def test_a_server_without_such_a_list_is_no_fault_and_is_told(said, models, note):
    with FaultServer(models=models) as server:
        code, text = said("check", TEXT.replace("URL", server.base_url))
    assert code == 0
    assert note.replace("HOST", f"127.0.0.1:{server.port}") in text


def test_a_variant_of_a_listed_model_is_one(said):
    with FaultServer(models=("deep-r1",)) as server:
        code, text = said(
            "check", TEXT.replace("URL", server.base_url).replace("model: deep-r1", "model: 'deep-r1:free'")
        )
    assert code == 0 and "`deep-r1:free` is a variant of one" in text


def test_nobody_listens(said):
    with FaultServer() as server:
        address = server.base_url
    code, text = said("check", TEXT.replace("URL", address))
    assert code == 75
    assert f"t.yaml:3: teacher.base_url: no server answers at 127.0.0.1:{server.port}: connection refused" in text
    assert said("check", TEXT.replace("URL", address), "--no-probe")[0] == 0


def test_a_run_waits_for_a_server_that_is_not_there_yet(said):
    with FaultServer() as server:
        address = server.base_url
    text = TEXT.replace("URL", address).replace("model: deep-r1", "model: deep-r1, max_outage_s: 0.2")
    code, out = said("run", text)
    assert code == 75
    assert "teacher.base_url: no server answers at" in out and "no answer for" in out


def test_a_host_that_is_none_is_named_and_other_faults_with_it(said, monkeypatch):
    cut_off(monkeypatch)
    code, text = said("check", TEXT.replace("URL", "https://api.deepsek.example/v1") + "convert: {style: thinks}\n")
    assert code == 2 and "style" in text
    code, text = said("check", TEXT.replace("URL", "https://api.deepsek.example/v1"))
    assert (code, "teacher.base_url" in text) == (75, True), "a name service that is away is no wrong name"


def test_of_several_servers_one_that_is_well_will_do_and_the_other_is_named(said):
    with FaultServer(models=("deep-r1",)) as one, FaultServer(models=("x",)) as other:
        servers = f"[{{base_url: '{one.base_url}'}}, {{base_url: '{other.base_url}', model: r7}}]"
        text = TEXT.replace('base_url: "URL"', f"endpoints: {servers}")
        code, out = said("check", text)
    assert code == 0
    assert f"t.yaml:3: teacher.endpoints.1.model: 127.0.0.1:{other.port} has no model `r7`" in out


def test_the_server_of_a_student_may_get_its_weights_later(said):
    with FaultServer(models=("base",)) as server:
        code, out = said("check", ASKED_STUDENT.replace("URL", server.base_url))
    assert code == 0
    assert "evaluate.sampler.model" in out and "has no model `s-t`" in out and "has no model `s-baseline`" in out


def test_the_server_of_a_finished_stage_is_not_asked_again(said):
    with FaultServer(models=("deep-r1",)) as server:
        text = TEXT.replace("URL", server.base_url)
        assert said("run", text, "--set", "filter.keep=all")[0] == 0
        assert len(server.asked_models) == 1
        assert said("run", text, "--set", "filter.keep=all")[0] == 0
        assert len(server.asked_models) == 1


@pytest.mark.parametrize(("code", "said_of"), [(404, "no such model"), (400, "bad model")])
@pytest.mark.parametrize("limit", [4, 30])
def test_a_refusal_of_everything_while_sampling_has_its_place(said, code, said_of, limit):
    def refuse(_: Received):
        return (status(code, json.dumps({"error": {"message": said_of}})),)

    text = TEXT.replace("limit: 4", f"limit: {limit}")
    with FaultServer(refuse) as server:
        found = said("run", text.replace("URL", server.base_url))
        assert found[0] == 2
        assert "t.yaml:3: teacher.model: " in found[1] and said_of in found[1]
    with FaultServer(refuse, models=("deep-r2",)) as server:
        found = said("run", text.replace("URL", server.base_url), "--no-probe")
        assert found[0] == 2
        assert "t.yaml:3: teacher.model: " in found[1] and "did you mean `deep-r2`?" in found[1]


def test_another_web_server_is_not_waited_for(said):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code, text = said("run", TEXT.replace("URL", f"http://127.0.0.1:{server.server_port}/v1"))
    server.shutdown()
    server.server_close()
    assert code == 2
    assert "teacher.model" in text and "HTTP 501" in text and "see to `model` and `base_url`" in text


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_server_that_says_nothing_is_asked_once_and_holds_nothing_up(said, monkeypatch, command):
    monkeypatch.setattr(models, "PATIENCE_S", 0.3)
    with FaultServer(models=(b"", HANG)) as server:
        _, text = said(command, TEXT.replace("URL", server.base_url))
        note = "gives no answer to GET /models within 0.3 s: whether it has `deep-r1` is not known"
        assert text.count(f"127.0.0.1:{server.port} {note}") == 1
        assert len(server.asked_models) == 1
        assert len(server.requests) == (4 if command == "run" else 0)
