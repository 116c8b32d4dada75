"""The demo as a visitor meets it, and how to begin anew."""

from tests.journeys.conftest import Demo, free_port


def test_reset_starts_over(demo: Demo) -> None:
    demo.ask("Draft an Instagram post saying “Only for this visit”")
    assert "Only for this visit" in str(demo.ask("show me the drafts")["reply"])
    refused = demo.studio("demo", "--reset", "--sandbox-port", str(free_port()))
    assert refused.returncode == 1
    assert "A Studio is running" in refused.stdout + refused.stderr

    demo.end()
    demo.start("--reset")
    assert "Only for this visit" not in str(demo.ask("show me the drafts")["reply"])
    assert demo.ask("what's scheduled?")["actions"], "the examples are there again"


def test_reset_keeps_what_the_demo_did_not_make(demo: Demo) -> None:
    demo.end()
    (demo.data_dir / "made-by-the-demo").unlink()
    refused = demo.studio("demo", "--reset", "--sandbox-port", str(demo.sandbox_port))
    assert refused.returncode == 1
    assert "not made by the demo alone" in refused.stdout + refused.stderr
    assert (demo.data_dir / "owner.key").exists()
    assert (demo.data_dir / "postgres").exists()
