"""A visitor of the Restore tab without a page: presses, and what the page holds afterwards."""

from dataclasses import replace
from typing import Any

from studio.restore.handlers import Page, RestoreHandlers
from studio.session.form import RestoreForm
from studio.session.visitor import Present, Run, Session

FORM = RestoreForm(door="experiment", model_names=["plain", "ar_cnn", "cascade"])


class Visitor:
    """Each press answers with its page or pages; session and run follow as Gradio's states would.

    Attributes:
        handlers: what answers.
        session, run, present: the states.
        form: the controls.
    """

    def __init__(self, engine, pictures, form=FORM):
        self.handlers = RestoreHandlers(engine, pictures, self._open_file)
        self.session, self.run, self.present, self.form = Session(), Run(), Present(), form
        self._files: dict[Any, Any] = {}

    def _open_file(self, place: Any, name: Any) -> Any:
        opened = self._files[place]
        return opened() if callable(opened) else opened

    def bring(self, photograph) -> Page:
        """Open a photograph, or what a function gives, as the form says it is damaged; see open_upload."""
        self._files["brought"] = photograph
        page = self.take(self.handlers.open_upload({"path": "brought"}, self.present, self.form))
        if self.session.photograph is not None and page.session is not None:
            changed = self.handlers.change(self.session, self.run, self.present, self.form)
            page = replace(page, viewer=changed.viewer, bench_facts=changed.bench_facts)
        return page

    def change(self, form) -> Page:
        """Other settings."""
        self.form = form
        return self.take(self.handlers.change(self.session, self.run, self.present, form))

    def start(self) -> Page:
        """Press Restore."""
        return self.take(self.handlers.start(self.session, self.present, self.form))

    def work(self):
        """The models' pages, one after the other, as they were when the run came to its turn."""
        for page in self.handlers.work(self.session, self.run, self.present):
            yield self.take(page)

    def finish(self) -> Page:
        """After a run."""
        return self.take(self.handlers.finish(self.session, self.run, self.present, self.form))

    def restore(self, photograph) -> list[Page]:
        """Every page from opening to the last result."""
        return [self.bring(photograph), self.start(), *self.work(), self.finish()]

    def take(self, page: Page) -> Page:
        """Let a page's states stand."""
        self.session, self.run = page.session or self.session, page.run or self.run
        return page
