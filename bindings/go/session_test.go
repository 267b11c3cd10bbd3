package slipstream

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"
)

func TestSettingsAreKnownByName(t *testing.T) {
	p := NewSettingsPack()
	for _, name := range []string{"cache_size", "cache_expiry", "use_read_cache", "use_write_cache", "lock_disk_cache", "", "nonsense"} {
		if p.HasSetting(name) {
			t.Errorf("it has %q", name)
		}
		for _, err := range []error{p.SetInt(name, 1), p.SetBool(name, true), p.SetStr(name, "x")} {
			if !errors.Is(err, ErrUnknownSetting) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	for _, name := range []string{"connections_limit", "user_agent", "enable_dht", "share_ratio_limit", "auto_sequential"} {
		if !p.HasSetting(name) {
			t.Errorf("it does not have %q", name)
		}
	}
	if err := p.SetStr("connections_limit", "7"); !errors.Is(err, ErrUnknownSetting) {
		t.Errorf("a text for a number: %v", err)
	}
	if err := p.SetInt("connections_limit", 1<<40); !errors.Is(err, ErrBadArgument) {
		t.Errorf("more than 32 bits: %v", err)
	}
	// libtorrent would crash.
	if err := p.SetInt("num_optimistic_unchoke_slots", -1); !errors.Is(err, ErrBadArgument) {
		t.Errorf("a count below 0: %v", err)
	}
	must(t, p.SetInt("num_optimistic_unchoke_slots", 0))
	if n, err := p.GetInt("connections_limit"); err != nil || n != 200 {
		t.Errorf("the default: %d, %v", n, err)
	}
	if n := len(SettingNames()); n < 150 {
		t.Errorf("%d settings", n)
	}
}

func TestSettingsReachTheSession(t *testing.T) {
	session := startSession(t, 8<<20)
	p := NewSettingsPack()
	must(t, p.SetInt("connections_limit", 33))
	must(t, session.ApplySettings(p))
	got, err := session.GetSettings()
	must(t, err)
	if n, _ := got.GetInt("connections_limit"); n != 33 {
		t.Errorf("connections_limit is %d", n)
	}
	if s, _ := got.GetStr("listen_interfaces"); s != "127.0.0.1:0" {
		t.Errorf("listen_interfaces is %q", s)
	}
}

func TestStateIsSavedAndRestored(t *testing.T) {
	first := startSession(t, 8<<20)
	p := NewSettingsPack()
	must(t, p.SetInt("connections_limit", 77))
	must(t, p.SetStr("user_agent", "tested/1"))
	must(t, first.ApplySettings(p))
	state, err := first.SaveSessionState()
	must(t, err)
	must(t, first.Close())
	params, err := RestoreSessionState(state)
	must(t, err)
	params.SetMemoryDiskIO(8 << 20)
	second, err := CreateSessionWithParams(params)
	must(t, err)
	defer second.Close()
	got, err := second.GetSettings()
	must(t, err)
	n, _ := got.GetInt("connections_limit")
	agent, _ := got.GetStr("user_agent")
	listen, _ := got.GetStr("listen_interfaces")
	if n != 77 || agent != "tested/1" || listen != "127.0.0.1:0" {
		t.Errorf("%d, %q, %q", n, agent, listen)
	}
}

func TestTorrentsAreFoundListedAndShown(t *testing.T) {
	s := startSeeder(t, "hybrid", "16384", "0", "one.mkv:300000", "two.srt:1000")
	session, torrent := startFilm(t, 64<<20, s)
	params, err := ParseTorrentFile(s.torrentFile)
	must(t, err)
	if params.Name != filmName || !params.InfoHash.HasV1() || !params.InfoHash.HasV2() {
		t.Errorf("parsed: %q, %v", params.Name, params.InfoHash)
	}
	for _, text := range []string{params.InfoHash.V1Hex(), params.InfoHash.V2Hex()} {
		hash, err := ParseInfoHash(text)
		must(t, err)
		found, err := session.FindTorrent(hash)
		must(t, err)
		if !found.Equal(torrent) || !hash.SameTorrent(params.InfoHash) {
			t.Errorf("%s is another torrent", text)
		}
	}
	if _, err := session.FindTorrent(NewInfoHashV1([20]byte{1})); !errors.Is(err, ErrNoSuchTorrent) {
		t.Errorf("found what is not there: %v", err)
	}
	all, err := session.GetTorrents()
	must(t, err)
	if len(all) != 1 || !all[0].Equal(torrent) {
		t.Errorf("torrents: %v", all)
	}
	files, err := torrent.Files()
	must(t, err)
	shown := 0
	for _, f := range files {
		if !f.Pad {
			shown++
		}
	}
	if shown != 2 || files[0].Path != "film.bin/one.mkv" || files[0].Size != 300000 {
		t.Errorf("files: %+v", files)
	}
	must(t, torrent.SetFilePriority(0, 0))
	if err := torrent.SetFilePriority(99, 1); !errors.Is(err, ErrNoSuchFile) {
		t.Errorf("file 99: %v", err)
	}
	if err := torrent.SetFilePriority(0, 8); !errors.Is(err, ErrBadArgument) {
		t.Errorf("priority 8: %v", err)
	}
	// A file that nobody wants is read all the same.
	reader := NewReader(torrent, 0)
	defer reader.Close()
	got, err := io.ReadAll(reader)
	must(t, err)
	if !bytes.Equal(got, s.content(t, "film.bin/one.mkv")) {
		t.Error("wrong bytes")
	}
	status, err := torrent.StatusWithPieces()
	must(t, err)
	if status.Name != filmName || !status.HasMetadata || status.NumPeers != 1 || len(status.Pieces) == 0 || !status.Torrent.Equal(torrent) {
		t.Errorf("status: %+v", status)
	}
	peers, err := torrent.Peers()
	must(t, err)
	if len(peers) != 1 || peers[0].Endpoint != s.peer || !peers[0].IsSeed() || !peers[0].IsOutgoing() {
		t.Errorf("peers: %+v", peers)
	}
	for piece, want := range map[int]error{-1: ErrNoSuchPiece, 1 << 30: ErrNoSuchPiece, 1 << 40: ErrNoSuchPiece} {
		if err := torrent.SetPieceDeadline(piece, time.Second); !errors.Is(err, want) {
			t.Errorf("a deadline for piece %d: %v", piece, err)
		}
		if _, err := torrent.HavePiece(piece); !errors.Is(err, want) {
			t.Errorf("have piece %d: %v", piece, err)
		}
	}
	if err := torrent.ConnectPeer("localhost"); !errors.Is(err, ErrBadArgument) {
		t.Errorf("connected to nonsense: %v", err)
	}
	must(t, torrent.AddTracker("http://127.0.0.1:1/announce", 3))
	trackers, err := torrent.Trackers()
	must(t, err)
	if len(trackers) != 1 || trackers[0].Tier != 3 {
		t.Errorf("trackers: %+v", trackers)
	}
	must(t, torrent.Pause())
	waitFor(t, session, "the pause", func(a Alert) bool { _, is := a.(*TorrentPausedAlert); return is })
	status, err = torrent.Status()
	must(t, err)
	if !status.IsPaused() {
		t.Error("it is not paused")
	}
	must(t, torrent.Resume())
}

func TestAlertsStayRightAfterAThousandMore(t *testing.T) {
	s := startSeeder(t)
	session := startSession(t, 64<<20)
	p := NewSettingsPack()
	must(t, p.SetInt("alert_mask", int(AlertCategoryStatus|AlertCategoryError|AlertCategoryBlockProgress|AlertCategoryPieceProgress)))
	must(t, session.ApplySettings(p))
	torrent, err := session.AddTorrentFile(s.torrentFile)
	must(t, err)
	var kept []Alert
	var texts []string
	more := 0
	must(t, torrent.ConnectPeer(s.peer))
	for ctx := soon(t); more < 1000; {
		must(t, session.PostTorrentUpdates())
		must(t, session.PostSessionStats())
		alerts, err := session.WaitAlerts(ctx)
		must(t, err)
		for _, a := range alerts {
			if len(kept) == 50 {
				more++
				continue
			}
			kept = append(kept, a)
			texts = append(texts, a.String())
		}
	}
	must(t, session.Close())
	added := false
	for i, a := range kept {
		if a.String() != texts[i] || a.What() == "" || a.Timestamp().After(time.Now()) {
			t.Errorf("alert %d was %q and is %q", i, texts[i], a)
		}
		if add, is := a.(*AddTorrentAlert); is {
			added = true
			if add.Err != nil || add.InfoHash().IsZero() || !add.Torrent().Equal(torrent) {
				t.Errorf("added: %+v", add)
			}
		}
	}
	if !added {
		t.Error("no alert that the torrent was added")
	}
}

func TestResumeDataIsTakenOftenAndLosesNothing(t *testing.T) {
	s := startSeeder(t)
	session, torrent := startFilm(t, 64<<20, s)
	reader := NewReader(torrent, 0)
	defer reader.Close()
	buf := make([]byte, 1<<20)
	content := s.content(t, filmName)
	var data []byte
	for at := 0; ; at += len(buf) {
		n, err := io.ReadFull(reader, buf)
		if !bytes.Equal(buf[:n], content[at:at+n]) {
			t.Fatal("wrong bytes")
		}
		if err != nil {
			break
		}
		if data, err = torrent.ResumeData(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
	storage, err := torrent.Storage()
	must(t, err)
	pieces, err := storage.NumPieces()
	must(t, err)
	if n, err := storage.NumVerifiedPieces(); err != nil || n != pieces {
		t.Fatalf("%d of %d pieces are left, %v", n, pieces, err)
	}
	must(t, session.RemoveTorrent(torrent))
	params, err := ReadResumeData(data)
	must(t, err)
	if params.Name != filmName {
		t.Errorf("its name is %q", params.Name)
	}
	again, err := session.AddTorrent(params)
	must(t, err)
	must(t, again.WaitReady(soon(t)))
	must(t, again.ConnectPeer(s.peer))
	second := NewReader(again, 0)
	defer second.Close()
	got, err := io.ReadAll(second)
	must(t, err)
	if !bytes.Equal(got, content) {
		t.Error("wrong bytes from what was resumed")
	}
}
