"""Reads the imports of a source tree and finds what breaks the laws of docs/architecture.md.

Every import counts: at the top, inside a function, under TYPE_CHECKING, in a stub, each cimport, and what is named in
full for server/late.py, as "server.app:create_app".
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOMS = frozenset(["edge", "api", "dialects", "hooks", "ops", "render", "scans", "storage", "console"])
#: Files that every room may stand on.
FLOOR = frozenset(
    [
        *["server", "server.archive", "server.asgi", "server.cursors", "server.dispatch", "server.fields"],
        *["server.html", "server.idempotency", "server.images", "server.labels", "server.metrics", "server.openapi"],
        *["server.outbound", "server.patience", "server.pipeline", "server.request_log", "server.requests"],
        "server.wire",
    ]
)
#: Files that may know several rooms: the one that connects them, and those that start processes.
ROOFS = frozenset(
    [
        *["server.app", "server.background", "server.drawing", "server.origins", "server.parts", "server.supervisor"],
        *["server.telling", "server.workers", "server.__main__"],
    ]
)

#: What the domain may use beside the standard library, and what of that it may not.
DOMAIN_MAY = frozenset(["idna"])
DOMAIN_MAY_NOT = frozenset(["asyncio", "http", "io", "json", "logging", "os", "pathlib", "socket", "time"])

EDGE_MAY_NOT = frozenset(["asyncpg", "json", "logging", "orjson", "pydantic", "starlette"])

#: What of fastcore others than render may import.
FASTCORE_ELSEWHERE = {
    "server.scans.classifier": frozenset(["fastcore.facts"]),
    "server.scans.countries": frozenset(["fastcore.networks"]),
    "server.scans.record": frozenset(["fastcore.frame"]),
    "server.storage.postgres.rebuilding": frozenset(["fastcore.tally"]),
    "server.storage.postgres.rollups": frozenset(["fastcore.rows", "fastcore.sightings", "fastcore.tally"]),
    "server.storage.postgres.scans": frozenset(["fastcore.tally"]),
    "server.storage.postgres.stats": frozenset(["fastcore.sums"]),
    "server.storage.rollup": frozenset(
        ["fastcore.batch", "fastcore.counts", "fastcore.facts", "fastcore.sightings", "fastcore.tally"]
    ),
}
FASTCORE_MAY_NOT = frozenset(
    [
        *["asyncio", "datetime", "http", "io", "os", "pathlib", "posix", "shutil", "socket", "subprocess", "tempfile"],
        *["time", "urllib", "cpython.datetime", "cpython.time", "libc.stdio", "libc.time"],
    ]
)
FASTCORE_MAY_NOT_INCLUDE = frozenset(["fcntl.h", "stdio.h", "time.h", "unistd.h"])

ENVIRONMENT = frozenset(["environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"])

#: What all dialects stand on; every other module beside these is one.
DIALECTS_SHARE = frozenset(["access", "coverage", "dialect", "mounts", "naming"])
#: The one module that imports what it finds in its folder.
FINDS_DIALECTS = "server.dialects"

#: The one module that imports what is named to it, and how that is named: with its module, so that it is seen here.
IMPORTS_LATE = "server.late"
LATE = re.compile(r"server\.[\w.]+:\w+")

MIGRATION = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


class Import(NamedTuple):
    line: int
    #: The module as far as the statement tells: `from a import b` is "a.b", which may be a name in "a".
    name: str


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    path: Path
    source: str = field(repr=False)

    @cached_property
    def imports(self) -> list[Import]:
        return list(_cython_imports(self.source) if self.is_cython else self._python_imports())

    @property
    def is_cython(self) -> bool:
        return self.path.suffix in (".pyx", ".pxd")

    @property
    def room(self) -> str | None:
        """The room this file is in: a folder or a file directly below server."""
        return _room(self.name)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, str(self.path))

    def _python_imports(self) -> Iterator[Import]:
        package = self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (Import(node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                start = node.module or ""
                if node.level:
                    above = package.split(".")[: len(package.split(".")) - node.level + 1]
                    start = ".".join([*above, *([node.module] if node.module else [])])
                yield from (Import(node.lineno, f"{start}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and LATE.fullmatch(node.value):
                yield Import(node.lineno, node.value.replace(":", "."))


def _cython_imports(source: str) -> Iterator[Import]:
    """The imports and cimports of Cython source, which Python's parser cannot read."""
    # Comments and docstrings go, line breaks stay.
    code = re.sub(r'""".*?"""|#[^\n]*', lambda found: "\n" * found[0].count("\n"), source, flags=re.DOTALL)
    statement = re.compile(
        r"^[ \t]*(?:from[ \t]+(?P<start>[\w.]+)[ \t]+c?import[ \t]+(?:\((?P<many>[^)]*)\)|(?P<names>[^\n(]+))"
        r"|c?import[ \t]+(?P<modules>[^\n]+))",
        re.MULTILINE,
    )
    for found in statement.finditer(code):
        line = code.count("\n", 0, found.start()) + 1
        listed = found["many"] or found["names"] or found["modules"]
        for each in listed.replace("\\", "").split(","):
            if name := each.split(" as ")[0].strip():
                yield Import(line, f"{found['start']}.{name}" if found["start"] else name)


