"""The OpenAPI document as a page for people. It is made here, loads nothing from anywhere, and needs no JavaScript."""

import base64
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from html import escape

from server.html import page_headers
from server.openapi import Json

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #555c64; --paper: #fff; --tint: #f4f5f7; --line: #dde1e5;
  --link: #0b57c2; --get: #0b57c2; --post: #17693a; --patch: #8a4b00; --delete: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceef0; --soft: #a9b1ba; --paper: #15171a; --tint: #1e2125; --line: #33383e;
    --link: #8ab4ff; --get: #8ab4ff; --post: #7bd49a; --patch: #f2b96b; --delete: #ff9d94; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  color: var(--ink); background: var(--paper); overflow-wrap: break-word; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px; border-radius: .25rem; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
p { margin: .5rem 0; max-width: 44rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; text-wrap: balance; }
header { display: flex; justify-content: space-between; align-items: center; padding: 1rem 1.25rem;
  border-bottom: 1px solid var(--line); }
.home { display: flex; gap: .625rem; align-items: center; font-weight: 700; font-size: 1.125rem; color: var(--ink); }
.home svg { width: 1.5rem; height: 1.5rem; fill: currentColor; }
nav { padding: 1rem 1.25rem 3rem; border-top: 1px solid var(--line); }
nav h2 { margin: 1.25rem 0 .25rem; font-size: .8125rem; color: var(--soft); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; padding: .5rem 0; font-size: .9375rem; color: var(--ink); }
main { padding: 1.5rem 1.25rem 4rem; min-width: 0; max-width: 58rem; }
h1 { font-size: 1.875rem; }
main > section { margin-top: 3rem; }
main > section > h2 { padding-bottom: .5rem; border-bottom: 2px solid var(--line); font-size: 1.5rem; }
article { padding: 1.75rem 0; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.1875rem; }
h3 a, h4 a { color: inherit; }
h4 { margin: 1.5rem 0 .375rem; font-size: .9375rem; }
.call { display: flex; gap: .75rem; align-items: baseline; margin: .625rem 0; padding: .5rem .875rem;
  background: var(--tint); border-radius: .5rem; }
.call code { min-width: 0; overflow-wrap: anywhere; }
.method { font-weight: 700; }
.get { color: var(--get); }
.post { color: var(--post); }
.patch { color: var(--patch); }
.delete { color: var(--delete); }
dl { margin: 0; }
dl > div { padding: .5rem 0; border-top: 1px solid var(--line); }
dl > div:first-child { border-top: 0; }
dt { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; }
dt > code { font-weight: 600; overflow-wrap: anywhere; }
dd { margin: .125rem 0 0; color: var(--soft); }
dd p, li p { margin: .25rem 0; }
dd code { color: var(--ink); overflow-wrap: anywhere; }
.kind { font-size: .875rem; color: var(--soft); }
.must { font-size: .8125rem; font-weight: 600; color: var(--delete); }
.status { font-weight: 700; font-variant-numeric: tabular-nums; }
pre { margin: .5rem 0; padding: .875rem 1rem; overflow: auto; max-height: 28rem; line-height: 1.5;
  background: var(--tint); border-radius: .5rem; }
summary { cursor: pointer; font-size: .9375rem; font-weight: 600; color: var(--link); padding: .375rem 0; }
@media (min-width: 64rem) {
  body { display: grid; grid-template: auto 1fr / 19rem minmax(0, 1fr); }
  header { padding: 1.25rem; border: 0; border-right: 1px solid var(--line); }
  header .to-contents { display: none; }
  nav { grid-area: 2 / 1; padding: 0 1.25rem 2rem; border: 0; border-right: 1px solid var(--line); }
  nav div { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; padding-bottom: 2rem; }
  nav li a { padding: .25rem 0; }
  main { grid-area: 1 / 2 / span 2; padding: 2.5rem 3rem 6rem; }
}
"""

# The three finder patterns of a code, with nothing in between.
EYE = "M{x} {y}h7v7h-7zm1 1v5h5v-5zm1 1h3v3h-3z"
MARK = "".join(EYE.format(x=x, y=y) for x, y in ((0, 0), (8, 0), (0, 8)))
ICON = f"""<svg viewBox="0 0 15 15" aria-hidden="true"><path fill-rule="evenodd" d="{MARK}"/></svg>"""
FAVICON = base64.b64encode(ICON.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"').encode()).decode()

HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} API {version}</title>
<link rel="icon" href="data:image/svg+xml;base64,{favicon}">
<style>{style}</style>
</head>
<body>
<header id="top">
<a class="home" href="#top">{icon}{title} API</a>
<a class="to-contents" href="#contents">Contents</a>
</header>
<main>
<h1>{title} API</h1>
{intro}
{sections}
<section id="schemas"><h2>Schemas</h2>
{schemas}
</section>
</main>
<nav id="contents" aria-label="Contents"><div>{contents}</div></nav>
</body>
</html>
"""

