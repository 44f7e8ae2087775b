"""`brume tls self-signed`: what it writes, and what it does not write over."""

import stat

import pytest
from brume import command


def test_a_self_signed_pair_is_written_once_and_the_key_is_the_owner_s_alone(folder):
    done = command("tls", "self-signed", "--directory", folder / "new" / "tls", "--days", "30")
    path = folder / "new" / "tls"
    assert stat.S_IMODE((path / "key.pem").stat().st_mode) == 0o600
    assert f"--tls-cert {path}/cert.pem --tls-key {path}/key.pem" in done.stdout
    for words in ("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "verify="):
        assert words in done.stdout
    before = (path / "key.pem").read_bytes()
    again = command("tls", "self-signed", "--directory", path, check=False)
    assert again.returncode == 1 and "--force" in again.stderr and (path / "key.pem").read_bytes() == before
    (path / "cert.pem").unlink()
    assert command("tls", "self-signed", "--directory", path, check=False).returncode == 1, "the key is still there"
    command("tls", "self-signed", "--directory", path, "--force")
    assert (path / "key.pem").read_bytes() != before
    assert sorted(file.name for file in path.iterdir()) == ["cert.pem", "key.pem"]


@pytest.mark.parametrize("arguments", [["--name", "a b"], ["--days", "0"], ["--days", "many"], ["--days", "9999"]])
def test_what_makes_no_sense_is_refused_and_nothing_is_written(folder, arguments):
    done = command("tls", "self-signed", "--directory", folder, *arguments, check=False)
    assert done.returncode == 2 and "brume help tls" in done.stderr and list(folder.iterdir()) == []
    assert command("tls", "fly", check=False).returncode == 2
