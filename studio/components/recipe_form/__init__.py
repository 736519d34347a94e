"""A form drawn from the description of a configuration's settings, in groups that fold. Triggers `edited`.

**Its value** is what `studio.train.recipe_view.form_of` returns:

- `groups`: one dictionary each: `title`, `open` (unfolded at first) and `fields`, each with `path`, `label`, `kind`
  (see training.config_text.ConfigField), `about`, `unit`, `choices`,
  `value` (as its field shows it) and `problem` ("" for none).
- `closed`: the text behind the form cannot be read, so nothing can be entered.
- `all`: what is shown replaces even what somebody is writing.

**Listening to it**: each edit carries {"setting": its path, "value": text, or True and False of a box}.
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

EMPTY_FORM = {"groups": [], "closed": False, "all": False}


def recipe_form(elem_id: str) -> gr.HTML:
    """An empty form.

    Args:
        elem_id: identifier in the page.
    """
    return custom_html(Path(__file__).parent, EMPTY_FORM, elem_id=elem_id)
