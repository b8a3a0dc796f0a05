"""Networks that others trained, from a folder to their neurons' top snippets; and what is refused on the way."""

import hashlib
import json
import shutil

import pytest
import torch
from django.core.management import CommandError, call_command

from neurons import pipeline, services
from neurons.artifacts import artifact_folder
from neurons.lab.checkpoint import save_network
from neurons.lab.source import open_source
from neurons.models import Corpus, HarvestRun, Network, NetworkPair, RunStatus
from neurons.selectors import corpus_store, harvest_store
from neurons.tests.factories import make_network, make_texts
from neurons.tests.lab.hub_small import make_folder as make_hub_folder
from neurons.tests.lab.hub_small import make_model
from neurons.tests.lab.lens_small import make_config, make_state, to_old_layout
from neurons.tests.lab.lens_small import make_folder as make_lens_folder
from neurons.tests.lab.tokenizers_small import byte_level, llama, wordpiece

pytestmark = pytest.mark.django_db

SMALL = {"split": "train", "top": 4, "reserve": 12, "before": 6, "after": 4, "tile_tokens": 400, "block_tokens": 2000}


@pytest.fixture(autouse=True)
def _store(settings, tmp_path):
    settings.ARTIFACTS_URL = str(tmp_path / "store")


def make_corpus(tmp_path, tokenizer, name="odd"):
    tokenizer.save(str(tmp_path / f"{name}.json"))
    (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in make_texts(60)))
    call_command("corpus_import", name, str(tmp_path / f"{name}.jsonl"), tokenizer=tmp_path / f"{name}.json")
    return Corpus.objects.get(name=name)


def gpt2_with_tokenizer(folder):
    make_hub_folder(folder, "gpt2", vocab_size=400)
    byte_level().save(str(folder / "tokenizer.json"))
    return folder


def solu_with_tokenizer(folder, **changes):
    config = make_config(d_vocab=400, n_ctx=48, **changes)
    llama().save(str(make_lens_folder(folder, config, make_state(config)) / "tokenizer.json"))
    return folder


def brute_force_maxima(network, corpus, documents):
    """Largest activation of each neuron over every token, context by context: float32 (layers, d_mlp), at least 0."""
    source, store = pipeline.network_source(network), corpus_store(corpus)
    maxima = torch.zeros(network.n_layers, network.d_mlp)
    width = source.config.context - 1
    for document in documents:
        ids = store.document_tokens(int(document)).tolist()
        for first in range(0, len(ids), width):
            tokens = torch.tensor([[source.bos_id, *ids[first : first + width]]])
            for layer, activations in source.neuron_activations(tokens):
                maxima[layer] = torch.maximum(maxima[layer], activations[0, 1:].amax(dim=0))
    return maxima


@pytest.mark.parametrize(
    ("make_folder", "make_tokenizer"), [(gpt2_with_tokenizer, byte_level), (solu_with_tokenizer, llama)]
)
def test_a_network_from_a_folder_is_harvested_on_a_corpus_of_its_tokenizer(tmp_path, make_folder, make_tokenizer):
    call_command("networks_import", make_folder(tmp_path / "Their_Model"))
    network, corpus = Network.objects.get(), make_corpus(tmp_path, make_tokenizer())
    assert network.tokenizer_fingerprint == corpus.tokenizer_fingerprint
    run = services.harvest_create(network=network, corpus=corpus, config=SMALL)
    assert pipeline.harvest_execute(run.pk).status == RunStatus.DONE
    store = harvest_store(HarvestRun.objects.get())
    expected = brute_force_maxima(network, corpus, store.corpus.splits["train"])
    for layer in range(network.n_layers):
        torch.testing.assert_close(torch.tensor(store.maxima(layer)), expected[layer], rtol=1e-4, atol=1e-5)
    neuron = int(expected[1].argmax())
    snippets = store.top_snippets(1, neuron, 3, before=6, after=4)
    assert len(snippets) == 3
    for snippet, value in zip(snippets, store.top_values(1, neuron), strict=False):
        assert "".join(text for text, _ in snippet.pieces) in store.corpus.document_text(snippet.doc)
        assert snippet.pieces[snippet.peak][1] == max(activation for _, activation in snippet.pieces) == value


