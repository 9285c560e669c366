"""The whole box in a demo, started as a stranger would: by its command, in a folder of its own."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import psutil


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RunningDemo:
    def __init__(self, home, *options):
        command = [
            sys.executable,
            "-m",
            "gateway.cli",
            "demo",
            "--json",
            "--home",
            str(home),
            "--port",
            str(free_port()),
        ]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            logs = "\n".join(f"{file.name}: {file.read_text()[-2000:]}" for file in home.glob("*.log"))
            raise RuntimeError(f"the demo did not start: {self.process.stderr.read()}\n{logs}")
        self.told = json.loads(line)
        self.url = self.told["url"].rstrip("/")
        self.home = home

    def get(self, path, *, key=True):
        headers = {"Authorization": f"Bearer {self.told['app_key']}"} if key else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def json(self, path):
        status, body = self.get(path)
        assert status == 200, body
        return json.loads(body)

    def signals(self):
        return self.json("/api/v1/live")["signals"]

    def children(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, name):
        """Return the process that runs one of the box's programs, or None while it is down."""
        for child in self.children():
            with contextlib.suppress(psutil.Error):
                if {"run", name} <= set(child.cmdline()):
                    return child
        return None

    def stop(self, number=signal.SIGINT):
        """Stop it and return every process it had, with its exit code."""
        family = self.children()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(timeout=20)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.process.stderr.close()
        return code, family