def _room(name: str) -> str | None:
    second = name.split(".")[1] if name.startswith("server.") else ""
    return second if second in ROOMS else None


def _within(name: str, packages: frozenset[str]) -> bool:
    """Whether the name is one of the packages or in one."""
    steps = name.split(".")
    return any(".".join(steps[:count]) in packages for count in range(1, len(steps) + 1))


def read(root: Path) -> list[Module]:
    """The sources below `root` that the laws are about."""
    found = []
    for package in ("server", "migrations", "fastcore"):
        for path in sorted((root / package).rglob("*")):
            if path.suffix in (".py", ".pyi", ".pyx", ".pxd"):
                steps = path.relative_to(root).with_suffix("").parts
                name = ".".join(steps[:-1] if steps[-1] == "__init__" else steps)
                found.append(Module(name, path.relative_to(root), path.read_text(encoding="utf-8")))
    return found


class Tree:
    """All modules, and which of them an import means."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules = read(root)
        self._names = {module.name for module in self.modules}

    def target(self, name: str) -> str:
        """The module of ours that an imported name is, or is in; else the name itself.

        `server` itself holds nothing, so what is imported from it is a module, if only a folder without __init__.py.
        """
        steps = name.split(".")
        for count in range(len(steps), 1, -1):
            if ".".join(steps[:count]) in self._names:
                return ".".join(steps[:count])
        return name

    def targets(self, module: Module) -> Iterator[Import]:
        for each in module.imports:
            yield Import(each.line, self.target(each.name))


# --- the laws: each yields what breaks it ------------------------------------------------------------------------


def rooms_have_no_doors(tree: Tree) -> Iterator[str]:
    """A room imports itself, the floor and the domain."""
    for module in tree.modules:
        if module.room is None:
            continue
        for line, name in tree.targets(module):
            ours = name.split(".")[0] in ("server", "migrations")
            allowed = _room(name) == module.room or name in FLOOR or _within(name, frozenset(["server.domain"]))
            if ours and not allowed:
                yield f"{module.path}:{line}: the room {module.room} imports {name}"


def only_roofs_know_rooms(tree: Tree) -> Iterator[str]:
    """Outside the rooms, only app.py and what starts processes imports them; and nothing else imports those."""
    for module in tree.modules:
        if module.name in ROOFS:
            continue
        for line, name in tree.targets(module):
            if module.room is None and _room(name) is not None:
                yield f"{module.path}:{line}: imports the room {_room(name)}"
            if name in ROOFS:
                yield f"{module.path}:{line}: imports {name}, which stands above it"


def every_folder_is_a_room(tree: Tree) -> Iterator[str]:
    """A folder below server is the domain or a room; a new one is to be named here."""
    for folder in sorted({module.path.parts[1] for module in tree.modules if len(module.path.parts) > 2}):
        if (tree.root / "server" / folder).is_dir() and folder not in ROOMS | {"domain"}:
            yield f"server/{folder}: is neither the domain nor a known room"


def floor_stands_on_the_domain(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        if module.name in FLOOR:
            for line, name in tree.targets(module):
                ours = name.split(".")[0] in ("server", "migrations")
                if ours and name not in FLOOR and not _within(name, frozenset(["server.domain"])):
                    yield f"{module.path}:{line}: the floor imports {name}"


def domain_stands_alone(tree: Tree) -> Iterator[str]:
    """The domain knows no HTTP, no SQL, no files, and is given its clock."""
    for module in tree.modules:
        if not _within(module.name, frozenset(["server.domain"])):
            continue
        for line, name in tree.targets(module):
            first = name.split(".")[0]
            if first == "server":
                allowed = _within(name, frozenset(["server.domain"]))
            else:
                allowed = first in DOMAIN_MAY or first in sys.stdlib_module_names - DOMAIN_MAY_NOT
            if not allowed:
                yield f"{module.path}:{line}: the domain imports {name}"
        for line, call in _clock_readings(module.tree):
            yield f"{module.path}:{line}: the domain reads the clock by {call}()"


def _clock_readings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls of now, utcnow and today on what was imported from datetime."""
    names = {"datetime"}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            inside = isinstance(node, ast.ImportFrom) and node.module == "datetime"
            names |= {alias.asname or alias.name for alias in node.names if inside or alias.name == "datetime"}
    for node in ast.walk(tree):
        # Also where it is not called at once, as in `default_factory=datetime.now`.
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
            whole = ast.unparse(node)
            if whole.split(".")[0] in names:
                yield node.lineno, whole


