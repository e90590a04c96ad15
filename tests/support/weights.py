"""Weights on disk, read and compared."""


def read_weights(folder, file="model.safetensors"):
    from pathlib import Path

    from safetensors.torch import load_file

    return load_file(Path(folder) / file)


def assert_same_weights(one, other, *, tolerance=1e-6, relative=1e-5, file="model.safetensors"):
    import torch

    first, second = read_weights(one, file), read_weights(other, file)
    assert first.keys() == second.keys()
    for name, weights in first.items():
        torch.testing.assert_close(weights, second[name], atol=tolerance, rtol=relative)
