package slipstream

import (
	"strings"
	"testing"
)

func TestStatisticsUpdatesAndResumeDataComeAsAlerts(t *testing.T) {
	s := startSeeder(t)
	session, torrent := startFilm(t, 64<<20, s)
	must(t, session.PostSessionStats())
	names := SessionStatsMetrics()
	waitFor(t, session, "statistics", func(a Alert) bool {
		stats, is := a.(*SessionStatsAlert)
		if is && (len(stats.Counters) != len(names) || stats.Type() == 0 || stats.Message() == "") {
			t.Errorf("%d counters with %d names", len(stats.Counters), len(names))
		}
		return is
	})
	must(t, torrent.SetFlags(FlagSequentialDownload))
	must(t, session.PostTorrentUpdates())
	waitFor(t, session, "an update", func(a Alert) bool {
		update, is := a.(*StateUpdateAlert)
		if is && (len(update.Torrents) != 1 || !update.Torrents[0].Torrent.Equal(torrent) || update.Torrents[0].State.String() == "unknown") {
			t.Errorf("the update is %+v", update)
		}
		return is && len(update.Torrents) == 1
	})
	must(t, torrent.SaveResumeData())
	waitFor(t, session, "resume data", func(a Alert) bool {
		saved, is := a.(*SaveResumeDataAlert)
		if is && (len(saved.Data) == 0 || saved.TorrentName() != filmName || saved.Category()&AlertCategoryStorage == 0) {
			t.Errorf("saved: %+v", saved)
		}
		return is
	})
	must(t, session.PostDHTStats())
	must(t, session.RemoveTorrent(torrent))
	waitFor(t, session, "the removal", func(a Alert) bool {
		removed, is := a.(*TorrentRemovedAlert)
		if is && (removed.InfoHash().IsZero() || removed.Torrent().IsValid()) {
			t.Errorf("removed: %+v", removed)
		}
		return is
	})
}

func TestPeersTrackersAndListeningComeAsAlerts(t *testing.T) {
	s := startSeeder(t)
	pack := quietSettings(t)
	must(t, pack.SetInt("alert_mask", int(AlertCategoryError|AlertCategoryStatus|AlertCategoryConnect|AlertCategoryTracker|AlertCategoryPeer)))
	must(t, pack.SetStr("listen_interfaces", "127.0.0.1:0,192.0.2.1:6881"))
	session, err := NewSession(pack, AddDefaultPlugins)
	must(t, err)
	defer DeleteSession(session)
	params, err := ParseTorrentFile(s.torrentFile)
	must(t, err)
	params.Trackers = []string{"http://127.0.0.1:9/announce"}
	params.Peers = []string{s.peer, "127.0.0.1:9"}
	torrent, err := session.AddTorrent(params)
	must(t, err)
	defer torrent.Pause()
	missing := map[string]bool{"listens": true, "cannot listen": true, "asks the tracker": true, "no tracker": true, "connected": true,
		"no peer": true}
	waitFor(t, session, "all of them", func(a Alert) bool {
		switch a := a.(type) {
		case *ListenSucceededAlert:
			if strings.HasPrefix(a.Endpoint, "127.0.0.1:") {
				delete(missing, "listens")
			}
		case *ListenFailedAlert:
			if a.Err != nil {
				delete(missing, "cannot listen")
			}
		case *TrackerAnnounceAlert:
			if a.URL == params.Trackers[0] {
				delete(missing, "asks the tracker")
			}
		case *TrackerErrorAlert:
			if a.Err != nil && a.TimesInARow > 0 {
				delete(missing, "no tracker")
			}
		case *PeerConnectAlert:
			if a.Endpoint == s.peer && a.Outgoing {
				delete(missing, "connected")
			}
		case *PeerDisconnectedAlert:
			if a.Endpoint == "127.0.0.1:9" && a.Err != nil {
				delete(missing, "no peer")
			}
		}
		return len(missing) == 0
	})
}
