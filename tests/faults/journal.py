"""What a long study has done so far: one line of JSON for each piece, so that it can go on."""

import json
import time


class Journal:
    """The pieces of a study that are done, by number, and how long the rest may take."""

    def __init__(self, path, n_pieces):
        self.path, self.n_pieces = path, n_pieces
        self.done = {piece["number"]: piece for piece in pieces_of(path)}
        self._started, self._n_before = time.monotonic(), len(self.done)

    def add(self, number, **found):
        """Note a piece; a line that a kill cuts off is left out when the study goes on."""
        self.done[number] = {"number": number, **found}
        with self.path.open("a") as stream:
            stream.write(json.dumps(self.done[number]) + "\n")

    def progress(self):
        """Say how far the study is."""
        n_now = len(self.done) - self._n_before
        rest_s = (time.monotonic() - self._started) / max(n_now, 1) * self.left
        return f"{len(self.done)} of {self.n_pieces}, about {rest_s / 3600:.1f} hours to go"

    @property
    def left(self):
        return max(self.n_pieces - len(self.done), 0)


def pieces_of(path):
    """Return what a journal holds; none where there is none."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:  # cut off by a kill
            continue
    return found
