"""Artifacts in a folder and in a real S3-compatible store: the same calls, whole artifacts or none."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from neurons import artifacts
from neurons.artifacts import remote
from neurons.artifacts.errors import ArtifactBusy, ArtifactError, ArtifactUnreachable
from neurons.artifacts.remote import RemoteStore
from neurons.tests.object_store import CREDENTIALS, s3_server

BUCKET, ADDRESS = "arrays", "harvests/small"
FILES = {"meta.json": b"{}", "layer00/values.npy": bytes(range(256)) * 40, "empty.npy": b""}


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with s3_server(BUCKET) as endpoint:
            yield endpoint


@pytest.fixture
def s3(server, settings, tmp_path, request):
    """Settings of one machine that works with an object store, under a prefix of this test's own."""
    prefix = request.node.name.replace("[", "-").rstrip("]")
    settings.ARTIFACTS_URL, settings.S3_ENDPOINT = f"s3://{BUCKET}/{prefix}", server
    settings.ARTIFACTS_CACHE = str(tmp_path / "cache")
    return boto3.client("s3", endpoint_url=server), prefix


@pytest.fixture
def folder_store(settings, tmp_path) -> Path:
    settings.ARTIFACTS_URL = str(tmp_path / "artifacts")
    return tmp_path / "artifacts"


@pytest.fixture(params=["folder", "s3"])
def store(request):
    return request.getfixturevalue("folder_store" if request.param == "folder" else "s3")


def build(address: str = ADDRESS, files: dict[str, bytes] = FILES) -> Path:
    folder = artifacts.workplace(address)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def other_machine(settings, tmp_path) -> None:
    """From here on, settings are those of a machine with an empty cache."""
    settings.ARTIFACTS_CACHE = str(tmp_path / "other-machine")


def test_what_is_built_and_published_is_read_as_a_local_folder(store):
    with artifacts.exclusive(ADDRESS) as folder:
        assert folder == build()
        artifacts.publish(ADDRESS)
    assert artifacts.artifact_exists(ADDRESS, "meta.json")
    assert contents(artifacts.artifact_folder(ADDRESS)) == FILES
    assert not artifacts.artifact_exists("harvests/other", "meta.json")


def test_an_artifact_built_elsewhere_takes_its_name_at_publication_and_is_published_once(store):
    artifacts.publish(ADDRESS, build("harvests/small.work/merge.1"))
    artifacts.publish(ADDRESS, build("harvests/small.work/merge.2"))
    assert contents(artifacts.artifact_folder(ADDRESS)) == FILES


def test_a_prefix_is_removed_with_everything_below_it(store):
    for address in ("harvests/small", "harvests/small.work/shard-00001.1", "harvests/small.work/shard-00002.1"):
        build(address)
        artifacts.publish(address)
    artifacts.remove("harvests/small.work")
    artifacts.remove("harvests/never-made")
    left = [artifacts.artifact_exists(f"harvests/small{rest}", "meta.json") for rest in ("", ".work/shard-00001.1")]
    assert left == [True, False]
    assert contents(artifacts.artifact_folder(ADDRESS)) == FILES


def test_one_process_writes_an_artifact_at_a_time(store):
    second = artifacts.exclusive(ADDRESS)
    with artifacts.exclusive(ADDRESS), pytest.raises(ArtifactBusy, match="wait for it or stop it"):
        second.__enter__()


@pytest.mark.parametrize("address", ["", "../elsewhere", "/etc", "a/../../b"])
def test_an_address_never_leads_out_of_its_store(store, address):
    for use in (artifacts.artifact_folder, artifacts.workplace, artifacts.remove):
        with pytest.raises(ArtifactError, match="no address in the artifact store"):
            use(address)


def test_another_machine_downloads_the_whole_artifact_once(s3, settings, tmp_path):
    build()
    artifacts.publish(ADDRESS)
    other_machine(settings, tmp_path)
    folder = artifacts.artifact_folder(ADDRESS)
    assert contents(folder) == FILES
    client, prefix = s3
    client.delete_object(Bucket=BUCKET, Key=f"{prefix}/{ADDRESS}/meta.json")
    assert artifacts.artifact_folder(ADDRESS) == folder
    assert contents(folder) == FILES


def test_threads_that_ask_at_once_fill_the_cache_once(s3, settings, tmp_path, monkeypatch):
    build()
    artifacts.publish(ADDRESS)
    other_machine(settings, tmp_path)
    downloaded, gate = [], threading.Barrier(4)
    download = RemoteStore._download

    def counted(self, *arguments):
        downloaded.append(arguments)
        return download(self, *arguments)

    monkeypatch.setattr(RemoteStore, "_download", counted)

    def read(_):
        gate.wait(timeout=20)
        return contents(artifacts.artifact_folder(ADDRESS))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(4))) == [FILES] * 4
    assert len(downloaded) == 1


