package slipstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A torrent that nobody sends, ready.
func idleFilm(t *testing.T) (*Session, *TorrentHandle) {
	t.Helper()
	session := startSession(t, 64<<20)
	torrent, err := session.AddTorrentFile(startSeeder(t).torrentFile)
	must(t, err)
	must(t, torrent.WaitReady(soon(t)))
	return session, torrent
}

func TestPrioritiesAreWhatWasSet(t *testing.T) {
	_, torrent := idleFilm(t)
	priorities, err := torrent.PiecePriorities()
	must(t, err)
	n := len(priorities)
	for i := range priorities {
		priorities[i] = i % 8
	}
	must(t, torrent.PrioritizePieces(priorities))
	must(t, torrent.SetPiecePriority(3, 7))
	priorities[3] = 7
	got, err := torrent.PiecePriorities()
	must(t, err)
	if !reflect.DeepEqual(got, priorities) {
		t.Errorf("priorities are %v", got)
	}
	for name, c := range map[string]struct{ got, want error }{
		"too few":            {torrent.PrioritizePieces(priorities[1:]), ErrBadArgument},
		"none":               {torrent.PrioritizePieces(nil), ErrBadArgument},
		"8":                  {torrent.SetPiecePriority(0, 8), ErrBadArgument},
		"-1":                 {torrent.SetPiecePriority(0, -1), ErrBadArgument},
		"piece beyond":       {torrent.SetPiecePriority(n, 1), ErrNoSuchPiece},
		"too many files":     {torrent.PrioritizeFiles([]int{1, 2, 3, 4, 5}), ErrNoSuchFile},
		"a file's of 9":      {torrent.PrioritizeFiles([]int{9}), ErrBadArgument},
		"deadline beyond":    {torrent.SetPieceDeadline(n, time.Second), ErrNoSuchPiece},
		"deadline before":    {torrent.SetPieceDeadline(0, -time.Second), ErrBadArgument},
		"no deadline beyond": {torrent.ResetPieceDeadline(n), ErrNoSuchPiece},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, not %v", name, c.got, c.want)
		}
	}
	must(t, torrent.PrioritizeFiles([]int{2}))
	files, err := torrent.Files()
	must(t, err)
	if files[0].Priority != 2 || files[0].FirstPiece != 0 || files[0].EndPiece != n {
		t.Errorf("the file is %+v", files[0])
	}
}

func TestADeadlineBringsAPieceThatNobodyWanted(t *testing.T) {
	s := startSeeder(t)
	session := startSession(t, 64<<20)
	params, err := ParseTorrentFile(s.torrentFile)
	must(t, err)
	params.Flags |= FlagDefaultDontDownload
	torrent, err := session.AddTorrent(params)
	must(t, err)
	must(t, torrent.WaitReady(soon(t)))
	pack := NewSettingsPack()
	must(t, pack.SetInt("alert_mask", int(AlertCategoryPieceProgress)))
	must(t, session.ApplySettings(pack))
	must(t, torrent.SetPieceDeadline(20, time.Second))
	must(t, torrent.SetPieceDeadline(40, time.Second))
	must(t, torrent.ResetPieceDeadline(40))
	must(t, torrent.SetPiecePriority(40, 0))
	must(t, torrent.ConnectPeer(s.peer))
	waitFor(t, session, "piece 20", func(a Alert) bool {
		piece, is := a.(*PieceFinishedAlert)
		return is && piece.Piece == 20 && piece.Torrent().Equal(torrent)
	})
	must(t, torrent.ClearPieceDeadlines())
	if have, err := torrent.HavePiece(20); err != nil || !have {
		t.Errorf("piece 20: %v, %v", have, err)
	}
	if have, err := torrent.HavePiece(40); err != nil || have {
		t.Errorf("piece 40 came, too: %v, %v", have, err)
	}
}

