"""Which devices a training may use, and what each of its processes sees of them."""

import pytest

from cotdistill.errors import UserError
from cotdistill.training.launch.devices import Devices, ask_torch, device_variables, find_devices, named_devices

ASCEND, CUDA = "ASCEND_RT_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (None, []),
        ("", []),
        ("-1", []),
        ("3", ["3"]),
        ("0,1,-1,2", ["0", "1"]),
        ("GPU-8932f937, GPU-46123a1f", ["GPU-8932f937", "GPU-46123a1f"]),
    ],
)
def test_a_variable_names_devices_as_the_runtimes_read_it(value, names):
    assert named_devices(value) == names


@pytest.mark.parametrize(
    ("environment", "seen", "expected"),
    [
        ({ASCEND: "0,1"}, Devices("npu", 2), Devices("npu", 2)),
        ({CUDA: "3"}, Devices("cuda", 1), Devices("cuda", 1)),
        ({ASCEND: "0,1,2,3", CUDA: "0"}, Devices("npu", 4), Devices("npu", 4)),
        ({ASCEND: "0,1,2,3", CUDA: "0"}, Devices("cuda", 1), Devices("cuda", 1)),
        ({ASCEND: "0,1", CUDA: ""}, Devices("npu", 2), Devices("npu", 2)),
        ({}, Devices("cuda", 8), Devices("cuda", 8)),
        ({}, Devices("cpu", 0), Devices("cpu", 0)),
        ({}, Devices("xpu", 2), Devices("xpu", 2)),
    ],
)
def test_devices_are_those_that_are_named_or_else_all_that_torch_sees(environment, seen, expected):
    assert find_devices(environment, ask=lambda _: seen) == expected


@pytest.mark.parametrize("environment", [{CUDA: ""}, {CUDA: "-1"}, {ASCEND: ""}, {ASCEND: "-1", CUDA: ""}])
def test_a_variable_without_devices_means_the_cpu(environment):
    assert find_devices(environment, ask=lambda _: Devices("cuda", 8)) == Devices("cpu", 0)
    hidden = environment | device_variables(environment, "cpu", processes=1)
    assert [named_devices(hidden[name]) for name in (ASCEND, CUDA)] == [[], []]


@pytest.mark.parametrize(
    ("environment", "seen", "message"),
    [
        ({ASCEND: "0,1"}, Devices("cpu", 0), f"{ASCEND}: names 0,1, but torch sees no such device .torch-npu is not"),
        ({ASCEND: "0"}, Devices("cuda", 1), f"{ASCEND}: names 0, but torch sees no such device .torch-npu is not"),
        ({CUDA: "0"}, Devices("cpu", 0), f"{CUDA}: names 0, but torch sees no such device .this is no CUDA build"),
        ({CUDA: "0,1"}, Devices("cuda", 1), f"{CUDA}: names 0,1, but torch sees 1 "),
        ({ASCEND: "0"}, Devices("cpu", 0, "OSError: libhccl.so: no such file"), "no such device .OSError: libhccl.so"),
    ],
)
def test_named_devices_that_torch_does_not_see_are_refused_in_one_line(environment, seen, message):
    with pytest.raises(UserError, match=message) as refused:
        find_devices(environment, ask=lambda _: seen)
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert "an empty value means the CPU" in str(refused.value)


def test_torch_is_asked_in_the_environment_that_is_given():
    assert ask_torch({ASCEND: "0", "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}).kind in ("cpu", "cuda", "npu")
    assert ask_torch({CUDA: ""}) == Devices("cpu", 0)


def test_why_torch_cannot_be_asked_is_its_last_line(tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('libhccl.so: cannot open shared object file')")
    asked = ask_torch({CUDA: "0", "PYTHONPATH": str(tmp_path)})
    assert asked == Devices("cpu", 0, "OSError: libhccl.so: cannot open shared object file")


@pytest.mark.parametrize(
    ("environment", "kind", "processes", "expected"),
    [
        ({}, "cpu", 1, {}),
        ({}, "xpu", 1, {}),
        ({CUDA: "2,3"}, "cuda", 1, {CUDA: "2", "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}),
        ({}, "cuda", 1, {CUDA: "0", "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}),
        ({CUDA: "2,3"}, "cuda", 2, {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}),
        ({ASCEND: "4,5"}, "npu", 1, {ASCEND: "4", "PYTORCH_NPU_ALLOC_CONF": "expandable_segments:True"}),
        ({ASCEND: "4,5", "PYTORCH_NPU_ALLOC_CONF": "max_split_size_mb:64"}, "npu", 2, {}),
        ({CUDA: "2,3", "PYTORCH_CUDA_ALLOC_CONF": ""}, "cuda", 2, {}),
        ({CUDA: "2,3", "PYTORCH_ALLOC_CONF": "backend:native"}, "cuda", 2, {}),
    ],
)
def test_one_process_sees_one_device_and_memory_grows_in_place_unless_the_user_says_otherwise(
    environment, kind, processes, expected
):
    assert device_variables(environment, kind, processes=processes) == expected
