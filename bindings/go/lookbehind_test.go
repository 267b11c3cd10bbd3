package slipstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

// A film that was read, by a reader that leaves lookbehind alone.
func playedFilm(t *testing.T) (*TorrentHandle, *Storage, int) {
	t.Helper()
	_, torrent := startFilm(t, 64<<20, startSeeder(t))
	reader := NewReaderWithOptions(context.Background(), torrent, 0, ReaderOptions{LookbehindBytes: -1})
	t.Cleanup(func() { reader.Close() })
	_, err := io.Copy(io.Discard, reader)
	must(t, err)
	storage, err := torrent.Storage()
	must(t, err)
	n, err := storage.NumPieces()
	must(t, err)
	return torrent, storage, n
}

func TestLookbehindTakesWhatIsRightAndSaysWhatIsWrong(t *testing.T) {
	_, storage, n := playedFilm(t)
	granted, err := storage.SetLookbehindPieces([]int{5, 4, 3})
	must(t, err)
	if granted.Pieces != 3 || !storage.IsLookbehindAvailable(4) || storage.IsLookbehindAvailable(6) {
		t.Errorf("granted %+v", granted)
	}
	for _, wrong := range [][]int{{-1}, {n}, {0, n + 7}, {1 << 40}, {-1 << 40}} {
		if _, err := storage.SetLookbehindPieces(wrong); !errors.Is(err, ErrNoSuchPiece) {
			t.Errorf("%v: %v", wrong, err)
		}
		if storage.IsLookbehindAvailable(wrong[0]) {
			t.Errorf("%d is available", wrong[0])
		}
	}
	stats, err := storage.GetLookbehindStats()
	must(t, err)
	if stats.ProtectedPieces != 3 || stats.AvailablePieces != 3 || stats.ProtectedBytes != 3<<16 || stats.AvailableBytes != 3<<16 {
		t.Errorf("what is wrong changed it: %+v", stats)
	}
	if _, err := storage.SetLookbehindPieces(nil); err != nil {
		t.Error(err)
	}
	must(t, storage.ClearLookbehind())
	if stats, err = storage.GetLookbehindStats(); err != nil || stats != (LookbehindStats{}) {
		t.Errorf("cleared: %+v, %v", stats, err)
	}
}

func TestLookbehindOfNoStorageDoesNothingAndSaysSo(t *testing.T) {
	session := startSession(t, 8<<20)
	disk := session.MemoryDisk()
	for _, index := range []StorageIndex{0, -1, 12345} {
		if _, err := disk.SetLookbehindPieces(index, []int{1}); !errors.Is(err, ErrNoSuchTorrent) {
			t.Errorf("set: %v", err)
		}
		if err := disk.ClearLookbehind(index); !errors.Is(err, ErrNoSuchTorrent) {
			t.Errorf("clear: %v", err)
		}
		if _, err := disk.GetLookbehindStats(index); !errors.Is(err, ErrNoSuchTorrent) {
			t.Errorf("stats: %v", err)
		}
		if disk.IsLookbehindAvailable(index, 0) || disk.HasPiece(index, 0) {
			t.Error("something is available")
		}
	}
}

