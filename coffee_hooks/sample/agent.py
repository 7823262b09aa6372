"""The scripted agent of the sample: it edits, tests and commits like a real one, and two of its tasks go wrong."""

import pathlib
import subprocess
import sys
import time


def git(*args: str) -> str:
    return subprocess.run(["git", *args], check=True, capture_output=True, text=True).stdout


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def add(path: str, text: str) -> None:
    file = pathlib.Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text((file.read_text() if file.exists() else "") + text)


def replace(path: str, old: str, new: str) -> None:
    file = pathlib.Path(path)
    text = file.read_text()
    assert old in text, (path, old)
    file.write_text(text.replace(old, new))


def test_class(name: str, module: str, line: str) -> str:
    return (
        f"import unittest\n\nfrom brewery import {module}\n\n\n"
        f"class {name}(unittest.TestCase):\n    def test_it(self):\n        {line}\n"
    )


def choose_the_grind() -> None:
    replace("brewery/beans.py", '("arabica", "robusta")', '("arabica", "robusta", "liberica")')
    add("brewery/beans.py", '\n\ndef grind_for(way):\n    return {"filter": "medium", "press": "coarse"}[way]\n')
    test = 'self.assertEqual(beans.grind_for("press"), "coarse")'
    add("tests/test_beans.py", f"\n    def test_grind(self):\n        {test}\n")


def write_a_recipe() -> None:
    add(
        "brewery/recipe.py",
        '"""Recipes."""\n\nfrom brewery.beans import grind_for\n\n\n'
        'def recipe(way):\n    return f"{way}: {grind_for(way)}"\n',
    )
    add("tests/test_recipe.py", test_class("Recipe", "recipe", 'self.assertIn("medium", recipe.recipe("filter"))'))


def heat_the_water() -> None:
    add("brewery/water.py", '\n\ndef temperature_for(way):\n    return {"filter": 94, "press": 96}[way]\n')
    add("tests/test_water.py", test_class("Water", "water", 'self.assertLess(water.temperature_for("press"), 100)'))


def raise_the_prices() -> None:
    """Breaks a test, and never runs it: the gate will."""
    replace("brewery/menu.py", '"press": 3.0', '"press": 3.5')


def how_it_tastes() -> None:
    """Touches a file that its spec does not name, from before somebody else's landing there: a conflict."""
    start = git("rev-list", "--max-parents=0", "HEAD").strip()
    wait_for_landing("US-101")
    git("reset", "--quiet", "--hard", start)
    add("docs/tasting.md", "# Tasting\n\nArabica is mild, robusta is strong, and excelsa is new.\n")
    replace("brewery/beans.py", '("arabica", "robusta")', '("arabica", "robusta", "excelsa")')


def wait_for_landing(task: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if git("log", "roadmap", "--format=%H", f"--grep=^Coffee-Task: {task}$"):
            return
        time.sleep(0.2)
    sys.exit(f"{task} has not landed")


WORK = {
    "US-101": (choose_the_grind, "Add the grind of each way of brewing"),
    "US-102": (write_a_recipe, "Add recipes"),
    "US-103": (heat_the_water, "Add the temperature of the water"),
    "US-104": (raise_the_prices, "Raise the prices"),
    "US-105": (how_it_tastes, "Describe the taste"),
}


def main(task: str) -> None:
    work, subject = WORK[task]
    say(f"{task}: at work in {pathlib.Path.cwd()}")
    work()
    if task != "US-104":
        subprocess.run([sys.executable, "-m", "unittest", "discover", "-s", "tests", "-t", "."], check=True)
    git("add", "--all")
    git("commit", "--quiet", "-m", f"feat: Implement {task} - {subject}\n\nStatus: Ready for merge")
    say(f"{task}: committed")


if __name__ == "__main__":
    main(sys.argv[1])
