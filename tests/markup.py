"""A stranger's text that would be a link, a color, a formula, an icon, HTML …, and where a page shows it as such."""

import re
from collections.abc import Iterator

from google.protobuf.message import Message

HOSTILE = "[link](javascript:x) **b** `c` :red[hi] $x^2$ :dog: ~s~ <img src=x> &amp; \u202egpj\x07.jpg"
SIGNS = ("[link](", "**b**", "`c`", ":red[", "$x", ":dog:", "~s~", "<img", "&amp;", "\u202e", "\x07")
HTML_SIGNS = ("<img",)

PLAIN_FIELDS = {
    "alt", "id", "key", "element_id", "url", "code_text", "spec", "data", "json", "mixed_data", "user_key",
    "download_file_name", "query_params", "query_string", "query_param_key", "set_value", "value", "default_value",
    "file_name", "arrow_data", "styler", "columns", "bytes", "raw_value", "form_id", "cell_data", "placeholder",
}  # fmt: skip
"""What the browser does not read as Markdown."""

PLAIN_OPTIONS = {"selectbox", "multiselect"}
"""Widgets whose options are no Markdown."""


def _texts(message: Message, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        name = field.name
        if name in PLAIN_FIELDS or (name == "options" and path[-1] in PLAIN_OPTIONS):
            continue
        for one in [value] if isinstance(value, str | Message) else value if field.is_repeated else []:
            if isinstance(one, str):
                yield ".".join((*path, name)), one
            elif isinstance(one, Message):
                yield from _texts(one, (*path, name))


def markup(test) -> list[str]:
    """Every place of a page, its sidebar included, where a sign of `HOSTILE` is read as Markdown or HTML."""
    found = []
    todo = [test.main, test.sidebar, *test.get("toast")]
    while todo:
        node = todo.pop()
        todo += list(getattr(node, "children", {}).values())
        proto = getattr(node, "proto", None)
        if isinstance(proto, Message):
            for where, text in _texts(proto, (type(proto).__name__.lower(),)):
                unescaped = re.sub(r"\\[^\w\s]", "", text)
                signs = HTML_SIGNS if where == "html.body" else SIGNS
                found += [f"{where}: {text[:200]}" for sign in signs if sign in unescaped][:1]
    return found