func TestTorrentsAreAddedByHashAlone(t *testing.T) {
	for _, kind := range []string{"v1", "v2"} {
		s := startSeeder(t, kind, "65536", "0", "film.bin:300000")
		known, err := ParseTorrentFile(s.torrentFile)
		must(t, err)
		if known.InfoHash.HasV1() != (kind == "v1") || known.InfoHash.HasV2() != (kind == "v2") {
			t.Fatalf("%s: the hash is %v", kind, known.InfoHash)
		}
		session := startSession(t, 64<<20)
		params := NewAddTorrentParams()
		params.InfoHash = known.InfoHash
		params.Name = "for now"
		params.Peers = []string{s.peer}
		torrent, err := session.AddTorrent(params)
		must(t, err)
		reader := NewReader(torrent, 0)
		got, err := io.ReadAll(reader)
		must(t, err)
		must(t, reader.Close())
		if !bytes.Equal(got, s.content(t, filmName)) {
			t.Errorf("%s: wrong bytes", kind)
		}
		// The metadata came from a peer, and with the pieces their hashes.
		content, err := torrent.TorrentFile()
		must(t, err)
		again, err := ParseTorrentFile(content)
		must(t, err)
		if again.InfoHash != known.InfoHash || again.Name != filmName {
			t.Errorf("%s: the torrent file is of %v", kind, again.InfoHash)
		}
	}
}

func TestAV2LinkHasNoTorrentFileBeforeItsPiecesHashes(t *testing.T) {
	s := startSeeder(t, "v2", "16384", "0", "film.bin:3000000")
	session := startSession(t, 64<<20)
	params, err := ParseMagnetURI(s.magnet)
	must(t, err)
	params.Flags |= FlagDefaultDontDownload
	torrent, err := session.AddTorrent(params)
	must(t, err)
	must(t, torrent.ConnectPeer(s.peer))
	must(t, torrent.WaitReady(soon(t)))
	if _, err := torrent.TorrentFile(); err != nil && !errors.Is(err, ErrNoMetadata) {
		t.Errorf("it is %v", err)
	}
}

func TestFlagsAndLimitsReachTheTorrent(t *testing.T) {
	_, torrent := idleFilm(t)
	must(t, torrent.SetFlags(FlagSequentialDownload|FlagDisablePEX))
	must(t, torrent.UnsetFlags(FlagDisablePEX))
	flags, err := torrent.Flags()
	must(t, err)
	if flags&FlagSequentialDownload == 0 || flags&FlagDisablePEX != 0 {
		t.Errorf("flags are %x", flags)
	}
	must(t, torrent.SetLimits(Limits{UploadRate: 1000, DownloadRate: 2000, Uploads: 3, Connections: 4}))
	data, err := torrent.ResumeData(soon(t))
	must(t, err)
	for _, want := range []string{"17:upload_rate_limiti1000e", "19:download_rate_limiti2000e", "11:max_uploadsi3e", "15:max_connectionsi4e",
		"19:sequential_downloadi1e"} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("the resume data does not say %s", want)
		}
	}
}

func TestATorrentInUploadModeSaysThatItIs(t *testing.T) {
	_, torrent := idleFilm(t)
	must(t, torrent.SetFlags(FlagUploadMode))
	reader := NewReader(torrent, 0)
	defer reader.Close()
	if _, err := reader.Read(make([]byte, 1)); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "upload mode") {
		t.Errorf("it ended with %v", err)
	}
}

