"""Where the neurons of a Hugging Face model are: what goes into the MLP's last matrix.

In a plain MLP that is act(x W_in); in a gated one act(x W_gate) · (x W_up), and the neuron's input weights are the
gate's row.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from neurons.lab.checkpoint import CheckpointError

# The module that reads the neurons, by architecture.
SITES = (
    "transformer.h.{layer}.mlp.c_proj",  # GPT-2, GPT-Neo, GPT-BigCode
    "gpt_neox.layers.{layer}.mlp.dense_4h_to_h",  # GPT-NeoX, Pythia
    "model.layers.{layer}.mlp.down_proj",  # Llama, Mistral, Qwen, Gemma, OLMo, Phi-3
    "transformer.h.{layer}.mlp.fc_out",  # GPT-J, CodeGen
    "transformer.h.{layer}.mlp.dense_4h_to_h",  # BLOOM, Falcon
    "model.decoder.layers.{layer}.fc2",  # OPT
    "model.layers.{layer}.mlp.fc2",  # Phi
    "model.layers.{layer}.mlp.c_proj",  # StarCoder 2
)
# Its neighbour whose rows are the neurons' input weights.
GATES = ("gate_proj", "gate_up_proj")
READERS = (*GATES, "c_fc", "dense_h_to_4h", "fc_in", "fc1", "up_proj")
SHOWN = 12  # module names in one message


@dataclass(frozen=True)
class NeuronSite:
    """Modules around the neurons, one for each layer.

    Attributes
    ----------
    pattern : str
        Name of the module that reads them, "{layer}" for the number.
    outputs : list of nn.Module
        Those modules: what writes the neurons to the residual stream.
    inputs : list of nn.Module or None
        What the neurons are computed with; None where it is not known.
    gated : bool
    """

    pattern: str
    outputs: list[nn.Module]
    inputs: list[nn.Module] | None
    gated: bool

    @property
    def d_mlp(self) -> int:
        return output_rows(self.outputs[0]).shape[0]


def find_site(model: nn.Module, n_layers: int, *, site: str = "", reads: str = "") -> NeuronSite:
    """Find the neurons of a model.

    Parameters
    ----------
    site, reads : str
        Names of the modules after and before the neurons, with "{layer}"; empty: found by architecture.

    Raises
    ------
    CheckpointError
        If a named module is not there, no known architecture fits, or layers have different numbers of neurons.
    """
    pattern = site or _known_pattern(model, n_layers)
    outputs = _modules(model, pattern, n_layers)
    sizes = [output_rows(module).shape[0] for module in outputs]
    if len(set(sizes)) > 1:
        raise CheckpointError(
            f"the layers at {pattern} have {sorted(set(sizes))} neurons; layers that differ are not supported."
        )
    parent = pattern.rpartition(".")[0]
    neighbours = [f"{parent}.{name}" for name in READERS if _has(model, f"{parent}.{name}".format(layer=0))]
    reader = reads or next(iter(neighbours), "")
    inputs = _modules(model, reader, n_layers) if reader else None
    return NeuronSite(pattern, outputs, inputs, gated=reader.rpartition(".")[2] in GATES)


def _known_pattern(model: nn.Module, n_layers: int) -> str:
    complete = [
        pattern for pattern in SITES if all(_has(model, pattern.format(layer=layer)) for layer in range(n_layers))
    ]
    if len(complete) != 1:
        raise CheckpointError(
            f"the architecture {type(model).__name__} is not known here; name the module that reads the neurons, "
            f"--option site=NAME with {{layer}} for the number. {_modules_of_a_layer(model)}"
        )
    return complete[0]


def _modules(model: nn.Module, pattern: str, n_layers: int) -> list[nn.Module]:
    if "{layer}" not in pattern:
        raise CheckpointError(f"{pattern!r} names one module; put {{layer}} where the number of the layer stands.")
    names = [pattern.replace("{layer}", str(layer)) for layer in range(n_layers)]
    if missing := [name for name in names if not _has(model, name)]:
        raise CheckpointError(f"the model has no matrix {missing[0]!r}. {_modules_of_a_layer(model)}")
    return [model.get_submodule(name) for name in names]


def _has(model: nn.Module, name: str) -> bool:
    try:
        return is_matrix(model.get_submodule(name))
    except AttributeError:
        return False


def _modules_of_a_layer(model: nn.Module) -> str:
    names = [name for name, module in model.named_modules() if is_matrix(module)]
    layer = [name for name in names if ".0." in name] or names
    return f"Its first matrices are {', '.join(layer[:SHOWN])}."


def is_matrix(module: nn.Module) -> bool:
    """Whether the module is x W + b: torch's Linear, or GPT-2's Conv1D."""
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def output_rows(module: nn.Module) -> Float[Tensor, "inputs outputs"]:
    """W of x W + b: a row for each input."""
    weight: Tensor = module.get_parameter("weight")
    return weight.T if isinstance(module, nn.Linear) else weight


def input_rows(module: nn.Module, d_mlp: int) -> Float[Tensor, "d_mlp d_model"]:
    """W transposed, a row for each neuron; of gate and up in one matrix the gate, which comes first."""
    return output_rows(module).T[:d_mlp]