def test_an_upload_that_did_not_end_is_no_artifact_and_can_be_repeated(s3, monkeypatch):
    upload = RemoteStore._upload_file

    def interrupted(self, address, name, path):
        if name == "meta.json":
            raise KeyboardInterrupt
        return upload(self, address, name, path)

    build()
    monkeypatch.setattr(RemoteStore, "_upload_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        artifacts.publish(ADDRESS)
    monkeypatch.setattr(RemoteStore, "_upload_file", upload)
    assert not artifacts.artifact_exists(ADDRESS, "meta.json")
    with pytest.raises(ArtifactError, match="its upload did not end"):
        artifacts.artifact_folder(ADDRESS)
    artifacts.publish(ADDRESS)
    assert contents(artifacts.artifact_folder(ADDRESS)) == FILES


def test_a_download_that_was_interrupted_leaves_no_artifact_and_goes_on(s3, settings, tmp_path, monkeypatch):
    build()
    artifacts.publish(ADDRESS)
    other_machine(settings, tmp_path)
    download = RemoteStore._download_file

    def interrupted(self, address, name, target, facts):
        if name == "meta.json":
            raise KeyboardInterrupt
        return download(self, address, name, target, facts)

    monkeypatch.setattr(RemoteStore, "_download_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        artifacts.artifact_folder(ADDRESS)
    monkeypatch.setattr(RemoteStore, "_download_file", download)
    (found,) = Path(settings.ARTIFACTS_CACHE).rglob("small*.filling")
    assert "meta.json" not in contents(found)
    assert contents(artifacts.artifact_folder(ADDRESS)) == FILES
    assert not found.exists()


def test_a_damaged_object_is_noticed(s3, settings, tmp_path):
    build()
    artifacts.publish(ADDRESS)
    client, prefix = s3
    client.put_object(Bucket=BUCKET, Key=f"{prefix}/{ADDRESS}/meta.json", Body=b"[]")
    other_machine(settings, tmp_path)
    with pytest.raises(ArtifactError, match=r"meta.json .* was changed or damaged"):
        artifacts.artifact_folder(ADDRESS)


def test_a_list_of_files_cannot_lead_out_of_the_cache(s3, settings, tmp_path):
    client, prefix = s3
    listed = {"files": {"../../../stolen": {"bytes": 0, "sha256": ""}}}
    client.put_object(Bucket=BUCKET, Key=f"{prefix}/{ADDRESS}/artifact.json", Body=json.dumps(listed).encode())
    with pytest.raises(ArtifactError, match="no address"):
        artifacts.artifact_folder(ADDRESS)


def test_what_is_published_is_not_replaced_by_something_else(s3):
    build()
    artifacts.publish(ADDRESS)
    build(files=FILES | {"meta.json": b"{1}"})
    with pytest.raises(ArtifactError, match="never replaced"):
        artifacts.publish(ADDRESS)


def test_files_that_only_the_maker_needs_stay_with_the_maker(s3):
    folder = build(files=FILES | {"training.pt": b"state"})
    artifacts.publish(ADDRESS, leave_out=("training.pt",))
    assert contents(artifacts.artifact_folder(ADDRESS)) == FILES
    assert (folder / "training.pt").read_bytes() == b"state"


def test_a_long_transfer_can_be_ended_from_its_beat(s3):
    def stop():
        raise TimeoutError("enough")

    build()
    with pytest.raises(TimeoutError, match="enough"):
        artifacts.publish(ADDRESS, beat=stop)
    assert not artifacts.artifact_exists(ADDRESS, "meta.json")


def test_a_missing_bucket_is_named(s3, settings):
    settings.ARTIFACTS_URL = "s3://no-such-bucket/here"
    build()
    with pytest.raises(ArtifactUnreachable, match=r"bucket 'no-such-bucket' .* does not exist; make it"):
        artifacts.artifact_folder(ADDRESS)
    with pytest.raises(ArtifactUnreachable, match="does not exist; make it"):
        artifacts.publish(ADDRESS)


def test_a_store_that_does_not_answer_is_told_in_a_sentence(s3, settings, monkeypatch):
    monkeypatch.setattr(remote, "TRIES", 1)
    settings.S3_ENDPOINT = "http://127.0.0.1:9"  # the discard port: nobody listens
    with pytest.raises(ArtifactUnreachable, match="check the network, BLINDSCOPE_S3_ENDPOINT"):
        artifacts.artifact_folder(ADDRESS)


def test_without_credentials_the_variables_to_set_are_named(s3, settings, monkeypatch, tmp_path):
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    settings.ARTIFACTS_CACHE = str(tmp_path / "anonymous")
    with pytest.raises(ArtifactUnreachable, match="AWS_ACCESS_KEY_ID"):
        artifacts.artifact_folder(ADDRESS)


@pytest.mark.parametrize("url", ["nonsense://bucket", "gopher://x"])
def test_a_url_that_no_driver_knows_is_refused_with_an_example(settings, tmp_path, url):
    settings.ARTIFACTS_URL, settings.ARTIFACTS_CACHE = url, str(tmp_path)
    with pytest.raises(ArtifactError, match="give a folder or a URL such as s3://bucket/prefix"):
        artifacts.artifact_folder(ADDRESS)


def test_a_file_url_is_a_folder(settings, tmp_path):
    settings.ARTIFACTS_URL = f"file://{tmp_path}"
    assert artifacts.artifact_folder(ADDRESS) == tmp_path / ADDRESS
    assert not artifacts.store_is_remote()
