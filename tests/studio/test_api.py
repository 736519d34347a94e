"""The named endpoints on a live server: docs/api.md is true, answers are the engine's, nonsense is one sentence."""

import json
import re
import subprocess
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from models.errors import InvalidSetting
from models.jpeg import Degradation, Resize, Save, degrade, encode, read
from models.restorer import RestoreOptions
from studio.api.api import Api
from studio.interface import build_studio, launch_settings
from studio.server.files import PictureFolder
from studio.server.gradio_internals import MODELS
from tests.paths import REPOSITORY
from training.evaluation.metrics import as_json, measure

EXAMPLES = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / "api.md").read_text("utf-8"), re.S)
NAMES = {"/restore", "/degrade", "/measure", "/inspect", "/models"}


@pytest.fixture(scope="module", params=[False, True], ids=["at home", "in public"])
def page(request, zoo, tmp_path_factory):
    """The whole studio, live."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        demo = build_studio(zoo)
        settings = launch_settings(demo, public=request.param)
        demo.launch(server_name="127.0.0.1", prevent_thread_lock=True, **settings)
        yield demo
        demo.close()


@pytest.fixture(scope="module")
def address(page):
    return page.local_url.rstrip("/")


@pytest.fixture
def client(address, tmp_path):
    return Client(address, verbose=False, download_files=str(tmp_path / "downloads"))


@pytest.fixture
def photo(photograph, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(photograph.image.pixels, Save(15)).data)
    return path


def test_what_does_not_say_that_it_is_json_is_no_call(address):
    """A page elsewhere may send that without asking; it relies on FastAPI, and on its version."""
    for path in ("call/models", "run/models", "queue/join"):
        answer = httpx.post(f"{address}/gradio_api/{path}", content=b'{"data": []}', timeout=60)
        assert answer.status_code in (400, 404, 422), path
    called = httpx.post(f"{address}/gradio_api/call/models", json={"data": []}, timeout=60)
    assert called.status_code == 200
    for origin in ("http://evil.example", "http://127.0.0.1:1", "null"):
        called = httpx.post(
            f"{address}/gradio_api/call/models", json={"data": []}, headers={"Origin": origin}, timeout=60
        )
        assert called.status_code == 403 and "access-control-allow-origin" not in called.headers


def test_every_example_of_the_document_runs(address, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    known = {}
    assert len(EXAMPLES) >= 6
    for example in EXAMPLES:
        exec(compile(example.replace("http://127.0.0.1:7860", address), "docs/api.md", "exec"), known)
    assert {"plain", "reapply", "cascade"} <= set(known["names"])
    assert known["facts"]["quality"]["quality_factor"] == 15
    assert [result["model"] for result in known["answer"]["results"]] == ["reapply", "cascade"]
    assert np.isfinite(known["gain_db"])
    assert len({Path(file).read_bytes() for file in known["files"]}) == 1
    assert known["sentence"].startswith("quality_factor is 0. Whole numbers from 1 to 100")
    assert "cascade" in capsys.readouterr().out


def test_the_curl_commands_of_the_document_work(address, photo):
    text = (REPOSITORY / "docs" / "api.md").read_text("utf-8")
    upload, ask, fetch = re.findall(r"curl .*?(?=\ncurl|\n```)", text, re.S)

    def run(command, **filled):
        for mark, value in filled.items():
            command = command.replace(mark, value)
        command = command.replace("http://127.0.0.1:7860", address).replace(
            "curl ", "curl -sS --noproxy '*' ", 1
        )
        done = subprocess.run(
            ["bash", "-c", command], cwd=photo.parent, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    place = json.loads(run(upload))[0]
    event = json.loads(run(ask, PATH_FROM_UPLOAD=place))["event_id"]
    stream = run(fetch, EVENT_ID=event)
    (facts,) = json.loads(stream.split("data: ", 1)[1])
    assert (facts["rows"], facts["columns"]) == (80, 96)


def test_a_restoration_is_the_restorers_own_to_the_last_bit(client, zoo, photo):
    asked = {"models": ["cascade"], "quality_factor": 40, "stages": 2}
    (result,) = client.predict(handle_file(photo), **asked, api_name="/restore")["results"]
    expected = zoo.load("cascade").restore(read(photo.read_bytes()), RestoreOptions("manual", 40, stages=2))
    np.testing.assert_array_equal(np.array(Image.open(result["file"])), expected.pixels)
    assert result["applied_quality_factor"] == 40
    assert len(result["weights_sha256"]) == 64


def test_a_degradation_is_the_engines(client, photo):
    settings = {
        "second_quality_factor": 50,
        "second_subsampling": "4:4:4",
        "shift_rows": 3,
        "shift_columns": 1,
    }
    answer = client.predict(handle_file(photo), quality_factor=20, **settings, api_name="/degrade")
    saves = Degradation((Save(20), Save(50, "4:4:4", (3, 1))))
    expected = degrade(read(photo.read_bytes()).pixels, saves)
    assert Path(answer["file"]).read_bytes() == expected.image.data
    np.testing.assert_array_equal(np.array(Image.open(answer["reference"])), expected.reference)
    metrics = measure(restored=expected.image.pixels, reference=expected.reference)
    assert answer["metrics"] == pytest.approx(as_json(metrics))
    assert answer["degradation"] == saves.words() and saves.slug() in Path(answer["file"]).name


def test_a_picture_is_resized_between_two_saves(client, photo):
    steps = Degradation((Save(20), Resize(0.5), Save(50, "4:4:4", (3, 1))))
    named = {
        "quality_factor": 20,
        "second_quality_factor": 50,
        "second_subsampling": "4:4:4",
        "shift_rows": 3,
        "shift_columns": 1,
        "resize_percent": 50,
    }
    expected = degrade(read(photo.read_bytes()).pixels, steps)
    assert expected.image.pixels.shape == (37, 47, 3)
    for settings in (named, {"steps": steps.as_json()}):
        answer = client.predict(handle_file(photo), **settings, api_name="/degrade")
        assert Path(answer["file"]).read_bytes() == expected.image.data
        np.testing.assert_array_equal(np.array(Image.open(answer["reference"])), expected.reference)
        assert Degradation.from_json(answer["steps"]) == steps


def test_gray_and_other_formats_are_told(client, photograph, tmp_path):
    png = tmp_path / "clean.png"
    png.write_bytes(photograph.image.data)
    facts = client.predict(handle_file(png), api_name="/inspect")
    assert (facts["format"], facts["quality"], facts["tables"]) == ("PNG", None, None)
    gray = tmp_path / "gray.jpg"
    gray.write_bytes(encode(photograph.image.pixels[..., 0], Save(30)).data)
    facts = client.predict(handle_file(gray), api_name="/inspect")
    assert facts["gray"] is True
    assert facts["tables"]["chroma"] is None
    same = client.predict(handle_file(png), handle_file(png), api_name="/measure")
    assert same["metrics"]["psnr_db"] is None
    assert "peak 255" in same["convention"]


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("/restore", {"models": []}, "A list of names"),
        ("/restore", {"models": "cascade"}, "A list of names"),
        ("/restore", {"models": ["../../etc"]}, "The model is"),
        ("/restore", {"models": [["plain"]]}, "The model is"),
        ("/restore", {"models": ["plain"], "quality_factor": 30.5}, "Whole numbers"),
        ("/restore", {"models": ["plain"], "quality_factor": "30"}, "Whole numbers"),
        ("/restore", {"models": ["plain"], "quality_factor": 30, "blind": True}, "Leave one out"),
        ("/restore", {"models": ["plain"], "blind": 1}, "true and false"),
        ("/restore", {"models": ["plain"], "stages": 0}, "Whole numbers"),
        ("/degrade", {"quality_factor": 101}, "Whole numbers"),
        ("/degrade", {"quality_factor": None}, "missing"),
        ("/degrade", {"quality_factor": 30, "subsampling": "4:1:1"}, "4:4:4, 4:2:2, 4:2:0"),
        ("/degrade", {"quality_factor": 30, "shift_rows": 3}, "two saves"),
        ("/degrade", {"quality_factor": 30, "resize_percent": 50}, "two saves"),
        ("/degrade", {"quality_factor": 30, "second_quality_factor": 30, "resize_percent": 24}, "25 to 200"),
        ("/degrade", {"quality_factor": 30, "steps": [{"quality_factor": 30}]}, "Leave one out"),
        ("/degrade", {"steps": [{"step": "sharpen"}]}, "Steps with their values are allowed"),
        ("/degrade", {"steps": []}, "At least one save"),
        ("/degrade", {"quality_factor": 30, "second_quality_factor": 30, "shift_rows": 8}, "0 to 7"),
    ],
)
def test_nonsense_is_one_sentence(client, photo, name, arguments, told):
    with pytest.raises(Exception, match=re.escape(told)) as caught:
        client.predict(handle_file(photo), **arguments, api_name=name)
    assert "Traceback" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_pictures_of_two_sizes_are_not_compared(client, photo, tmp_path):
    other = tmp_path / "other.png"
    Image.new("RGB", (7, 9)).save(other)
    with pytest.raises(Exception, match="96 x 80 pixels, the reference 7 x 9"):
        client.predict(handle_file(photo), handle_file(other), api_name="/measure")


@pytest.mark.parametrize("place", ["/etc/passwd", "../../etc/passwd", "", 7, None])
def test_only_uploaded_files_are_opened(address, place):
    body = {"data": [{"path": place, "meta": {"_type": "gradio.FileData"}}]}
    asked = httpx.post(f"{address}/gradio_api/call/inspect", json=body, timeout=60)
    answer = asked.text
    if asked.status_code == 200:  # strangers are refused before; at home the event ends in an error
        event = asked.json()["event_id"]
        answer = httpx.get(f"{address}/gradio_api/call/inspect/{event}", timeout=60).text
        assert "event: error" in answer
    else:
        assert asked.status_code == 400
    assert "root:" not in answer
    assert "Traceback" not in answer


def test_what_is_no_file_is_refused(engine, tmp_path):
    api = Api(engine, lambda place, name: pytest.fail("opened"), PictureFolder(tmp_path, 60))
    for value in (None, "photo.jpg", ["photo.jpg"], 3):
        with pytest.raises(InvalidSetting, match="An uploaded file is needed"):
            api.inspect(value)


def test_endpoints_are_typed_documented_and_share_the_models_line(page):
    described = page.get_api_info()["named_endpoints"]
    assert set(described) == NAMES
    assert all(len(one["description"]) > 20 for one in described.values())
    assert [one["parameter_name"] for one in described["/restore"]["parameters"]] == [
        "picture",
        "models",
        "quality_factor",
        "blind",
        "stages",
        "effort",
    ]
    by_name = {fn.api_name: fn for fn in page.handlers.values() if fn.api_visibility == "public"}
    assert by_name["restore"].concurrency_id == MODELS["concurrency_id"]
    assert page.queues.places[MODELS["concurrency_id"]] == MODELS["concurrency_limit"]
    assert all(fn.queue for fn in by_name.values())


def test_calls_past_the_queue_are_refused(address):
    assert httpx.post(f"{address}/gradio_api/run/models", json={"data": []}).status_code == 404
