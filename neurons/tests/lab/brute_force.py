"""What a harvest must find, worked out slowly in float64 from all activations. Used by tests and the benchmark."""

import numpy as np
import torch


def context_rows(corpus, document, context, bos=0):
    """Tokens of each context of a document, a beginning-of-sequence token in front."""
    tokens = corpus.document_tokens(int(document)).astype(np.int64)
    return [np.concatenate([[bos], tokens[i : i + context - 1]]) for i in range(0, len(tokens), context - 1)]


def all_activations(network, corpus, documents):
    """{document: float64 (layer, token, neuron)}, one context at a time and without padding."""
    found = {}
    for document in documents:
        parts = [
            np.stack(
                [
                    acts[0, 1:].detach().double().numpy()
                    for _, acts in network.neuron_activations(torch.from_numpy(row)[None])
                ]
            )
            for row in context_rows(corpus, document, network.config.context)
        ]
        found[int(document)] = np.concatenate(parts, axis=1)
    return found


def jaccard(left: list[int], right: list[int]) -> float:
    one, two = ({tuple(tokens[i : i + 3]) for i in range(len(tokens) - 2)} for tokens in (left, right))
    return len(one & two) / len(one | two) if one | two else float(left == right)


def brute_force(activations, corpus, layer, neuron, config, context):
    """(value, document, position, window) of the top snippets, by full sorts of everything."""
    width = context - 1
    peaks = []
    for document, values in activations.items():
        column = values[layer, :, neuron]
        if column.max() > 0:
            position = int(np.flatnonzero(column == column.max())[0])
            peaks.append((column[position], document, position))
    peaks.sort(key=lambda peak: (-peak[0], peak[1], peak[2]))

    def around(document, position, before, after, fill=None):
        tokens = corpus.document_tokens(document).tolist()
        low = position // width * width
        high = min(low + width, len(tokens))
        places = range(position - before, position + after + 1)
        return [tokens[p] if low <= p < high else fill for p in places if fill is not None or low <= p < high]

    distinct, seen = [], set()
    for value, document, position in peaks:
        key = tuple(around(document, position, config.equal_before, config.equal_after, fill=0))
        if key not in seen:
            seen.add(key)
            distinct.append((value, document, position))
    chosen, texts = [], []
    for value, document, position in distinct[: config.reserve]:
        text = around(document, position, config.alike_before, config.alike_after)
        if len(chosen) < config.top and all(jaccard(text, other) < config.likeness for other in texts):
            texts.append(text)
            low = position // width * width
            column = activations[document][layer, :, neuron]
            window = [
                column[p] if low <= p < min(low + width, len(column)) else 0.0
                for p in range(position - config.before, position + config.after + 1)
            ]
            chosen.append((value, document, position, window))
    return chosen
