"""A TCP proxy between an agent and its store that stalls, drops and delays, each direction by itself."""

from __future__ import annotations

import random
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Way:
    """What happens to bytes in one direction.

    Args:
        stalled: they wait.
        lost: they vanish.
        delay_s: they come later.
        cut: how often they vanish and the connection with them; on the way back, what was asked for has been done.
    """

    stalled: bool = False
    lost: bool = False
    delay_s: float = 0.0
    cut: float = 0.0


@dataclass
class Proxy:
    """Listens on a port of its own and forwards to another.

    Args:
        target: the port behind it.
    """

    target: int
    there: Way = field(default_factory=Way)
    back: Way = field(default_factory=Way)
    refuse: bool = False
    cuts: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._over = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Of the store, through here."""
        return f"redis://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        self.refuse = True
        for pair in self._pairs:
            for end in pair:
                end.close()
        self._pairs.clear()

    def heal(self) -> None:
        """Everything flows again."""
        self.refuse, self.there, self.back = False, Way(), Way()

    def close(self) -> None:
        """End it."""
        self._over = True
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._over:
            try:
                near, _address = self._listener.accept()
            except OSError:
                return
            if self.refuse:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs.append((near, far))
            threading.Thread(target=self._pump, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, outward: bool) -> None:
        with selectors.DefaultSelector() as selector:
            try:
                selector.register(source, selectors.EVENT_READ)
                while not self._over:
                    way = self.there if outward else self.back
                    if way.stalled:
                        time.sleep(0.005)
                        continue
                    if not selector.select(0.05):
                        if source.fileno() < 0:
                            return
                        continue
                    if (self.there if outward else self.back).stalled:
                        continue  # it was stalled while we waited
                    data = source.recv(1 << 16)
                    if not data:
                        sink.close()
                        return
                    way = self.there if outward else self.back
                    if way.delay_s:
                        time.sleep(way.delay_s)
                    if way.cut and random.random() < way.cut:
                        self.cuts += 1
                        source.close()
                        sink.close()
                        return
                    if not way.lost:
                        sink.sendall(data)
            except (OSError, ValueError):
                return