SAFETY = page_headers(STYLE)

Operations = list[tuple[str, str, Json]]


def page(document: Json) -> str:
    info = document["info"]
    by_tag: dict[str, Operations] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            by_tag.setdefault(operation["tags"][0], []).append((method, path, operation))
    schemas = document["components"]["schemas"]
    return HTML.format(
        title=escape(info["title"]),
        version=escape(info["version"]),
        favicon=FAVICON,
        icon=ICON,
        style=STYLE,
        contents=_contents(by_tag, schemas),
        intro=_prose(info["description"]),
        sections="\n".join(
            f'<section id="{escape(tag)}"><h2>{_title(tag)}</h2>'
            + "\n".join(_operation(*each, document) for each in operations)
            + "</section>"
            for tag, operations in by_tag.items()
        ),
        schemas="\n".join(_schema(name, schema) for name, schema in schemas.items()),
    )


def _contents(by_tag: Mapping[str, Operations], schemas: Json) -> str:
    parts = [
        (_title(tag), [(each["operationId"], each["summary"]) for _, _, each in found]) for tag, found in by_tag.items()
    ]
    parts.append(("Schemas", [(f"schema-{name}", name) for name in schemas]))
    return "".join(f"<h2>{title}</h2><ul>{''.join(_entry(*each) for each in entries)}</ul>" for title, entries in parts)


def _entry(target: str, text: str) -> str:
    return f'<li><a href="#{target}">{escape(text)}</a></li>'


def _title(tag: str) -> str:
    words = tag.replace("-", " ")
    return escape((words[0].upper() + words[1:]).replace("Api", "API").replace("Qr", "QR"))


# --- operations ---------------------------------------------------------------------------------------------------


def _operation(method: str, path: str, operation: Json, document: Json) -> str:
    name = operation["operationId"]
    parts = [
        f'<h3><a href="#{name}">{escape(operation["summary"])}</a></h3>',
        f'<div class="call"><span class="method {method}">{method.upper()}</span><code>{escape(path)}</code></div>',
        _prose(operation.get("description", "")),
    ]
    if permission := operation.get("x-permission"):
        parts.append(f'<p class="kind">Needs a key that may <code>{escape(permission)}</code>.</p>')
    for place, title in (("path", "In the path"), ("query", "In the query"), ("header", "Headers")):
        found = [each for each in operation.get("parameters", ()) if each["in"] == place]
        if found:
            fields = (_field(each["name"], each["schema"], each["required"], each) for each in found)
            parts.append(f"<h4>{title}</h4><dl>{''.join(fields)}</dl>")
    if "requestBody" in operation:
        ((kind, media),) = operation["requestBody"]["content"].items()
        told = (
            f"<dl>{_body(media['schema'], document)}</dl>"
            if kind == "application/json"
            else f"<code>{escape(kind)}</code>"
        )
        parts.append(f"<h4>Body</h4>{told}")
    parts.append(f"<h4>Example</h4>{_code(_curl(method, path, operation, document))}")
    fine = {status: answer for status, answer in operation["responses"].items() if int(status) < 400}
    refusals = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
    parts.append(f"<h4>Answers</h4><dl>{''.join(_answer(*each) for each in fine.items())}</dl>")
    if refusals:
        summary = f"<summary>Refusals: {', '.join(refusals)}</summary>"
        parts.append(f"<details>{summary}<dl>{''.join(_answer(*each) for each in refusals.items())}</dl></details>")
    return f'<article id="{name}">{"".join(parts)}</article>'


def _body(schema: Json, document: Json) -> str:
    name = schema["$ref"].rpartition("/")[2]
    return "".join(_fields(document["components"]["schemas"][name]))