func TestASessionIsPausedAndRuns(t *testing.T) {
	session, torrent := idleFilm(t)
	must(t, session.Pause())
	if paused, err := session.IsPaused(); err != nil || !paused {
		t.Errorf("paused: %v, %v", paused, err)
	}
	must(t, session.Resume())
	if paused, err := session.IsPaused(); err != nil || paused {
		t.Errorf("resumed: %v, %v", paused, err)
	}
	if listening, err := session.IsListening(); err != nil || !listening {
		t.Errorf("listening: %v, %v", listening, err)
	}
	must(t, torrent.PauseGracefully())
	waitFor(t, session, "the pause", func(a Alert) bool { _, is := a.(*TorrentPausedAlert); return is })
	must(t, torrent.Resume())
	waitFor(t, session, "its end", func(a Alert) bool { _, is := a.(*TorrentResumedAlert); return is })
	must(t, torrent.ForceReannounce())
	must(t, torrent.ForceDHTAnnounce())
	must(t, session.AddDHTNode("127.0.0.1", 9))
	if session.Closed() || torrent.Session() != session {
		t.Error("the torrent's session is another")
	}
	must(t, session.Close())
	if !session.Closed() {
		t.Error("it is not closed")
	}
}

func TestARecheckFindsWhatIsThere(t *testing.T) {
	s := startSeeder(t)
	session, torrent := startFilm(t, 64<<20, s)
	_, err := io.Copy(io.Discard, NewReader(torrent, 0))
	must(t, err)
	_, err = session.PopAlerts()
	must(t, err)
	must(t, torrent.ForceRecheck())
	waitFor(t, session, "the check", func(a Alert) bool { _, is := a.(*TorrentCheckedAlert); return is })
	status, err := torrent.StatusWithPieces()
	must(t, err)
	for i, has := range status.Pieces {
		if !has {
			t.Fatalf("piece %d is not there after the check", i)
		}
	}
}

func TestTheMemoryIsResizedAndProtected(t *testing.T) {
	torrent, storage, n := playedFilm(t)
	disk := torrent.Session().MemoryDisk()
	must(t, disk.SetCapacity(32<<20))
	if bytes, err := disk.Capacity(); err != nil || bytes != 32<<20 {
		t.Errorf("the capacity is %d, %v", bytes, err)
	}
	if err := disk.SetCapacity(1); !errors.Is(err, ErrBadArgument) {
		t.Errorf("a capacity of 1: %v", err)
	}
	must(t, disk.RoomFor(1<<30, 1<<16))
	if err := disk.RoomFor(1<<40, 1<<30); !errors.Is(err, ErrNoSpace) {
		t.Errorf("room for pieces of 1 GiB: %v", err)
	}
	for name, set := range map[string]func([]int) (Granted, error){"reader": storage.SetReaderPieces, "reserved": storage.SetReservedPieces} {
		if granted, err := set([]int{3, 4}); err != nil || granted != (Granted{2, 2 << 16}) {
			t.Errorf("%s: %+v, %v", name, granted, err)
		}
		if _, err := set([]int{n}); !errors.Is(err, ErrNoSuchPiece) {
			t.Errorf("%s beyond the end: %v", name, err)
		}
		if granted, err := set(nil); err != nil || granted != (Granted{}) {
			t.Errorf("%s, none: %+v, %v", name, granted, err)
		}
	}
	hash, err := torrent.InfoHash()
	must(t, err)
	index, err := disk.StorageIndex(hash)
	must(t, err)
	if index != storage.Index() || index == 0 {
		t.Errorf("the index is %d, not %d", index, storage.Index())
	}
}

func TestSessionsOnOneMemoryReadEachItsOwnTorrent(t *testing.T) {
	s := startSeeder(t)
	disk, err := NewMemoryDisk(MemoryDiskOptions{CapacityBytes: 64 << 20})
	must(t, err)
	defer disk.Close()
	var torrents []*TorrentHandle
	for i := 0; i < 2; i++ {
		params := NewSessionParams()
		params.SetSettings(quietSettings(t))
		params.SetMemoryDisk(disk)
		session, err := CreateSessionWithParams(params)
		must(t, err)
		defer session.Close()
		torrent, err := session.AddTorrentFile(s.torrentFile)
		must(t, err)
		must(t, torrent.WaitReady(soon(t)))
		torrents = append(torrents, torrent)
	}
	first, err := torrents[0].Storage()
	must(t, err)
	second, err := torrents[1].Storage()
	must(t, err)
	if first.Index() == second.Index() {
		t.Error("they have one storage")
	}
	// The one that was added last has no peer.
	must(t, torrents[0].ConnectPeer(s.peer))
	reader := NewReaderContext(soon(t), torrents[0], 0)
	defer reader.Close()
	got, err := io.ReadAll(reader)
	must(t, err)
	if !bytes.Equal(got, s.content(t, filmName)) {
		t.Error("wrong bytes")
	}
	if n, err := second.NumVerifiedPieces(); err != nil || n != 0 {
		t.Errorf("the other has %d pieces, %v", n, err)
	}
	if !first.HasPiece(0) {
		t.Error("the first has nothing")
	}
}

