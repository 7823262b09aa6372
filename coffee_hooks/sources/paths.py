"""What counts as a path of the repository when somebody writes one in prose or code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from coffee_hooks.base.model import PathKind

MAX_PATH = 240

_KNOWN_EXTENSIONS = """
adoc am astro avsc backup bak bash bat bib c cc cfg cjs clj cmake coffee conf cpp crt cs css csv cts cxx dart
db diff dist dockerfile ejs env erb ex example exs fish fs gif go gql gradle graphql gz h hbs hcl hpp hrl hs
htm html http ico in ini ipynb j2 java jinja jinja2 jpeg jpg js json json5 jsonl jsx key kt kts less lock log
lua m4 make markdown md mdx mjs mk ml mli mts mustache nix patch pdf pem php pid pl plist png po prisma
properties proto ps1 psql pug py pyi pyx r rake rb rs rst sample sass sbt scala scss service sh snap sol sql
sqlite sqlite3 svelte svg swift tar tcl template tex tf tfvars thrift toml tpl ts tsv tsx ttf txt typ vim vue
wasm webp whl woff woff2 xml xsd yaml yml zig zip zsh
"""
_EXTENSIONS = frozenset(_KNOWN_EXTENSIONS.split())
"""Extensions that make a name without a folder a file; a path with a folder may have any short one."""
_CODE_LIKE = re.compile(r"c|conf|db|dist|env|example|go|h|in|key|log|lock|m4|make|patch|po|rs?|sample|template|ts")
"""Extensions that are also attributes and methods (``self.app.log``)."""
_NAMED_FILE = re.compile(r"(?:Brew|Container|Docker|Gem|Jenkins|Just|Make|Pip|Proc|Rake|Vagrant|just|make)file")
_NAMED_IN_FOLDER = re.compile(r"CHANGELOG|CODEOWNERS|CONTRIBUTING|LICENSE|NOTICE|README|VERSION")
_DOTFILE = re.compile(
    r"\.(?:env(?:\.\w+)*|git(?:ignore|attributes|modules|keep)|editorconfig|coveragerc|python-version|[a-z]+ignore|[a-z]+rc"
    r"|[a-z][a-z0-9_-]+\.(?:ya?ml|json|toml|js|cjs|mjs|ini|cfg))"
)
_DOMAIN = re.compile(r"[\w.-]+\.(?:com|org|net|io|dev|ai|edu|gov|co|uk|de|fr|app|sh|me)")
_REMOTE = re.compile(r"bugfix|feature|heads|hotfix|origin|refs|remotes|upstream")
"""First words of branch and ref names, which look like paths."""
_PRODUCT = re.compile(
    r"(?:angular|backbone|chart|d3|deno|discord|ember|express|moment|nest|next|node|nuxt|p5|paper|react|three|vue)\.js"
    r"|(?:asp|ml)\.net|socket\.io",
    re.IGNORECASE,
)
_WORD = r"\w*{}\[\],@+&~$%<>:#\\-"
_TOKEN = re.compile(rf"(?<![./{_WORD}])(?:(?=[{_WORD}]*[./])[./{_WORD}]*[\w*}}\]/]|(?:[A-Z][a-z]+|make|just)file\b)")
"""A word that holds a dot or a slash; the look-ahead drops the others without leaving the pattern."""
_CANDIDATE = re.compile(r"/|\.[A-Za-z*]")
_SUFFIX = re.compile(r"(?:(?<!:):{2,}(?!:)(?:[\w\[\]]+|[0-9]+-[0-9]+)?|(?<!:):(?!:)(?:[0-9]+(?:-[0-9]+)?)?|#[\w-]*)+$")
"""Lines, tests and headings behind a path. A run of colons is read whole: there is one way to read each suffix."""
_VERSION = re.compile(r"v?[0-9]+(?:\.[0-9x*]+)+[\w.+-]*")
_SEGMENT = re.compile(r"[\w.@+&*?=-]+")
_BRACES = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDER = re.compile(r"<[^<>]*>|\{[^{},]*\}|\[[^\[\],]*\]")


class FoundPath(NamedTuple):
    """A path in a line: columns ``start:end`` hold it as written."""

    pattern: str
    kind: PathKind
    start: int
    end: int


def may_hold_path(line: str) -> bool:
    """A cheap test that every line with a path passes."""
    return _CANDIDATE.search(line) is not None or "akefile" in line or "ockerfile" in line or "file`" in line


def find_paths(line: str, *, code: bool = False) -> Iterator[FoundPath]:
    """Every path in a line. In code, a bare name must be quoted as a string to count."""
    for match in _TOKEN.finditer(line):
        token = match[0]
        start, end = match.span()
        before = line[max(0, start - 3) : start]
        backticks = before.endswith("`")
        certain = not code or backticks or before.endswith(('"', "'"))
        if "/" not in token and not (certain and _may_be_name(token)):
            continue
        after = line[end : end + 1]
        called = after == "(" and "::" not in token
        if called or (after == "=" and code):
            continue
        for pattern in expand(token):
            kind = classify(pattern, certain=certain)
            if kind and (kind is not PathKind.DIRECTORY or backticks or pattern.endswith("/")):
                yield FoundPath(_normal(pattern, kind), kind, start, end)


def _may_be_name(token: str) -> bool:
    """A cheap no to most dotted words: attributes, versions, ends of sentences."""
    extension = token.rpartition(".")[2].partition(":")[0].partition("#")[0].rstrip("*")
    return (
        is_extension(extension)
        or token[0] == "."
        or _NAMED_FILE.fullmatch(token) is not None
        or "::" in token
        or token[-1] == "}"
    )


def _normal(pattern: str, kind: PathKind) -> str:
    """Directories without the last slash; a glob for directories means what is in them."""
    bare = pattern.rstrip("/")
    return bare + "/**" if kind is PathKind.GLOB and bare != pattern else bare


def expand(token: str) -> Iterator[str]:
    """``src/{a,b}.py`` gives two; ``<name>`` and ``{name}`` are any name."""
    token = _unwrapped(token)
    token = f"{token[:-MAX_PATH]}{_SUFFIX.sub('', token[-MAX_PATH:])}".removeprefix("./")
    if "{" in token or "<" in token or "[" in token:
        if (braces := _BRACES.search(token)) and "," in braces[1] and token.count("{") == 1:
            for choice in braces[1].split(","):
                yield token[: braces.start()] + choice.strip() + token[braces.end() :]
            return
        token = _PLACEHOLDER.sub("*", token)
    yield from token.split(",")


def _unwrapped(token: str) -> str:
    """Without the asterisks of bold: ``**docs/x.md**`` is a file, ``src/**`` and ``**/x.py`` are globs."""
    if token.startswith("**") and token[2:3] != "/":
        token = token[2:]
    return token[:-2] if token.endswith("**") and not token.endswith("/**") else token


@lru_cache(maxsize=8192)
def classify(token: str, *, certain: bool = True) -> PathKind | None:
    """What a token names in the tree, or None: not a path, or not one below the root of the repository.

    ``certain`` is False where a dotted word is more likely an attribute than a file.
    """
    if not 1 < len(token) <= MAX_PATH or token[0] in "/~\\$%@-" or "\\" in token or "$" in token or "%" in token:
        return None
    if _VERSION.fullmatch(token) or _PRODUCT.fullmatch(token):
        return None
    directory = token.endswith("/")
    parts = token.rstrip("/").split("/")
    if any(not part.strip(".") or not _SEGMENT.fullmatch(part) for part in parts):
        return None
    if len(parts) == 1 and not directory:
        return _classify_name(token, certain=certain)
    first = parts[0].lower()
    if _DOMAIN.fullmatch(first) or _REMOTE.fullmatch(first) or not any(char.isalpha() for char in token):
        return None
    return _classify_path(parts, directory=directory)


def _classify_name(name: str, *, certain: bool) -> PathKind | None:
    stem, dot, extension = name.rpartition(".")
    if _NAMED_FILE.fullmatch(name) or (certain and _DOTFILE.fullmatch(name)):
        return PathKind.BARE
    if not certain or not dot or not re.search(r"[A-Za-z]", stem) or not is_extension(extension):
        return None
    if _CODE_LIKE.fullmatch(extension) and "." in stem:
        return None
    return PathKind.GLOB if "*" in name else PathKind.BARE


def is_extension(text: str) -> bool:
    """Whether a word is a known file extension; capitals only as in ``README.MD``."""
    return text in _EXTENSIONS or (text.isupper() and text.lower() in _EXTENSIONS)


def _classify_path(parts: list[str], *, directory: bool) -> PathKind | None:
    last = parts[-1]
    if any("*" in part or "?" in part for part in parts):
        return PathKind.GLOB if any(re.search(r"[A-Za-z]", part) for part in parts[:-1]) else None
    if directory:
        return PathKind.DIRECTORY
    stem, dot, extension = last.rpartition(".")
    if _NAMED_FILE.fullmatch(last) or _NAMED_IN_FOLDER.fullmatch(last) or _DOTFILE.fullmatch(last):
        return PathKind.FILE
    if dot and stem and is_extension(extension):
        return PathKind.FILE
    if dot and re.search(r"[A-Za-z_]", stem) and re.fullmatch(r"[a-z][a-z0-9]{0,4}", extension):
        return PathKind.FILE
    return PathKind.DIRECTORY if len(parts) > 2 and not dot else None
