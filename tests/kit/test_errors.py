"""One tree of errors, each with a code of its own."""

import inspect

from mutx.kit import errors
from mutx.kit.errors import BY_CODE, InputError, KeyUnusable, MutxError, TooLarge


def test_every_class_is_found_by_its_code():
    classes = {each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, MutxError)}
    assert set(BY_CODE.values()) == classes
    assert all(BY_CODE[each.code] is each for each in classes)


def test_an_error_carries_text_and_details():
    error = TooLarge("send less", details={"limit": 10})
    assert isinstance(error, InputError)
    assert (str(error), error.details) == ("send less", {"limit": 10})
    assert KeyUnusable("x").details == {}
