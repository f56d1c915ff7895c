"""Certificates made by openssl when the tests run."""

import subprocess
from pathlib import Path


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """A private certificate authority in a folder of its own."""

    def __init__(self, folder, name="Test Authority"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self._key = self.folder / "ca.crt", self.folder / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.certificate)

    def issue(self, *names):
        """Certificate and key for host names and addresses: (certificate path, key path)."""
        stem = names[0].replace("*", "star")
        key, request, certificate = (self.folder / f"{stem}{end}" for end in (".key", ".csr", ".crt"))
        if not certificate.exists():
            alternatives = ",".join(("IP:" if n.replace(".", "").isdigit() else "DNS:") + n for n in names)
            extension = self.folder / f"{stem}.ext"
            extension.write_text(f"subjectAltName={alternatives}\n")
            _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-subj", f"/CN={names[0]}", "-keyout", key, "-out", request)
            _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                     "-days", "2", "-extfile", extension, "-out", certificate)
        return certificate, key
