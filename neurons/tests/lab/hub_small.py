"""Small Hugging Face models with random weights, one of each architecture."""

import torch

VOCABULARY, WIDTH, NEURONS, LAYERS = 60, 16, 40, 2
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "intermediate_size": NEURONS,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 32,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
GPT2 = {"n_embd": WIDTH, "n_inner": NEURONS, "n_layer": LAYERS, "n_head": 2, "n_positions": 32}
HEAD = {"head_dim": 8}
# model type -> (what its configuration needs besides SIZES, module of layer 1 that reads the neurons, gated)
MODELS = {
    "gpt2": (GPT2, "transformer.h.1.mlp.c_proj", False),
    "gpt_neox": ({}, "gpt_neox.layers.1.mlp.dense_4h_to_h", False),
    "llama": ({}, "model.layers.1.mlp.down_proj", True),
    "mistral": ({"sliding_window": 4}, "model.layers.1.mlp.down_proj", True),
    "qwen2": ({}, "model.layers.1.mlp.down_proj", True),
    "qwen3": (HEAD, "model.layers.1.mlp.down_proj", True),
    "gemma": (HEAD, "model.layers.1.mlp.down_proj", True),
    "gemma2": (HEAD | {"query_pre_attn_scalar": 8}, "model.layers.1.mlp.down_proj", True),
    "phi3": ({}, "model.layers.1.mlp.down_proj", True),
    "phi": ({}, "model.layers.1.mlp.fc2", False),
    "opt": ({"ffn_dim": NEURONS, "word_embed_proj_dim": WIDTH}, "model.decoder.layers.1.fc2", False),
    "gptj": (GPT2 | {"rotary_dim": 4}, "transformer.h.1.mlp.fc_out", False),
    "falcon": ({"ffn_hidden_size": NEURONS}, "transformer.h.1.mlp.dense_4h_to_h", False),
    "gpt_bigcode": (GPT2, "transformer.h.1.mlp.c_proj", False),
    "gpt_neo": ({"attention_types": [[["global", "local"], 1]]}, "transformer.h.1.mlp.c_proj", False),
    "codegen": (GPT2 | {"rotary_dim": 4, "n_head": 4}, "transformer.h.1.mlp.fc_out", False),
    "bloom": ({"n_layer": LAYERS, "n_head": 2}, "transformer.h.1.mlp.dense_4h_to_h", False),
    "olmo": ({}, "model.layers.1.mlp.down_proj", True),
    "olmo2": ({}, "model.layers.1.mlp.down_proj", True),
    "starcoder2": ({}, "model.layers.1.mlp.c_proj", False),
}


def neurons_of(model_type):
    """Neurons in a layer; BLOOM's cannot be chosen."""
    return 4 * WIDTH if model_type == "bloom" else NEURONS


def make_model(model_type, **changes):
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = SIZES | MODELS.get(model_type, ({},))[0] | changes
    if "n_embd" in sizes:
        sizes = {
            key: value for key, value in sizes.items() if "hidden" not in key and not key.startswith(("num", "max"))
        }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **sizes))
        for parameter in model.parameters():  # also of biases, which start as zeros
            torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def make_folder(folder, model_type="gpt2", **changes):
    make_model(model_type, **changes).save_pretrained(folder)
    return folder


def make_tokens(rows=3, width=9):
    return torch.randint(VOCABULARY, (rows, width), generator=torch.Generator().manual_seed(2))
