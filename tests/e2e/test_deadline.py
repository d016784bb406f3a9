"""The deadline of init, when it comes in the middle of a round."""


def test_the_failure_of_before_says_more_than_that_no_answer_came(world):
    world.plant("db")
    world.fake.revoke("get")
    process = world.start("init", env=world.env("db", AKVSYNC_INIT_TIMEOUT="8s", AKVSYNC_REQUEST_TIMEOUT="8s"))
    process.wait_log("failure", "ForbiddenByRbac")
    world.fake.fault({"hold": True}, target="vault", times=-1)
    assert process.wait() == 4
    assert "ForbiddenByRbac" in process.find("exit")[0]["msg"]
    assert "ForbiddenByRbac" in world.termination_log.read_text()


def test_a_vault_that_never_makes_sense_counts_as_unavailable(world):
    world.plant("db")
    world.fake.fault({"garbage": True}, target="vault", times=-1)
    process = world.init("db", AKVSYNC_INIT_TIMEOUT="5s", AKVSYNC_REQUEST_TIMEOUT="5s")
    assert process.code == 6
