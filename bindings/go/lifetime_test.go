package slipstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"slipstream/internal/native"
)

func TestTenSessionsStartAndCloseAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for i := 0; i < 10; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			// Defaults in all but what would reach out of this machine.
			s, err := NewSession(quietSettings(t), DefaultSessionFlags)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.ListenPort(); err != nil {
				t.Error(err)
			}
			if _, err := s.PopAlerts(); err != nil {
				t.Error(err)
			}
			DeleteSession(s)
		}()
	}
	all.Wait()
}

func TestEverythingIsAnErrorAfterClose(t *testing.T) {
	s := startSeeder(t)
	session, torrent := startFilm(t, 64<<20, s)
	storage, err := torrent.Storage()
	must(t, err)
	manager, err := NewLookbehindManager(torrent, 0)
	must(t, err)
	reader := NewReader(torrent, 0)
	hash, err := torrent.InfoHash()
	must(t, err)
	disk := session.MemoryDisk()
	ctx := context.Background()
	for i := 0; i < 3; i++ { // again and again
		must(t, session.Close())
	}
	buf := make([]byte, 10)
	for name, call := range map[string]func() error{
		"AddTorrent":          func() error { _, err := session.AddTorrentFile(s.torrentFile); return err },
		"AddMagnet":           func() error { _, err := session.AddMagnet(s.magnet); return err },
		"RemoveTorrent":       func() error { return session.RemoveTorrent(torrent) },
		"FindTorrent":         func() error { _, err := session.FindTorrent(hash); return err },
		"GetTorrents":         func() error { _, err := session.GetTorrents(); return err },
		"ListenPort":          func() error { _, err := session.ListenPort(); return err },
		"IsListening":         func() error { _, err := session.IsListening(); return err },
		"ApplySettings":       func() error { return session.ApplySettings(NewSettingsPack()) },
		"GetSettings":         func() error { _, err := session.GetSettings(); return err },
		"Pause":               session.Pause,
		"Resume":              session.Resume,
		"IsPaused":            func() error { _, err := session.IsPaused(); return err },
		"AddDHTNode":          func() error { return session.AddDHTNode("127.0.0.1", 1) },
		"SaveSessionState":    func() error { _, err := session.SaveSessionState(); return err },
		"PostTorrentUpdates":  session.PostTorrentUpdates,
		"PostSessionStats":    session.PostSessionStats,
		"PostDHTStats":        session.PostDHTStats,
		"PopAlerts":           func() error { _, err := session.PopAlerts(); return err },
		"WaitAlerts":          func() error { _, err := session.WaitAlerts(ctx); return err },
		"InfoHash":            func() error { _, err := torrent.InfoHash(); return err },
		"Status":              func() error { _, err := torrent.Status(); return err },
		"StatusWithPieces":    func() error { _, err := torrent.StatusWithPieces(); return err },
		"Files":               func() error { _, err := torrent.Files(); return err },
		"PieceLength":         func() error { _, err := torrent.PieceLength(); return err },
		"TorrentFile":         func() error { _, err := torrent.TorrentFile(); return err },
		"SetFilePriority":     func() error { return torrent.SetFilePriority(0, 4) },
		"PrioritizeFiles":     func() error { return torrent.PrioritizeFiles([]int{1}) },
		"PiecePriorities":     func() error { _, err := torrent.PiecePriorities(); return err },
		"SetPiecePriority":    func() error { return torrent.SetPiecePriority(0, 1) },
		"PrioritizePieces":    func() error { return torrent.PrioritizePieces(nil) },
		"SetPieceDeadline":    func() error { return torrent.SetPieceDeadline(0, time.Second) },
		"ResetPieceDeadline":  func() error { return torrent.ResetPieceDeadline(0) },
		"ClearPieceDeadlines": torrent.ClearPieceDeadlines,
		"HavePiece":           func() error { _, err := torrent.HavePiece(0); return err },
		"Trackers":            func() error { _, err := torrent.Trackers(); return err },
		"AddTracker":          func() error { return torrent.AddTracker("http://127.0.0.1:1/", 0) },
		"Peers":               func() error { _, err := torrent.Peers(); return err },
		"ConnectPeer":         func() error { return torrent.ConnectPeer("127.0.0.1:1") },
		"Flags":               func() error { _, err := torrent.Flags(); return err },
		"SetFlags":            func() error { return torrent.SetFlags(FlagPaused) },
		"UnsetFlags":          func() error { return torrent.UnsetFlags(FlagPaused) },
		"torrent.Pause":       torrent.Pause,
		"PauseGracefully":     torrent.PauseGracefully,
		"torrent.Resume":      torrent.Resume,
		"ForceReannounce":     torrent.ForceReannounce,
		"ForceDHTAnnounce":    torrent.ForceDHTAnnounce,
		"ForceRecheck":        torrent.ForceRecheck,
		"SetLimits":           func() error { return torrent.SetLimits(Limits{}) },
		"SaveResumeData":      torrent.SaveResumeData,
		"ResumeData":          func() error { _, err := torrent.ResumeData(ctx); return err },
		"WaitReady":           func() error { return torrent.WaitReady(ctx) },
		"torrent.Storage":     func() error { _, err := torrent.Storage(); return err },
		"reader.Read":         func() error { _, err := reader.Read(buf); return err },
		"reader.Size":         func() error { _, err := reader.Size(); return err },
		"new reader":          func() error { _, err := NewReader(torrent, 0).Read(buf); return err },
		"new manager":         func() error { _, err := NewLookbehindManager(torrent, 0); return err },
		"disk.Capacity":       func() error { _, err := disk.Capacity(); return err },
		"disk.SetCapacity":    func() error { return disk.SetCapacity(8 << 20) },
		"disk.RoomFor":        func() error { return disk.RoomFor(1, 1) },
		"disk.Stats":          func() error { _, err := disk.Stats(); return err },
		"disk.Storage":        func() error { _, err := disk.Storage(hash); return err },
		"storage.NumPieces":   func() error { _, err := storage.NumPieces(); return err },
		"storage.NumVerified": func() error { _, err := storage.NumVerifiedPieces(); return err },
		"storage.PieceState":  func() error { _, err := storage.PieceState(0); return err },
		"storage.Read":        func() error { _, err := storage.Read(buf, 0, 0); return err },
		"SetReaderPieces":     func() error { _, err := storage.SetReaderPieces([]int{0}); return err },
		"SetReservedPieces":   func() error { _, err := storage.SetReservedPieces([]int{0}); return err },
		"SetLookbehindPieces": func() error { _, err := storage.SetLookbehindPieces([]int{0}); return err },
		"ClearLookbehind":     storage.ClearLookbehind,
		"GetLookbehindStats":  func() error { _, err := storage.GetLookbehindStats(); return err },
		"manager.SetPosition": func() error { return manager.SetPosition(1) },
		"manager.Stats":       func() error { _, err := manager.Stats(); return err },
		"another session":     func() error { return closedDiskError(disk) },
	} {
		if err := call(); !errors.Is(err, ErrClosed) || !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if torrent.IsValid() || storage.Alive() || storage.HasPiece(0) || storage.IsLookbehindAvailable(0) || manager.IsAvailable(0) {
		t.Error("something says that it is still there")
	}
	must(t, reader.Close())
	must(t, reader.Close())
	must(t, manager.Close())
	must(t, manager.Close())
	must(t, disk.Close())
	if _, err := reader.Seek(0, io.SeekStart); !errors.Is(err, ErrClosed) {
		t.Errorf("a seek after its reader's close: %v", err)
	}
	if err := manager.SetPosition(1); !errors.Is(err, ErrClosed) {
		t.Errorf("a position after its manager's close: %v", err)
	}
}

func closedDiskError(disk *MemoryDisk) error {
	p := NewSessionParams()
	p.SetMemoryDisk(disk)
	_, err := CreateSessionWithParams(p)
	return err
}

func TestWhatWasNeverMadeIsAnErrorToo(t *testing.T) {
	var session Session
	var reader Reader
	var storage Storage
	var torrent TorrentHandle
	var manager LookbehindManager
	buf := make([]byte, 1)
	_, err1 := session.ListenPort()
	_, err2 := reader.Read(buf)
	_, err3 := storage.NumPieces()
	_, err4 := torrent.Status()
	err5 := manager.SetPosition(0)
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if err == nil {
			t.Errorf("%d: no error", i)
		}
	}
	must(t, session.Close())
	must(t, reader.Close())
	must(t, manager.Close())
	must(t, (*Session)(nil).Close())
	must(t, (*MemoryDisk)(nil).Close())
}

