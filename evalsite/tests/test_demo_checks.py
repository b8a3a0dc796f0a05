"""What can go wrong before the demo starts is one clear sentence."""

import shutil
import socket
from collections import namedtuple

import pytest
from django.core.management import CommandError, call_command

from evalsite.demo.checks import DemoRefused, check_disk, check_port

Usage = namedtuple("Usage", "total used free")


def test_a_taken_port_is_named_with_the_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DemoRefused, match=f"Port {port} is taken.*PORT={port + 1}"):
            check_port(port)


def test_a_port_that_does_not_exist_is_refused():
    with pytest.raises(DemoRefused, match="70000 does not exist"):
        check_port(70_000)


def test_a_full_disk_is_named_with_its_room(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 5_000_000, 5_000_000))
    with pytest.raises(DemoRefused, match="5 MB free and the demo needs 600 MB"):
        check_disk(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoRefused, match="cannot be made"):
        check_disk(tmp_path / "file" / "folder")


def test_the_demo_with_its_known_passwords_does_not_start_on_another_site():
    with pytest.raises(CommandError, match="BLINDSCOPE_DEMO=True"):
        call_command("demo")