def _answer(status: str, answer: Json) -> str:
    content = answer.get("content", {})
    kinds = [
        _kind(media["schema"]) if name == "application/json" else f"<code>{escape(name)}</code>"
        for name, media in content.items()
    ]
    told = _prose(answer["description"]) if int(status) >= 400 else ""
    if names := ", ".join(f"<code>{escape(name)}</code>" for name in answer.get("headers", ())):
        told += f"<p>Headers: {names}</p>"
    if int(status) < 400 and "application/json" in content:
        told += _code(_json(content["application/json"]["example"]))
    kind = f'<span class="kind">{" or ".join(kinds) or "no body"}</span>'
    return f'<div><dt><span class="status">{status}</span>{kind}</dt><dd>{told}</dd></div>'


def _code(text: str) -> str:
    return f"<pre tabindex=0><code>{escape(text, quote=False)}</code></pre>"


def _curl(method: str, path: str, operation: Json, document: Json) -> str:
    url = document["servers"][0]["url"] + path
    for each in operation.get("parameters", ()):
        if each["in"] == "path":
            url = url.replace(f"{{{each['name']}}}", str(each.get("example", each["name"].upper())))
    lines = [f"curl {'' if method == 'get' else f'-X {method.upper()} '}'{url}'"]
    if operation["security"]:
        lines.append("-H 'Authorization: Bearer qredge_...'")
    if "requestBody" in operation:
        ((kind, media),) = operation["requestBody"]["content"].items()
        example = media["example"] if isinstance(media["example"], str) else _json(media["example"])
        lines += [f"-H 'Content-Type: {kind}'", f"--data-binary {shlex.quote(example)}"]
    return " \\\n  ".join(lines)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


# --- schemas ------------------------------------------------------------------------------------------------------


def _schema(name: str, schema: Json) -> str:
    parts = [f'<h3><a href="#schema-{name}">{name}</a></h3>', _prose(schema.get("description", ""))]
    if "properties" in schema:
        parts.append(f"<dl>{''.join(_fields(schema))}</dl>")
    else:
        parts.append(f"<p>{_kind(schema)}</p>{_limits(schema)}")
    return f'<article id="schema-{name}">{"".join(parts)}</article>'


def _fields(schema: Json) -> Iterator[str]:
    """What is required comes first."""
    required = schema.get("required", ())
    for name in sorted(schema["properties"], key=lambda name: name not in required):
        part = schema["properties"][name]
        yield _field(name, part, name in required, part)


def _field(name: str, schema: Json, required: bool, told: Json) -> str:
    must = '<span class="must">required</span>' if required else ""
    return (
        f'<div><dt><code>{escape(name)}</code><span class="kind">{_kind(schema)}</span>{must}</dt>'
        f"<dd>{_prose(told.get('description', ''))}{_limits(schema)}</dd></div>"
    )


def _kind(schema: Json) -> str:
    """What a value is, in a few words, with links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(_kind(each) for each in schema[choice]))
    kinds = schema.get("type", "any")
    if kinds == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return " or ".join([kinds] if isinstance(kinds, str) else kinds)


def _limits(schema: Json) -> str:
    """What a value has to keep to."""
    found = list(_bounds(schema))
    for each in schema.get("anyOf", ()):
        found += list(_bounds(each))
    if schema.get("default") not in ({}, None):
        found.append(f"Default: <code>{escape(json.dumps(schema['default']))}</code>.")
    return f"<p>{' '.join(dict.fromkeys(found))}</p>" if found else ""


def _bounds(schema: Json) -> Iterator[str]:
    if "const" in schema:
        yield f"Always <code>{escape(str(schema['const']))}</code>."
    if "enum" in schema:
        yield "One of " + ", ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"]) + "."
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low:,} to {high:,}."
    for name, unit in (("Length", "characters"), ("Items", "items")):
        least, most = schema.get(f"min{name}"), schema.get(f"max{name}")
        if most is not None:
            yield f"{f'{least:,} to' if least else 'At most'} {most:,} {unit}."
    if "pattern" in schema:
        yield f"Matches <code>{escape(schema['pattern'])}</code>."


# --- words --------------------------------------------------------------------------------------------------------


def _prose(text: str) -> str:
    """Paragraphs, and code between backticks."""
    paragraphs = (re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(each, quote=False)) for each in text.split("\n\n"))
    return "".join(f"<p>{each}</p>" for each in paragraphs if each)
