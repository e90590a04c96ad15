"""Templates of each shape."""

import pytest

from tests.support.chat_templates import SHAPES, shaped_tokenizer


@pytest.fixture(params=SHAPES)
def shape(request):
    """Name of a template's shape."""
    return request.param


@pytest.fixture
def shaped(tokenizer_folder, shape):
    """A tokenizer whose template has the shape."""
    return shaped_tokenizer(tokenizer_folder, shape)
