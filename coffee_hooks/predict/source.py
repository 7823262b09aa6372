"""What prediction has to know of one file: its words, the names that it defines and what it imports.

Read with patterns that fit most languages, so that nothing has to be installed; grammars add to them where they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from coffee_hooks.predict.grammars import defined_names
from coffee_hooks.predict.words import count_words

LONGEST = 100_000
"""Bytes of a file that are read; what is longer is data, or repeats itself."""
OFTEN = (1.0, 2.4, 5.5, 11.0, 22.0)
"""About how often the words of each group of `Source.words` occur: 1, 2-3, 4-7, 8-15 and more times."""

_GROUP = [number.bit_length() - 1 for number in range(1 << len(OFTEN) - 1)]
_SNIFFED = 8000
_OPENINGS = frozenset(
    """
    export default public private protected internal static final abstract async unsafe const inline pub pub(crate)
    pub(super) virtual override open sealed data extern declare class def fn func function function* struct enum trait
    interface module type record object protocol union fun sub macro_rules! namespace mod defmodule defp package let var
    # #define #include from import use require require_relative
    """.split()  # noqa: SIM905
)
"""The first words of lines that may define or import something."""
_DEFINITION = re.compile(
    r"^[ \t]*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|unsafe|const|inline"
    r"|pub(?:\([a-z]+\))?|virtual|override|open|sealed|data|extern|declare)[ \t]+){0,6}"
    r"(?:class|def|fn|func|function\*?|struct|enum|trait|interface|module|type|record|object|protocol|union|fun|sub"
    r"|macro_rules!|namespace|mod|defmodule|defp|package)[ \t]+(?:\([^)\n]{0,200}\)[ \t]*)?(?:self\.)?([A-Za-z_]\w{2,})"
    r"|^[ \t]*(?:export[ \t]+)?(?:const|let|var)[ \t]+([A-Za-z_$]\w{2,})[ \t]*(?::[^=\n]{1,200})?=[ \t]*"
    r"(?:async[ \t]*)?(?:function|\(|[A-Za-z_$]\w*[ \t]*=>)"
    r"|^[ \t]*#[ \t]*define[ \t]+(\w{3,})"
    r"|^[ \t]*(?:(?:public|private|protected|static|final|abstract|synchronized|override|virtual|async|internal)[ \t]+)"
    r"{1,6}[\w<>\[\],.?]{1,200}[ \t]+(\w{3,})[ \t]*\("
    r"|^[ \t]{0,4}(?:async[ \t]+)?([a-z_$]\w{2,})\([^)\n]{0,200}\)[ \t]*\{"
    r"|^([A-Z_][A-Z0-9_]{3,})[ \t]*="
    r"|\.prototype\.(\w{3,})[ \t]*=",
    re.MULTILINE,
)
_IMPORT = re.compile(
    r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+([^\n#]*)"
    r"|^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]+)"
    r"|(?:require|require_relative|import)[ \t(]{1,8}[\"']([^\"'\s]{1,200})[\"']"
    r"|from[ \t]+[\"']([^\"'\s]{1,200})[\"']"
    r"|^[ \t]*(?:\w{1,40}[ \t]*)?\"(/?[\w.-]+/[\w./-]+)\"[ \t]*$"
    r"|^[ \t]*(?:pub[ \t]+)?use[ \t]+([\w:\\]+)"
    r"|^[ \t]*(?:pub[ \t]+)?mod[ \t]+(\w+);"
    r"|^[ \t]*#[ \t]*include[ \t]+[\"<]([^\">\s]{1,200})[\">]",
    re.MULTILINE,
)
_NAME = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Source:
    """One file. ``words[k]`` are the words that occur about ``OFTEN[k]`` times, sorted, blanks between them.

    *size* is the number of words with repetitions; *defines* and *imports* are sorted, imports as they are written.
    """

    words: tuple[str, ...] = ()
    size: int = 0
    defines: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()

    def count(self) -> Iterator[tuple[str, float]]:
        """Each word with about how often it occurs."""
        for often, group in zip(OFTEN, self.words, strict=False):
            for word in group.split():
                yield word, often


def read_source(data: bytes, language: str = "") -> Source:
    """The file whose bytes are *data*, in a language of ``grammars``. What is not text is empty. Never raises."""
    if b"\0" in data[:_SNIFFED]:
        return Source()
    text = data[:LONGEST].decode("utf-8", "replace")
    counted = count_words(text)
    lines = "\n".join(_telling(text))
    defines = {name for found in _DEFINITION.findall(lines) for name in found if name}
    defines |= defined_names(language, data[:LONGEST])
    return Source(_grouped(counted), sum(counted.values()), tuple(sorted(defines)), tuple(sorted(_imports(lines))))


def _telling(text: str) -> Iterator[str]:
    """The lines at which the patterns, which are slow, have to look."""
    for line in text.split("\n"):
        words = line.split(None, 1)
        if words and (
            words[0] in _OPENINGS
            or words[0][0] == '"'
            or line[-1] == '"'
            or line[-1] == "{"
            or (line[0].isupper() and " =" in line)
            or "require" in line
            or ".prototype." in line
        ):
            yield line


def _grouped(counted: Counter[str]) -> tuple[str, ...]:
    groups: list[list[str]] = [[] for _ in OFTEN]
    for word, number in counted.items():
        groups[_GROUP[number] if number < len(_GROUP) else -1].append(word)
    return tuple(" ".join(sorted(group)) for group in groups)


def _imports(text: str) -> set[str]:
    found: set[str] = set()
    for module, names, *others in _IMPORT.findall(text):
        found.update(each for each in others if each)
        if module:
            found.update((module, *(f"{module.rstrip('.')}.{name}" for name in _NAME.findall(names))))
    return found