def only_render_draws(tree: Tree) -> Iterator[str]:
    """The scan's record is put together there, too, and figures are added up; these know of nothing else in it."""
    for module in tree.modules:
        if module.name.split(".")[0] != "fastcore" and module.room != "render":
            for line, name in tree.targets(module):
                stages = FASTCORE_ELSEWHERE.get(module.name, frozenset())
                if _within(name, frozenset(["fastcore"])) and not _within(name, stages):
                    yield f"{module.path}:{line}: imports {name}, which only server/render may"


def fastcore_knows_only_numbers(tree: Tree) -> Iterator[str]:
    """No HTTP, no files, no clock, and nothing of the server."""
    for module in tree.modules:
        if module.name.split(".")[0] != "fastcore":
            continue
        for line, name in tree.targets(module):
            if _within(name, FASTCORE_MAY_NOT | {"server", "migrations"}):
                yield f"{module.path}:{line}: fastcore imports {name}"
        for header in re.findall(r"extern[ \t]+from[ \t]+[\"']<?([^\"'>]+)", module.source):
            if header in FASTCORE_MAY_NOT_INCLUDE or header.startswith("sys/"):
                yield f"{module.path}: fastcore includes {header}"


def edge_is_hot(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        if module.room == "edge":
            for line, name in tree.targets(module):
                if _within(name, EDGE_MAY_NOT):
                    yield f"{module.path}:{line}: the edge imports {name}"


def migrations_stand_alone(tree: Tree) -> Iterator[str]:
    for module in tree.modules:
        if module.name.split(".")[0] == "migrations":
            for line, name in tree.targets(module):
                if _within(name, frozenset(["server", "fastcore"])):
                    yield f"{module.path}:{line}: migrations import {name}"


def environment_is_read_in_one_place(tree: Tree) -> Iterator[str]:
    """settings.py reads it; the supervisor may set one variable for the processes it starts."""
    for module in tree.modules:
        if module.is_cython or module.name == "server.settings":
            continue
        sets = 0
        stored = {
            id(node.value)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Attribute) or node.attr not in ENVIRONMENT:
                continue
            if id(node) in stored and module.name == "server.supervisor":
                sets += 1
            else:
                yield f"{module.path}:{node.lineno}: touches the environment"
        if sets > 1:
            yield f"{module.path}: sets more than one variable of the environment"
        for line, name in module.imports:
            if name in {f"os.{word}" for word in ENVIRONMENT}:
                yield f"{module.path}:{line}: touches the environment"


def dialects_are_islands(tree: Tree) -> Iterator[str]:
    """Nothing imports a dialect but its own modules, so that its files can be deleted."""
    for module in tree.modules:
        for line, target in tree.targets(module):
            island = _island(target)
            if island is not None and island != _island(module.name):
                yield f"{module.path}:{line}: imports the dialect {island}"


def _island(name: str) -> str | None:
    """The dialect that a module is, or is in."""
    steps = name.split(".")
    within = steps[:2] == ["server", "dialects"] and len(steps) > 2
    return steps[2] if within and steps[2] not in DIALECTS_SHARE else None


def no_import_is_hidden(tree: Tree) -> Iterator[str]:
    """An import by a name made at run time would escape all of these laws."""
    for module in tree.modules:
        if module.is_cython or module.name == FINDS_DIALECTS:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.Name, ast.Attribute)):
                called = node.id if isinstance(node, ast.Name) else node.attr
                if called in ("import_module", "__import__", "resolve_name") and module.name != IMPORTS_LATE:
                    yield f"{module.path}:{node.lineno}: imports by {called}"
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "late" and not _says_what(node):
                yield f"{module.path}:{node.lineno}: imports late, and does not say what"


