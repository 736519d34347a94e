"""The whole page: header, tabs, and how it is served. Reads like a table of contents."""

import os
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from starlette.middleware import Middleware

from models.command_line import version
from models.jpeg.limits import MAX_BYTES
from models.memory import give_back_freed_memory
from models.zoo import Zoo
from studio.anatomy.handlers import AnatomyHandlers
from studio.anatomy.tab import build_anatomy_tab
from studio.api.api import Api
from studio.api.endpoints import Endpoints
from studio.catalog.tab import build_models_tab
from studio.engine.cache import ResultCache
from studio.engine.engine import Engine
from studio.lessons.handlers import BlindHandlers, GuessHandlers
from studio.lessons.tab import build_lesson_guide, build_lessons_tab
from studio.page.components import component, share_scripts
from studio.page.markup import template
from studio.page.theme import FAVICON, IDLE_SCRIPT, STYLE_SHEET, studio_theme
from studio.privacy import Privacy
from studio.restore.tab import RestoreTab
from studio.server.calls import KnownCalls, LastResort
from studio.server.connections import bound_connections
from studio.server.decoder import Decoder, warn_of_old_pillow
from studio.server.disk_quota import CLIENT_BYTES as DISK_BYTES_OF_CLIENT
from studio.server.disk_quota import DiskQuota, UploadQuota
from studio.server.files import PictureFolder, sweep_forever
from studio.server.gradio_internals import (
    MAX_CALLS,
    StudioBlocks,
    arities,
    current_caller,
    known_calls,
    prepare_for_many,
    queue_refusals,
    static_files,
)
from studio.server.guard import FairShares, Guard, GuardRules
from studio.server.held_memory import CLIENT_BYTES, HeldMemory
from studio.server.openings import Openings
from studio.server.page_files import Caching, PageHead
from studio.server.routes import EMBEDDERS, Routes, headers_for, host_names, is_loopback, local_host_names
from studio.server.shared import SharedPages
from studio.server.temporary_folder import own_temporary_folder
from studio.session.examples import thumbnails
from studio.session.uploads import Uploads
from studio.sweep.handlers import SweepHandlers
from studio.sweep.sweeper import Sweeper
from studio.sweep.tab import build_sweep_tab
from studio.train.handlers import TrainHandlers
from studio.train.jobs import Jobs
from studio.train.publish import withdraw
from studio.train.recipe_handlers import RecipeHandlers
from studio.train.tab import build_train_tab

NAME = "JPEG Restoration Studio"
BENCH = "restore"
"""Id of the tab behind both doors."""
DOORS = {"repair": "Repair my photograph", "experiment": "Experiment"}
PLACES = {
    "anatomy": "Anatomy",
    "sweep": "Sweep",
    "lessons": "Lessons",
    "train": "Train",
    "models": "Models",
}
KEPT_SECONDS = 30 * 60
SWEEP_SECONDS = 60
HELD_SECONDS = 10
"""Between two looks at what open pages hold; every opened file is another one."""
CACHE_BYTES = 512 * 2**20
MOST_VISITORS = 4000
"""Whose state is held; the one away longest goes first."""


def build_studio(zoo: Zoo, jobs: Jobs | None = None) -> StudioBlocks:
    """The page over one zoo; call `.launch(**launch_settings(page, ...))` on it.

    Args:
        zoo: its models appear in the pickers; its device runs them.
        jobs: the training runs; None builds nothing that trains.
    """
    pictures = PictureFolder(_upload_folder(), KEPT_SECONDS, visitor=lambda: current_caller().visitor)
    quota = DiskQuota(pictures.root, client_bytes=None if jobs else DISK_BYTES_OF_CLIENT)
    pictures.on_written = lambda path: quota.wrote(current_caller().client, [path])
    cache = ResultCache(CACHE_BYTES, KEPT_SECONDS)
    engine = Engine(zoo, cache)
    share = None if jobs else CLIENT_BYTES
    held = HeldMemory(
        lambda: demo.held_by_sessions(), lambda name: demo.empty_session(name), client_bytes=share
    )

    def make_room() -> None:
        caller = current_caller()
        held.note(caller.visitor or "", caller.client)
        held.keep_within(caller.visitor)

    uploads = Uploads(pictures, Openings(Decoder().read, lambda: current_caller().client), make_room)
    before = set(pictures.root.rglob("*"))
    with (
        tempfile.TemporaryDirectory(dir=pictures.root.parent) as folder,
        StudioBlocks(title=NAME, analytics_enabled=False, fill_width=True) as demo,
    ):
        frame = component("frame", frame_value(train=jobs is not None), elem_id="frame")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab(BENCH, id=BENCH):
                restore = RestoreTab(engine, pictures, uploads.open, thumbnails(Path(folder)), KEPT_SECONDS)
                restore.wire(demo)
                opened = restore.components
            with gr.Tab(PLACES["anatomy"], id="anatomy") as anatomy:
                taking_apart = AnatomyHandlers(engine, pictures)
                build_anatomy_tab((anatomy.select, frame.anatomy), taking_apart, opened, KEPT_SECONDS)
            with gr.Tab(PLACES["sweep"], id="sweep") as sweep:
                sweeping = SweepHandlers(zoo, Sweeper(zoo, cache), pictures)
                build_sweep_tab(demo, (sweep.select, frame.sweep), sweeping, opened["session"], KEPT_SECONDS)
            if jobs is not None:
                with gr.Tab(PLACES["train"], id="train") as train:
                    recipes = RecipeHandlers(jobs)
                    training = TrainHandlers(jobs, zoo, pictures, recipes)
                    build_train_tab(demo, tabs, train, training, recipes, opened)
            with gr.Tab(PLACES["lessons"], id="lessons"):
                games = GuessHandlers(pictures), BlindHandlers(zoo, pictures)
                build_lessons_tab(tabs, *games, opened["session"], restore.follow, KEPT_SECONDS)
            with gr.Tab(PLACES["models"], id="models") as models:
                take_back = partial(withdraw, jobs.published) if jobs else None
                build_models_tab(models, zoo, tabs, opened, take_back)
        build_lesson_guide(tabs)
        component("question", {}, elem_id="question")
        with gr.Row(elem_id="foot"):
            gr.HTML(foot_markup(zoo))
            delete = gr.Button("Delete my images now", size="sm", elem_id="delete", elem_classes="quiet")
        Privacy(demo, pictures, cache).wire(restore, delete.click)
        Endpoints(Api(engine, uploads.open, pictures), demo.is_wanted).build()
    pictures.keep(set(pictures.root.rglob("*")) - before)
    sweep_forever(SWEEP_SECONDS, pictures.sweep, cache.sweep, give_back_freed_memory)
    sweep_forever(HELD_SECONDS, held.keep_within)
    prepare_for_many(demo)
    demo.disk_quota, demo.pictures, demo.scripts = quota, pictures, share_scripts(demo.blocks.values())
    return demo