@pytest.mark.parametrize("kind", ["huggingface", "transformer_lens"])
def test_bfloat16_networks_can_be_harvested(tmp_path, kind):
    folder = (gpt2_with_tokenizer if kind == "huggingface" else solu_with_tokenizer)(tmp_path / "half")
    call_command("networks_import", folder, "--format", kind, "--option", "precision=bfloat16")
    network = Network.objects.get()
    corpus = make_corpus(tmp_path, byte_level() if kind == "huggingface" else llama())
    run = services.harvest_create(network=network, corpus=corpus, config=SMALL | {"max_tokens": 3000})
    assert pipeline.harvest_execute(run.pk).status == RunStatus.DONE
    assert (harvest_store(run).maxima(1) > 0).sum() > 20


def test_the_row_says_what_the_folder_holds(tmp_path, capsys):
    folder = gpt2_with_tokenizer(tmp_path / "Their_Model")
    call_command("networks_import", folder, "--option", "bos_id=5", "--option", "context=16")
    network = Network.objects.get()
    assert (network.name, network.format, network.activation) == ("their-model-gelu-new", "huggingface", "gelu_new")
    assert (network.n_layers, network.d_mlp, network.pair.size) == (2, 40, "2L-16")
    assert network.options == {"bos_id": 5, "context": 16, "site": "transformer.h.{layer}.mlp.c_proj"}
    assert network.sha256 == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert (network.tokens_trained, network.validation_loss, network.corpus_fingerprint) == (None, None, "")
    source = pipeline.network_source(network)
    assert (source.bos_id, source.config.context) == (5, 16)
    said = capsys.readouterr().out
    assert "Hugging Face causal language model, 2 layers of 40 neurons, arm gelu_new of the pair their_model" in said
    shutil.rmtree(folder)  # the store has its own copy
    assert pipeline.network_source(network).config.d_mlp == 40


def test_a_network_without_a_tokenizer_is_imported_with_a_warning(tmp_path, capsys):
    call_command("networks_import", make_hub_folder(tmp_path / "bare"))
    assert "no tokenizer.json beside it" in capsys.readouterr().out
    assert Network.objects.get().tokenizer_fingerprint == ""


def test_two_networks_of_one_pair_stand_side_by_side(tmp_path):
    gelu = solu_with_tokenizer(tmp_path / "gelu", act_fn="gelu")
    call_command("networks_import", solu_with_tokenizer(tmp_path / "solu"), "--pair", "two-layers", "--size", "theirs")
    call_command("networks_import", gelu, "--pair", "two-layers", "--arm", "baseline", "--name", "their-gelu")
    pair = NetworkPair.objects.get()
    assert (pair.name, pair.size) == ("two-layers", "theirs")
    names = sorted(pair.networks.values_list("activation", "name"))
    assert names == [("baseline", "their-gelu"), ("solu_ln", "two-layers-solu-ln")]


def test_a_pair_takes_no_network_of_another_shape_and_no_arm_twice(tmp_path):
    call_command("networks_import", solu_with_tokenizer(tmp_path / "solu"), "--pair", "two")
    with pytest.raises(CommandError, match="exists with another context and d_mlp and d_model"):
        call_command("networks_import", make_hub_folder(tmp_path / "b", vocab_size=400), "--pair", "two")
    other = solu_with_tokenizer(tmp_path / "other", act_fn="solu_ln", n_layers=3)
    with pytest.raises(CommandError, match=r"another network at two/solu_ln \(config\.json differs\)"):
        call_command("networks_import", other, "--pair", "two")
    with pytest.raises(CommandError, match="of the pair two exists already"):
        call_command("networks_import", other, "--name", "two-solu-ln")
    assert Network.objects.count() == 1


def test_importing_again_changes_nothing_and_other_options_need_another_name_after_a_harvest(tmp_path):
    folder = gpt2_with_tokenizer(tmp_path / "a")
    call_command("networks_import", folder)
    call_command("networks_import", folder, "--option", "bos_id=5")  # not harvested yet
    network = Network.objects.get()
    assert network.options["bos_id"] == 5
    services.harvest_create(network=network, corpus=make_corpus(tmp_path, byte_level()), config=SMALL)
    with pytest.raises(CommandError, match="other weights or options and was harvested"):
        call_command("networks_import", folder)
    call_command("networks_import", folder, "--option", "bos_id=5")
    assert Network.objects.count() == 1


