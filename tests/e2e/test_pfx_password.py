"""Passwords of a PKCS#12 that would lock it with less than the user thinks."""

import pytest
from test_formats import LOCKED, P12, pfx, pki


@pytest.mark.parametrize("password", ["", "\0", "short\0planted-rest"])
def test_a_password_that_is_none_makes_no_file(world, password):
    chain, value = pfx()()
    world.fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=P12)
    world.fake.set("pass", password)
    process = world.init(LOCKED)
    assert process.code == 3
    assert "pfxPasswordObject" in process.find("exit")[0]["msg"]
    assert world.files_bytes() == {}
