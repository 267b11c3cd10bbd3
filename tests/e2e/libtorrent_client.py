"""A libtorrent client as a program of its own: seeds a torrent's content, or fetches it.

    libtorrent_client.py seed|fetch HOST TORRENT FOLDER [LIMIT_BYTES_S [PEER ...]]

It needs Debian's python3-libtorrent and nothing of Slipstream's, listens on a free port of HOST,
connects from there, speaks to the peers it is given and to those that come, and says what happens,
a line each:

    listening on HOST:PORT
    seeding                          (once the content is checked)
    verified PIECE
    finished                         (all of it is there, verified and flushed)
    wrong hash PIECE
    disconnected ADDR:PORT REASON

LIMIT_BYTES_S limits what it sends; 0 does not. It runs until it is killed.
"""

import sys

import libtorrent as lt


def say(*words):
    print(*words, flush=True)


def quiet_session(host):
    return lt.session({
        "listen_interfaces": f"{host}:0", "outgoing_interfaces": host,
        "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        "enable_incoming_utp": False, "enable_outgoing_utp": False,
        "allow_multiple_connections_per_ip": True,
        "close_redundant_connections": False,
        "unchoke_slots_limit": -1,
        "min_reconnect_time": 1, "max_failcount": 100,
        "alert_queue_size": 100_000,
        "alert_mask": (lt.alert.category_t.status_notification
                       | lt.alert.category_t.error_notification
                       | lt.alert.category_t.peer_notification
                       | lt.alert.category_t.piece_progress_notification)})


def words_of(role, alert):
    """What to say about it, or nothing."""
    if isinstance(alert, lt.listen_succeeded_alert) and alert.socket_type == lt.socket_type_t.tcp:
        return ("listening", "on", f"{alert.address}:{alert.port}")
    if isinstance(alert, lt.torrent_checked_alert) and role == "seed":
        return ("seeding",)
    if isinstance(alert, lt.piece_finished_alert):
        return ("verified", alert.piece_index)
    if isinstance(alert, lt.torrent_finished_alert) and role == "fetch":
        alert.handle.flush_cache()
    if isinstance(alert, lt.cache_flushed_alert) and role == "fetch":
        return ("finished",)
    if isinstance(alert, lt.hash_failed_alert):
        return ("wrong", "hash", alert.piece_index)
    if isinstance(alert, lt.peer_disconnected_alert):
        return ("disconnected", "%s:%d" % alert.ip, alert.message())
    return None


def main(role, own_host, torrent, folder, limit="0", *peers):
    session = quiet_session(own_host)
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
    params.save_path = folder
    params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    if role == "seed":
        # Its files were made from what the torrent was made from; a check of 2 GiB takes its time.
        params.flags |= lt.torrent_flags.seed_mode
    handle = session.add_torrent(params)
    if int(limit):
        handle.set_upload_limit(int(limit))
    for peer in peers:
        host, port = peer.rsplit(":", 1)
        handle.connect_peer((host, int(port)))
    while True:
        session.wait_for_alert(60_000)
        for alert in session.pop_alerts():
            words = words_of(role, alert)
            if words:
                say(*words)


if __name__ == "__main__":
    if len(sys.argv) < 5 or sys.argv[1] not in ("seed", "fetch"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
