"""Copies a file of a torrent to a file, through memory: example.py MAGNET|FILE.torrent FILE_INDEX TO [PEER_ADDR:PORT ...]"""

import shutil
import sys

import slipstream


def main(uri, index, to, *peers):
    memory = slipstream.memory(slipstream.memory_options())
    session = slipstream.session(slipstream.session_params(), memory, 3)
    add = slipstream.add_params()
    if uri.startswith("magnet:"):
        add.from_magnet(uri)
    else:
        with open(uri, "rb") as torrent_file:
            add.from_torrent_file(torrent_file.read())
    for peer in peers:
        add.add_peer(peer)
    torrent = session.add_torrent(add)
    session.wait_ready(torrent, session.make_stopper(), 60_000)
    with slipstream.File(session, torrent, int(index)) as film, open(to, "wb") as out:
        shutil.copyfileobj(film, out, 1 << 20)
    print(f"{memory.stats().pieces_verified} pieces verified, lookbehind {memory.stats().lookbehind_available_bytes} bytes")
    session.close()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
