"""Certificates made by openssl when the tests run."""

import ssl
import subprocess
from pathlib import Path


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


_KEYS = {"ec": ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"), "rsa": ("rsa:2048",)}


def der(path):
    """The first certificate of a PEM file, as a handshake shows it."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----\n"
    text = Path(path).read_text()
    return ssl.PEM_cert_to_DER_cert(text[text.index(begin):text.index(end) + len(end)])


class Authority:
    """A private certificate authority in a folder of its own; below `parent` where one is given."""

    def __init__(self, folder, name="Test Authority", parent=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self._key = self.folder / "ca.crt", self.folder / "ca.key"
        if parent is None:
            _openssl("req", "-x509", "-newkey", *_KEYS["ec"], "-nodes", "-days", "2", "-subj", f"/CN={name}",
                     "-keyout", self._key, "-out", self.certificate)
        else:
            parent._sign(name, self._key, self.certificate, "basicConstraints=critical,CA:TRUE\n", "ec")

    def _sign(self, name, key, certificate, extensions, kind):
        request, extension = certificate.with_suffix(".csr"), certificate.with_suffix(".ext")
        extension.write_text(extensions)
        _openssl("req", "-new", "-newkey", *_KEYS[kind], "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                 "-days", "2", "-extfile", extension, "-out", certificate)

    def issue(self, *names, kind="ec", label=""):
        """Certificate and key for host names and addresses: (certificate path, key path). The same arguments give the
        same files."""
        stem = names[0].replace("*", "star") + ("" if kind == "ec" else f".{kind}") + (f".{label}" if label else "")
        key, certificate = self.folder / f"{stem}.key", self.folder / f"{stem}.crt"
        if not certificate.exists():
            alternatives = ",".join(("IP:" if n.replace(".", "").isdigit() else "DNS:") + n for n in names)
            self._sign(names[0], key, certificate, f"subjectAltName={alternatives}\n", kind)
        return certificate, key