func TestARemovedTorrentIsAnErrorAlsoWhenItComesAgain(t *testing.T) {
	s := startSeeder(t)
	session, torrent := startFilm(t, 64<<20, s)
	storage, err := torrent.Storage()
	must(t, err)
	must(t, session.RemoveTorrent(torrent))
	if err := session.RemoveTorrent(torrent); !errors.Is(err, ErrNoSuchTorrent) {
		t.Errorf("removed twice: %v", err)
	}
	again, err := session.AddTorrentFile(s.torrentFile)
	must(t, err)
	must(t, again.WaitReady(soon(t)))
	if _, err := torrent.Status(); !errors.Is(err, ErrNoSuchTorrent) {
		t.Errorf("the old handle: %v", err)
	}
	if _, err := storage.NumPieces(); !errors.Is(err, ErrNoSuchTorrent) || storage.Alive() {
		t.Errorf("the old storage: %v", err)
	}
	newer, err := again.Storage()
	must(t, err)
	if newer.Index() == storage.Index() || again.Equal(torrent) {
		t.Error("the old index is used again")
	}
}

func TestCallsAndCloseRaceWithoutACrash(t *testing.T) {
	s := startSeeder(t)
	for round := 0; round < 5; round++ {
		session, torrent := startFilm(t, 16<<20, s)
		reader := NewReader(torrent, 0)
		var all sync.WaitGroup
		for _, f := range []func() error{
			func() error { _, err := torrent.Status(); return err },
			func() error { _, err := session.PopAlerts(); return err },
			func() error { _, err := reader.Read(make([]byte, 1000)); return err },
			func() error { _, err := session.WaitAlerts(context.Background()); return err },
			func() error { _, err := session.SaveSessionState(); return err },
			func() error { _, err := session.MemoryDisk().Stats(); return err },
		} {
			f := f
			all.Add(1)
			go func() {
				defer all.Done()
				for {
					if err := f(); err != nil && !errors.Is(err, io.EOF) {
						if !errors.Is(err, ErrClosed) && !errors.Is(err, ErrNoSuchTorrent) {
							t.Error(err)
						}
						return
					} else if errors.Is(err, io.EOF) {
						reader.Seek(0, io.SeekStart)
					}
				}
			}()
		}
		if round%2 == 0 {
			must(t, torrent.PrioritizeFiles([]int{7}))
		}
		must(t, session.Close())
		all.Wait()
		must(t, reader.Close())
	}
}

