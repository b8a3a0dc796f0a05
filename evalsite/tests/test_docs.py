"""Documentation that can be compared with the code is compared."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def variables_read() -> set[str]:
    settings_file = (ROOT / "evalsite/settings.py").read_text()
    return set(re.findall(r'env_(?:str|bool|int|list|secret)\(\s*"([A-Z_]+)"', settings_file))


def test_every_setting_is_documented_and_nothing_else():
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert documented == variables_read()


def test_the_example_file_names_every_setting():
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == variables_read()


def test_environment_variables_are_read_in_the_settings_only():
    readers = [
        path.relative_to(ROOT).as_posix()
        for package in ("evalsite", "neurons", "annotation", "analysis")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"os\.(environ|getenv)", path.read_text()) and "tests" not in path.parts
    ]
    # Entry points choose the settings module; settings_test prepares the environment of the test run.
    allowed = {"evalsite/env.py", "evalsite/settings_test.py", "evalsite/celery.py", "evalsite/wsgi.py"}
    assert set(readers) <= allowed


def test_the_readme_lists_every_top_level_entry():
    readme = (ROOT / "README.md").read_text()
    kept = {path.name for path in ROOT.iterdir() if path.name[0] != "." and path.name not in {"var", "README.md"}}
    missing = sorted(kept - set(re.findall(r"[\w.-]+", readme.replace("/", " "))))
    assert not missing


def test_no_file_of_the_project_links_to_a_file_that_is_not_there():
    broken = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} → {target}")
    assert not broken