def test_a_corpus_of_another_tokenizer_is_refused(tmp_path):
    call_command("networks_import", gpt2_with_tokenizer(tmp_path / "a"))
    call_command("networks_import", make_hub_folder(tmp_path / "bare"))
    corpus = make_corpus(tmp_path, wordpiece())
    with pytest.raises(services.NeuronsRefused, match="trained with another tokenizer than that of the corpus odd"):
        services.harvest_create(network=Network.objects.get(pair__name="a"), corpus=corpus)
    services.harvest_create(network=Network.objects.get(pair__name="bare"), corpus=corpus)  # nobody knows


def test_a_first_generation_file_is_read_the_same_from_the_store_where_its_folder_is_called_otherwise(tmp_path):
    config = make_config(normalization="LNPre", act_fn="gelu")  # but for the folder's name nothing gives it away
    state = make_state(config)
    folder = make_lens_folder(tmp_path / "SoLU_2L_old", config, to_old_layout(state))
    (folder / "checkpoints").mkdir()
    (folder / "model_final.pth").rename(folder / "checkpoints" / "tokens_7.pth")
    call_command(
        "networks_import", folder, "--format", "transformer_lens", "--option", "weights=checkpoints/tokens_7.pth"
    )
    network = Network.objects.get()
    assert network.options == {"layout": "old", "weights": "tokens_7.pth"}
    assert torch.equal(pipeline.network_source(network).unembedding(), state["unembed.W_U"])


def test_weights_in_several_files_are_all_copied_and_hashed(tmp_path):
    folder = tmp_path / "sharded"
    make_model("gpt2").save_pretrained(folder, max_shard_size="6KB")
    parts = sorted(folder.glob("*.safetensors"))
    assert len(parts) > 1
    (folder / "unrelated.safetensors").write_bytes(b"not named in the index")
    call_command("networks_import", folder)
    network = Network.objects.get()
    lines = "".join(f"{hashlib.sha256(part.read_bytes()).hexdigest()}  {part.name}\n" for part in parts)
    assert network.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert sorted(path.name for path in artifact_folder(network.url).glob("*.safetensors")) == [p.name for p in parts]


def test_a_network_trained_here_can_be_brought_from_another_installation(tmp_path):
    facts = {"corpus_fingerprint": "0" * 64, "tokens_trained": 7, "validation_loss": 2.0}
    save_network(tmp_path / "ours", make_network("solu_ln"), facts)
    with pytest.raises(CommandError, match="is the arm 'solu_ln' of its pair, not 'best'"):
        call_command("networks_import", tmp_path / "ours", "--arm", "best")
    call_command("networks_import", tmp_path / "ours", "--pair", "brought", "--name", "mine")
    network = Network.objects.get()
    assert (network.name, str(network.pair), network.activation, network.tokens_trained) == (
        "mine", "brought", "solu_ln", 7,
    )  # fmt: skip
    tokens = torch.tensor([[0, 5, 9]])
    (_, found), _ = pipeline.network_source(network).neuron_activations(tokens)
    (_, expected), _ = open_source(tmp_path / "ours").neuron_activations(tokens)
    assert torch.equal(found, expected)


def test_an_interrupted_copy_leaves_nothing_that_looks_like_a_network(tmp_path):
    folder = gpt2_with_tokenizer(tmp_path / "a")

    def interrupt(done, total):
        assert 0 < done <= total
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.network_bring(folder, progress=interrupt)
    assert not artifact_folder("networks/a/gelu_new").exists()
    seen = []
    network = pipeline.network_bring(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == sum(path.stat().st_size for path in artifact_folder(network.url).iterdir())


def test_a_folder_without_a_network_and_a_wrong_command_are_refused_in_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    for arguments, says in (
        ([tmp_path / "none"], "is no folder"),
        ([tmp_path / "empty"], "found are no files"),
        ([tmp_path / "empty", "--format", "huggingface"], r"config\.json is missing"),
        ([tmp_path / "empty", "--option", "bos_id"], "write KEY=VALUE"),
        ([gpt2_with_tokenizer(tmp_path / "a"), "--arm", "a/b"], "cannot be the name of the arm"),
        ([tmp_path / "a", "--pair", "x" * 61], "cannot be the name of the pair"),
        (["--pair", "two"], "--pair needs a PATH"),
        (["--format", "huggingface"], "--format needs a PATH"),
    ):
        with pytest.raises(CommandError, match=says):
            call_command("networks_import", *arguments)
    assert not Network.objects.exists()