func TestReadersRaceWithRemoval(t *testing.T) {
	s := startSeeder(t)
	session := startSession(t, 16<<20)
	for round := 0; round < 5; round++ {
		torrent, err := session.AddTorrentFile(s.torrentFile)
		must(t, err)
		must(t, torrent.ConnectPeer(s.peer))
		var all sync.WaitGroup
		for i := 0; i < 4; i++ {
			reader := NewReader(torrent, 0)
			first := make([]byte, 1)
			if _, err := reader.Read(first); err != nil {
				t.Fatal(err)
			}
			all.Add(1)
			go func() {
				defer all.Done()
				defer reader.Close()
				if _, err := io.Copy(io.Discard, reader); err != nil && !errors.Is(err, ErrNoSuchTorrent) {
					t.Error(err)
				}
			}()
		}
		must(t, session.RemoveTorrent(torrent))
		all.Wait()
	}
}

func residentBytes(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	must(t, err)
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	must(t, err)
	return pages * int64(os.Getpagesize())
}

func TestAHundredSessionsLeaveUnderTenMegabytes(t *testing.T) {
	s := startSeeder(t)
	cycle := func() {
		params := NewSessionParams()
		params.SetSettings(quietSettings(t))
		params.SetMemoryDiskIO(8 << 20)
		session, err := CreateSessionWithParams(params)
		must(t, err)
		torrent, err := session.AddTorrentFile(s.torrentFile)
		must(t, err)
		must(t, torrent.WaitReady(soon(t)))
		reader := NewReader(torrent, 0)
		_, err = session.PopAlerts()
		must(t, err)
		must(t, session.Close())
		must(t, reader.Close())
	}
	for i := 0; i < 20; i++ { // what is allocated once, arenas of threads included
		cycle()
	}
	before := residentBytes(t)
	for i := 0; i < 100; i++ {
		cycle()
	}
	growth := residentBytes(t) - before
	t.Logf("100 sessions left %.1f MiB", float64(growth)/(1<<20))
	if os.Getenv("SLIPSTREAM_TEST_SANITIZED") == "" && growth > 10<<20 {
		t.Errorf("they left %d bytes", growth)
	}
}