def _says_what(call: ast.Call) -> bool:
    name = call.args[0] if call.args else None
    return isinstance(name, ast.Constant) and bool(LATE.fullmatch(str(name.value)))


def no_cycles(tree: Tree) -> Iterator[str]:
    """A package and its modules are nodes of their own; only what is written down counts, not the parents that
    Python imports on the way."""
    graph: dict[str, set[str]] = {}
    for module in tree.modules:
        arrows = graph.setdefault(module.name, set())
        arrows |= {name for _, name in tree.targets(module)} - {module.name}
    finished: set[str] = set()

    def visit(name: str, way: list[str]) -> Iterator[str]:
        if name in way:
            yield "a cycle: " + " -> ".join([*way[way.index(name) :], name])
        elif name in graph and name not in finished:
            for target in sorted(graph[name]):
                yield from visit(target, [*way, name])
            finished.add(name)

    for name in sorted(graph):
        yield from visit(name, [])


def migrations_are_numbered(tree: Tree) -> Iterator[str]:
    """0001, 0002, ... without a gap: two branches that add the same number are seen when they meet."""
    names = sorted(path.name for path in (tree.root / "migrations").glob("*.sql"))
    for place, name in enumerate(names, start=1):
        found = MIGRATION.fullmatch(name)
        if found is None or int(found[1]) != place:
            yield f"migrations/{name}: is not number {place:04}"


LAWS: list[Callable[[Tree], Iterator[str]]] = [
    rooms_have_no_doors,
    only_roofs_know_rooms,
    every_folder_is_a_room,
    floor_stands_on_the_domain,
    domain_stands_alone,
    only_render_draws,
    fastcore_knows_only_numbers,
    edge_is_hot,
    migrations_stand_alone,
    environment_is_read_in_one_place,
    dialects_are_islands,
    no_import_is_hidden,
    no_cycles,
    migrations_are_numbered,
]


def broken(root: Path) -> dict[str, list[str]]:
    """Law -> what breaks it, for those laws that something breaks."""
    tree = Tree(root)
    found = {law.__name__: list(law(tree)) for law in LAWS}
    return {name: lines for name, lines in found.items() if lines}
