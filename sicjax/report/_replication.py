"""The page of a replication: its Markdown, with the figures inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from sicjax._errors import InputError
from sicjax.report._about import About, about
from sicjax.report._images import embed
from sicjax.report._page import write_page

if TYPE_CHECKING:
    from markdown_it.token import Token

# Pixels that a figure is wide, on a page of the usual size.
WIDE = 1200


def write_replication(file: Path, *, origin: About | None = None) -> Path:
    """Writes `report.html` beside the Markdown page of a replication, with its text and its figures.

    Arguments:
        file: the Markdown page; its figures lie below its folder.
        origin: how to repeat it; see `about`.

    Raises:
        InputError: the page or a figure cannot be read, or the folder cannot be written.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    return write_page(
        file.parent, lambda part: _content(text, file.parent, part) | {"about": origin or about()}, "replication.html"
    )


def _content(text: str, folder: Path, part: float) -> dict[str, Any]:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    width = max(200, round(WIDE * part**0.75))
    reader.add_render_rule("image", lambda _, tokens, at, *__: _image(tokens[at], folder, width))
    reader.add_render_rule("table_open", lambda *_: _TABLE)
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    reader.add_render_rule("th_open", lambda *_: '<th scope="col">')
    tokens = reader.parse(text)
    sections = []
    for opening, inside in zip(tokens, tokens[1:], strict=False):
        if opening.type == "heading_open" and opening.tag == "h2":
            opening.attrSet("id", f"section-{len(sections)}")
            sections.append((f"section-{len(sections)}", inside.content))
    title = next((b.content for a, b in zip(tokens, tokens[1:], strict=False) if a.tag == "h1"), "A replication")
    # The title is above already.
    if len(tokens) > 2 and tokens[0].tag == "h1":
        tokens = tokens[3:]
    return {
        "title": title,
        "lead": "What the paper shows, what came out here, and how sure that is.",
        "sections": sections,
        # The reader takes no HTML, and escapes all text.
        "prose": Markup(reader.renderer.render(tokens, reader.options, {})),
    }


_TABLE = '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table class="plain">\n'


def _image(token: Token, folder: Path, width: int) -> str:
    """A figure, or what it is called where it is none of the folder's."""
    source, caption = str(token.attrGet("src")), token.content
    place = (folder / source).resolve()
    if not place.is_relative_to(folder.resolve()) or not place.is_file():
        return str(escape(f"[{caption}]"))
    image = embed(place, caption, width=width)
    return str(
        Markup('<span class="sideways wide" tabindex="0"><img src="{}" width="{}" height="{}" alt="{}"></span>').format(
            image.address, image.width, image.height, image.caption
        )
    )