func TestWhatIsForgottenIsClosedByFinalizers(t *testing.T) {
	disk, err := NewMemoryDisk(MemoryDiskOptions{CapacityBytes: 8 << 20})
	must(t, err)
	defer disk.Close()
	s := startSeeder(t)
	func() {
		params := NewSessionParams()
		params.SetSettings(quietSettings(t))
		params.SetMemoryDisk(disk)
		session, err := CreateSessionWithParams(params)
		must(t, err)
		torrent, err := session.AddTorrentFile(s.torrentFile)
		must(t, err)
		must(t, torrent.WaitReady(soon(t)))
		NewReader(torrent, 0) // forgotten
	}()
	deadline := time.Now().Add(patience)
	for {
		runtime.GC()
		stats, err := disk.Stats()
		must(t, err)
		if stats.Torrents == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the session that nobody has is still there")
		}
		time.Sleep(10 * time.Millisecond) // the collector says to nobody when it is done
	}
}

func TestExceptionsFromDeepInsideBecomeErrors(t *testing.T) {
	s := startSeeder(t)
	session, _ := startFilm(t, 64<<20, s)
	_, duplicate := session.AddTorrentFile(s.torrentFile)
	_, noState := RestoreSessionState([]byte("d3:foo"))
	_, noCapacity := NewMemoryDisk(MemoryDiskOptions{CapacityBytes: 1})
	_, noThreads := NewMemoryDisk(MemoryDiskOptions{HashThreads: 1000})
	_, noMagnet := session.AddMagnet("http://example.org/")
	_, noTorrent := session.AddTorrentFile([]byte("d4:infod4:name3:fooee"))
	_, noResume := ReadResumeData([]byte("le"))
	_, noHash := session.AddTorrent(NewAddTorrentParams())
	_, tooLarge := ParseTorrentFile(make([]byte, 33<<20))
	// What SWIG's own wrappers throw.
	outside := call("Get", func(native.Outcome) { native.NewString_list().Get(5) })
	params := NewSessionParams()
	params.SetMemoryDiskIO(0)
	_, noMemory := CreateSessionWithParams(params)
	for name, c := range map[string]struct{ got, want error }{
		"duplicate": {duplicate, ErrDuplicate}, "no state": {noState, ErrLibtorrent}, "capacity": {noCapacity, ErrBadArgument},
		"threads": {noThreads, ErrBadArgument}, "no magnet": {noMagnet, ErrBadMagnet}, "no torrent": {noTorrent, ErrBadTorrent},
		"no resume data": {noResume, ErrBadTorrent}, "no hash": {noHash, ErrBadArgument}, "too large": {tooLarge, ErrTooLarge},
		"out of range": {outside, ErrInternal}, "no memory": {noMemory, ErrBadArgument},
	} {
		var e *Error
		if !errors.Is(c.got, c.want) || !errors.As(c.got, &e) || e.Message == "" {
			t.Errorf("%s: %v, not %v", name, c.got, c.want)
		}
	}
}

func ExampleError() {
	_, err := ParseMagnetURI("not a link")
	fmt.Println(errors.Is(err, ErrBadMagnet))
	// Output: true
}