func TestAContextThatIsDoneEndsWaits(t *testing.T) {
	session, torrent := idleFilm(t)
	_, err := session.PopAlerts()
	must(t, err)
	for name, wait := range map[string]func(context.Context) error{
		"alerts": func(ctx context.Context) error {
			for {
				if _, err := session.WaitAlerts(ctx); err != nil {
					return err
				}
			}
		},
		"read": func(ctx context.Context) error {
			reader := NewReaderContext(ctx, torrent, 0)
			defer reader.Close()
			_, err := reader.Read(make([]byte, 1))
			return err
		},
		"ready": func(ctx context.Context) error {
			link, err := session.AddMagnet("magnet:?xt=urn:btih:0123456789012345678901234567890123456789")
			must(t, err)
			defer session.RemoveTorrent(link)
			return link.WaitReady(ctx)
		},
	} {
		before, cancelled := context.WithCancel(context.Background())
		cancelled()
		if err := wait(before); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, before: %v", name, err)
		}
		during, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		if err := wait(during); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, during: %v", name, err)
		}
		cancel()
	}
}

func TestValuesHaveTheirTexts(t *testing.T) {
	v2 := NewInfoHashV2([32]byte{0xab})
	if v2.V1Hex() != "" || v2.String() != "ab"+strings.Repeat("0", 62) || v2.ToString() != v2.V2Hex() {
		t.Errorf("v2: %v", v2)
	}
	for _, text := range []string{"", "zz", strings.Repeat("0", 39), strings.Repeat("0", 41), strings.Repeat("0", 40) + "\x00"} {
		if _, err := ParseInfoHash(text); !errors.Is(err, ErrBadArgument) {
			t.Errorf("%q: %v", text, err)
		}
	}
	states := map[string]bool{}
	for s := StateCheckingFiles; s <= StateCheckingResumeData; s++ {
		states[s.String()] = true
	}
	if len(states) != 7 || TorrentState(0).String() != "unknown" {
		t.Errorf("states: %v", states)
	}
	err := error(failure("Read", CodeNoSpace, "%d bytes", 7))
	if err.Error() != "slipstream: Read: 7 bytes" || ErrNoSpace.Error() != "slipstream: no space in memory" {
		t.Errorf("texts: %q, %q", err, ErrNoSpace)
	}
	p := NewSettingsPack()
	must(t, p.SetBool("enable_dht", false))
	must(t, p.SetStr("user_agent", "a\x00b\xff"))
	params := NewSessionParams()
	params.SetSettings(p)
	must(t, p.SetStr("user_agent", "changed since"))
	if dht, err := params.Settings().GetBool("enable_dht"); err != nil || dht {
		t.Errorf("enable_dht: %v, %v", dht, err)
	}
	if dht, err := NewSettingsPack().GetBool("enable_dht"); err != nil || !dht {
		t.Errorf("enable_dht by default: %v, %v", dht, err)
	}
	if agent, err := params.Settings().GetStr("user_agent"); err != nil || agent != "a\x00b\xff" {
		t.Errorf("user_agent: %q, %v", agent, err)
	}
	if list, err := NewSettingsPack().GetStr("listen_interfaces"); err != nil || !strings.Contains(list, "6881") {
		t.Errorf("listen_interfaces by default: %q, %v", list, err)
	}
}