func TestTheManagerKeepsWhatLiesBehindThePosition(t *testing.T) {
	torrent, storage, n := playedFilm(t)
	manager, err := NewLookbehindManager(torrent, 0)
	must(t, err)
	defer manager.Close()
	for _, c := range []struct {
		name string
		set  func() error
		want int
	}{
		{"nothing asked for", func() error { return manager.SetPosition(50) }, 0},
		{"10 pieces", func() error { return manager.SetSizePieces(10) }, 10},
		{"resized while playing", func() error { return manager.SetSizePieces(4) }, 4},
		{"zero", func() error { return manager.SetSizePieces(0) }, 0},
		{"bytes, rounded up", func() error { return manager.SetSizeBytes(3<<16 + 1) }, 4},
		{"seconds without a bitrate", func() error { return manager.SetSizeSeconds(10) }, 0},
		{"seconds", func() error { return manager.SetBitrate(1 << 16) }, 10},
		{"more than there is behind", func() error { return manager.SetSizePieces(1000) }, 50},
		{"larger than can be counted", func() error { return manager.SetSizeBytes(1 << 62) }, 50},
		{"at the start", func() error { return manager.SetPosition(0) }, 0},
		{"before the start", func() error { return manager.SetPosition(-5) }, 0},
		{"beyond the end", func() error { return manager.SetPosition(1 << 40) }, n},
		{"by bytes", func() error { return manager.SetPositionBytes(7<<16 + 1) }, 7},
		{"by bytes before the start", func() error { return manager.SetPositionBytes(-1) }, 0},
	} {
		if err := c.set(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		stats, err := manager.Stats()
		must(t, err)
		if stats.ProtectedPieces != c.want {
			t.Errorf("%s: %d pieces, not %d", c.name, stats.ProtectedPieces, c.want)
		}
	}
	must(t, manager.SetPosition(20))
	must(t, manager.SetSizePieces(5))
	if !manager.IsAvailable(19) || !manager.IsAvailable(15) || manager.IsAvailable(14) || manager.IsAvailable(20) {
		t.Error("the pieces are not the five before the position")
	}
	for name, err := range map[string]error{"pieces": manager.SetSizePieces(-1), "bytes": manager.SetSizeBytes(-1),
		"time": manager.SetSizeDuration(-time.Second), "bitrate": manager.SetBitrate(-1)} {
		if !errors.Is(err, ErrBadArgument) {
			t.Errorf("%s below 0: %v", name, err)
		}
	}
	if manager.SizePieces() != 5 {
		t.Error("what is wrong changed the size")
	}
	must(t, manager.Close())
	if stats, err := storage.GetLookbehindStats(); err != nil || stats.ProtectedPieces != 0 {
		t.Errorf("after Close: %+v, %v", stats, err)
	}
}

func TestLookbehindIsResizedWhileTheFilmPlays(t *testing.T) {
	s := startSeeder(t, "v1", "65536", "0", "film.bin:25165824")
	session, torrent := startFilm(t, 8<<20, s)
	reader := NewReaderWithOptions(context.Background(), torrent, 0, ReaderOptions{LookbehindBytes: -1})
	defer reader.Close()
	manager, err := NewLookbehindManager(torrent, 0)
	must(t, err)
	defer manager.Close()
	sizes := make(chan int)
	resized := make(chan error, 1)
	go func() {
		var err error
		for size := range sizes {
			if e := manager.SetSizePieces(size); e != nil {
				err = e
			}
		}
		resized <- err
	}()
	content := s.content(t, filmName)
	buf := make([]byte, 64<<10)
	for at := 0; at < len(content); {
		sizes <- at / len(buf) % 40 // larger, smaller, none
		n, err := reader.Read(buf)
		if err != nil || !bytes.Equal(buf[:n], content[at:at+n]) {
			t.Fatalf("at %d: %v", at, err)
		}
		at += n
		must(t, manager.SetPositionBytes(int64(at)))
	}
	close(sizes)
	must(t, <-resized)
	must(t, manager.SetSizePieces(16))
	stats, err := manager.Stats()
	must(t, err)
	if stats.ProtectedPieces != 16 {
		t.Errorf("at the end it protects %+v", stats)
	}
	must(t, manager.SetSizePieces(3))
	if stats, err = manager.Stats(); err != nil || stats.ProtectedPieces != 3 || stats.AvailablePieces != 3 {
		t.Errorf("smaller, it protects %+v, %v", stats, err)
	}
	memory, err := session.MemoryDisk().Stats()
	must(t, err)
	if memory.LookbehindBytes != stats.ProtectedBytes || memory.PeakBytes > memory.CapacityBytes {
		t.Errorf("the memory says %+v", memory)
	}
}

func TestStorageIsReadPieceByPiece(t *testing.T) {
	_, storage, n := playedFilm(t)
	buf := make([]byte, 100)
	if got, err := storage.Read(buf, 3, 65536-40); err != nil || got != 40 {
		t.Errorf("at a piece's end: %d, %v", got, err)
	}
	for name, c := range map[string]struct {
		piece, offset int
		want          error
	}{"below": {-1, 0, ErrNoSuchPiece}, "beyond": {n, 0, ErrNoSuchPiece}, "far beyond": {1 << 40, 0, ErrNoSuchPiece},
		"offset below": {0, -1, ErrOutOfRange}, "offset beyond": {0, 65536, ErrOutOfRange}, "offset far": {0, 1 << 40, ErrOutOfRange}} {
		if got, err := storage.Read(buf, c.piece, c.offset); got != 0 || !errors.Is(err, c.want) {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	if got, err := storage.Read(nil, 0, 0); got != 0 || err != nil {
		t.Errorf("nothing: %d, %v", got, err)
	}
	if state, err := storage.PieceState(0); err != nil || state != PieceVerified || !storage.HasPiece(0) || storage.HasPiece(n) {
		t.Errorf("piece 0: %v, %v", state, err)
	}
}
