"""The site of the documentation: `sphinx-build -W docs site`.

The pages are Markdown that GitHub shows too: links between them are links to files, formulas stand in `$`. The API
comes from docstrings, whose Markdown becomes what Sphinx reads. Formulas are MathML, which browsers draw by themselves,
so that the site has no script from elsewhere and can be read offline.
"""

import inspect
import os
import re
import tomllib
from pathlib import Path

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.util.inspect import signature, stringify_signature

import sicjax

ROOT = Path(__file__).resolve().parents[1]
SOURCE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]
# Links to files that are no pages go to this version of the repository.
REVISION = os.environ.get("SICJAX_DOCS_REVISION", "main")

project = author = "sicjax"
copyright = "The sicjax developers"
release = version = sicjax.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["site", "_build"]

myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3

# Blocks without a language are commands and what they print.
highlight_language = "none"

html_theme = "sphinx_book_theme"
html_title = f"sicjax {release}"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_extra_path = ["../sicjax/measure/schema.json"]
html_math_renderer = "mathml"
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "repository_url": SOURCE,
    "repository_branch": REVISION,
    "path_to_docs": "docs",
    "use_repository_button": True,
    "use_issues_button": True,
    "use_edit_page_button": True,
    "show_toc_level": 2,
    "navbar_persistent": [],
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# What a docstring has in backticks is a link where there is a page for it, else code.
default_role = "py:obj"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_attr_annotations = False
# A value in backticks and a section of a docstring.
CODE = re.compile(r"(`[^`\n]+(?:\n[^`\n]+)?`)")
NAME = re.compile(r"`[A-Za-z_][\w.]*`")
SECTION = re.compile(r"(Arguments|Attributes|Returns|Raises|Yields):$")


def from_markdown(lines: list[str]) -> list[str]:
    """A docstring in Markdown as reStructuredText: fences, formulas that are indented, backticks."""
    out: list[str] = []
    text: list[str] = []
    fenced = formula = doctest = False
    section = ""
    for before, line in zip(["", *lines], lines, strict=False):
        if line and not line.startswith(" "):
            section, formula = line if SECTION.match(line) else "", False
        doctest = bool(line.strip()) and (doctest or line.lstrip().startswith(">>>"))
        fence = line.startswith("```")
        starts = line.startswith("    ") and not (section or formula or fenced or before.strip())
        formula = formula or starts
        if not (fence or fenced or formula or doctest):
            text.append(line)
            continue
        out += prose(text)
        text = []
        if fence:
            fenced = not fenced
            out += ["", f".. code-block:: {line[3:]}", ""] if fenced else [""]
        else:
            out += [*["::", ""] * starts, f"    {line}" if fenced else line]
    return out + prose(text)


def prose(lines: list[str]) -> list[str]:
    """Names in backticks are left, other code gets two of them; signs of reStructuredText mean themselves."""
    parts = CODE.split("\n".join(lines))
    for k, part in enumerate(parts):
        if not k % 2:
            # But for the star of a list.
            parts[k] = re.sub(r"(?m)^\* |[*|\\]", lambda sign: sign[0] if len(sign[0]) > 1 else f"\\{sign[0]}", part)
        elif not NAME.fullmatch(part):
            parts[k] = f"`{part}`"
        if k % 2 and re.match(r"\w", parts[k + 1]):  # as in `Array`s
            parts[k] += "\\ "
    return "".join(parts).split("\n") if lines else []


def read_docstring(app, what, name, obj, options, lines: list[str]) -> None:
    if what in ("property", "attribute") and lines:  # what is before a colon would be taken for its type
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ")
    for k, line in enumerate(lines[:-1]):
        if line == "Returns:":
            lines[k + 1] = lines[k + 1].replace(": ", " \N{EN DASH} ", 1)
    lines[:] = from_markdown(lines)


def shorten(app, what, name, obj, options, arguments: str | None, returned: str | None):
    """Arrays go by the name that one imports; a class by its own arguments, where what makes it hides them."""
    if what == "class" and arguments and arguments.startswith("(*args"):
        own = signature(obj.__init__, bound_method=True) if inspect.isfunction(obj.__init__) else None
        arguments = stringify_signature(own, unqualified_typehints=True, show_return_annotation=False) if own else None
    if arguments:  # with a default that is a function types come in full, and it as its address
        arguments = re.sub(r"<function [^>]*<lambda>>", "...", re.sub(r"~(?:\w+\.)+", "", arguments))
        arguments = re.sub(r"<class '([\w.]+)'>", r"\1", arguments)
        # What is many types goes by its name.
        arguments = re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", arguments)
        arguments = arguments.replace("str | type[Any] | dtype | SupportsDType", "DTypeLike")
    if arguments and re.fullmatch(r"\(\*args.*\*\*kwargs[^,]*\)", arguments):  # what takes anything says nothing
        arguments = None
    return tuple(each and each.replace("jaxlib._jax.Array", "Array") for each in (arguments, returned))


def skip_fields(app, what, name, obj, skip, options) -> bool | None:
    """Fields of named tuples are told in the docstring, by themselves each says its number; values say their type."""
    said = ("_tuplegetter", "dict", "tuple", "str", "int", "float")
    return True if name.startswith("tree_") or type(obj).__name__ in said else None


def link_to_repository(app, document: str, source: list[str]) -> None:
    """Files of the repository beside the documentation are no pages: links to them lead to the repository."""
    source[0] = re.sub(r"\]\(\.\./([^)\s]+)\)", rf"]({SOURCE}/blob/{REVISION}/\1)", source[0])


def inline_formula(translator, node: nodes.math) -> None:
    translator.body.append(latex2mathml.tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def formula_alone(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="formula">{latex2mathml.tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app) -> dict:
    app.connect("autodoc-process-docstring", read_docstring, priority=400)
    app.connect("autodoc-process-signature", shorten)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("source-read", link_to_repository)
    app.add_html_math_renderer("mathml", (inline_formula, None), (formula_alone, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
