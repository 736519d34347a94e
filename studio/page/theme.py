"""How the page looks: Gradio's variables from one neutral scale and one accent, and the studio's own style sheet."""

from gradio import themes

from models.places import shipped

ASSETS = shipped("assets")
STYLE_SHEET = ASSETS / "studio.css"
FAVICON = ASSETS / "logo.svg"
IDLE_SCRIPT = ASSETS / "idle.js"

SYSTEM = ("system-ui", "-apple-system", "Segoe UI", "Liberation Sans", "Arial", "sans-serif")
MONOSPACE = ("ui-monospace", "SFMono-Regular", "Liberation Mono", "Menlo", "monospace")


def studio_theme() -> themes.Base:
    """Base theme in neutral grays; colours come from the variables of assets/studio.css, light and dark."""
    theme = themes.Base(
        primary_hue=themes.colors.teal,
        neutral_hue=themes.colors.neutral,
        font=SYSTEM,
        font_mono=MONOSPACE,
        radius_size=themes.sizes.radius_sm,
        spacing_size=themes.sizes.spacing_md,
        text_size=themes.sizes.text_md,
    )
    pairs = {
        "body_background_fill": "var(--studio-page)",
        "body_text_color": "var(--studio-ink)",
        "body_text_color_subdued": "var(--studio-muted)",
        "background_fill_primary": "var(--studio-panel)",
        "background_fill_secondary": "var(--studio-page)",
        "border_color_primary": "var(--studio-line)",
        "border_color_accent": "var(--studio-accent)",
        "color_accent_soft": "var(--studio-accent-soft)",
        "link_text_color": "var(--studio-accent-ink)",
        "block_background_fill": "transparent",
        "block_border_color": "transparent",
        "block_label_background_fill": "transparent",
        "block_label_text_color": "var(--studio-muted)",
        "block_title_text_color": "var(--studio-ink)",
        "block_info_text_color": "var(--studio-muted)",
        "input_background_fill": "var(--studio-field)",
        "input_border_color": "var(--studio-line)",
        "input_border_color_focus": "var(--studio-accent)",
        "slider_color": "var(--studio-accent)",
        "checkbox_background_color": "var(--studio-field)",
        "checkbox_background_color_selected": "var(--studio-accent)",
        "checkbox_border_color": "var(--studio-line-strong)",
        "checkbox_border_color_selected": "var(--studio-accent)",
        "checkbox_label_background_fill": "transparent",
        "checkbox_label_background_fill_hover": "transparent",
        "checkbox_label_background_fill_selected": "transparent",
        "checkbox_label_text_color": "var(--studio-ink)",
        "checkbox_label_text_color_selected": "var(--studio-ink)",
        "button_primary_background_fill": "var(--studio-accent)",
        "button_primary_background_fill_hover": "var(--studio-accent-strong)",
        "button_primary_text_color": "var(--studio-on-accent)",
        "button_secondary_background_fill": "var(--studio-field)",
        "button_secondary_background_fill_hover": "var(--studio-hover)",
        "button_secondary_border_color": "var(--studio-line-strong)",
        "button_secondary_text_color": "var(--studio-ink)",
    }
    flat = {
        "color_accent": "var(--studio-accent)",
        "block_border_width": "0px",
        "block_shadow": "none",
        "block_padding": "0px",
        "layout_gap": "8px",
    }
    return theme.set(**pairs, **{f"{name}_dark": value for name, value in pairs.items()}, **flat)