def _upload_folder() -> Path:
    """Where uploads arrive and pictures are written: a folder of this process's own, whatever Gradio was told."""
    folder = own_temporary_folder()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


def frame_value(*, train: bool) -> dict[str, Any]:
    """What the head of the page names; see studio/page/frame/behavior.js."""
    places = [{"id": name, "title": title} for name, title in PLACES.items() if train or name != "train"]
    doors = [{"id": name, "title": title} for name, title in DOORS.items()]
    return {"name": NAME, "bench": BENCH, "doors": doors, "places": places}


def foot_markup(zoo: Zoo) -> str:
    """Where models run, how long pictures stay, and what this is."""
    return template("""
        <footer class='foot'>
          <span>{{ where }} · pictures deleted after {{ minutes }} min</span>
          <details class='about'><summary>About</summary><div>
            <p>{{ name }} {{ version }} repairs photographs that were saved as JPEG, with networks of four papers
              side by side, and shows what each of them does.</p>
            <p>What you open is seen by nobody else, is used for nothing but your own results, and is deleted
              {{ minutes }} minutes after you last used it, when you leave, or when you say so.</p>
            <p>The program is under the MIT license; every model's own license stands in Models.</p>
          </div></details>
        </footer>""")(where=device_words(zoo), minutes=KEPT_SECONDS // 60, name=NAME, version=version())


def device_words(zoo: Zoo) -> str:
    """The device for people, with the threads of a CPU."""
    kind = zoo.device.type
    if kind == "cuda":
        return torch.cuda.get_device_name(zoo.device)
    if kind == "cpu":
        count = torch.get_num_threads()
        return f"CPU, {count} thread" + ("s" if count > 1 else "")
    return kind.upper()


def launch_settings(
    demo: StudioBlocks, *, public: bool = False, hosts: Iterable[str] = (), host: str = "127.0.0.1"
) -> dict:
    """Arguments of Blocks.launch that the studio always uses; connections of this process are bounded as well.

    Args:
        demo: the page to be launched.
        public: strangers come: only the page's own routes and calls, and everybody's fair share.
        hosts: names the server answers to, besides localhost and, unless it listens to this machine alone, IP
            addresses and the machine's own name.
        host: where it listens.
    """
    warn_of_old_pillow()
    bound_connections()
    local = is_loopback(host)
    rules = GuardRules(
        routes=Routes(
            public,
            host_names(hosts) if local else host_names((*hosts, *local_host_names())),
            (_upload_folder(),),
            static_files(),
            local,
        ),
        headers=headers_for(EMBEDDERS if public else ()),
        upload_bytes=MAX_BYTES + 2**20,
        arities=arities(demo),
        shares=FairShares() if public else None,
        queue_refusal=queue_refusals(demo),
    )
    return {
        "theme": studio_theme(),
        "css_paths": STYLE_SHEET,
        "favicon_path": FAVICON,
        "show_error": False,
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "pwa": False,
        "max_file_size": MAX_BYTES,
        "footer_links": [],
        "quiet": True,
        "state_session_capacity": MOST_VISITORS,
        "max_threads": MAX_CALLS,
        "app_kwargs": {
            "middleware": [
                Middleware(LastResort),
                Middleware(Guard, rules=rules),
                Middleware(KnownCalls, known=known_calls(demo)),
                Middleware(UploadQuota, quota=demo.disk_quota, largest=MAX_BYTES),
                Middleware(SharedPages, pictures=demo.pictures),
                Middleware(Caching, is_everybodys=demo.pictures.is_everybodys),
                Middleware(PageHead, script=IDLE_SCRIPT.read_text(encoding="utf-8"), shared=demo.scripts),
            ],
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
    }
