package slipstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestATorrentIsStreamedAndEveryByteIsRight(t *testing.T) {
	s := startSeeder(t)
	_, torrent := startFilm(t, 64<<20, s)
	reader := NewReader(torrent, 0)
	defer reader.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, reader)
	must(t, err)
	if n != filmSize {
		t.Fatalf("%d bytes, not %d", n, filmSize)
	}
	want := sha256.Sum256(s.content(t, filmName))
	if !bytes.Equal(hash.Sum(nil), want[:]) {
		t.Fatal("the bytes are not the film's")
	}
}

func TestAFilmLargerThanTheMemoryIsStreamedAndSoughtIn(t *testing.T) {
	s := startSeeder(t, "v1", "65536", "0", "film.bin:25165824")
	session, torrent := startFilm(t, 8<<20, s)
	content := s.content(t, filmName)
	reader := NewReader(torrent, 0)
	defer reader.Close()
	got, err := io.ReadAll(reader)
	must(t, err)
	if !bytes.Equal(got, content) {
		t.Fatal("the bytes are not the film's")
	}
	for _, at := range []int64{0, 20 << 20, 5<<20 + 7, int64(len(content)) - 10} {
		_, err := reader.Seek(at, io.SeekStart)
		must(t, err)
		buf := make([]byte, 300_000)
		n, err := io.ReadFull(reader, buf)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("at %d: %v", at, err)
		}
		if !bytes.Equal(buf[:n], content[at:at+int64(n)]) {
			t.Fatalf("wrong bytes at %d", at)
		}
	}
	stats, err := session.MemoryDisk().Stats()
	must(t, err)
	if stats.PeakBytes > stats.CapacityBytes || stats.PiecesEvicted == 0 {
		t.Fatalf("the memory was not what it should have been: %+v", stats)
	}
}

func TestHTTPServesRangesByServeContent(t *testing.T) {
	s := startSeeder(t)
	_, torrent := startFilm(t, 64<<20, s)
	content := s.content(t, filmName)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reader := NewReaderContext(r.Context(), torrent, 0)
		defer reader.Close()
		http.ServeContent(w, r, filmName, time.Time{}, reader)
	}))
	defer server.Close()
	for _, c := range []struct {
		ask      string
		from, to int
	}{{"bytes=0-1", 0, 2}, {"bytes=-500", filmSize - 500, filmSize}, {"bytes=3000000-3100000", 3000000, 3100001}} {
		request, _ := http.NewRequest("GET", server.URL, nil)
		request.Header.Set("Range", c.ask)
		answer, err := http.DefaultClient.Do(request)
		must(t, err)
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		must(t, err)
		if answer.StatusCode != http.StatusPartialContent || !bytes.Equal(body, content[c.from:c.to]) {
			t.Fatalf("%s: %s, %d bytes", c.ask, answer.Status, len(body))
		}
	}
}

func TestManyReadersOfOneTorrentReadAtOnce(t *testing.T) {
	s := startSeeder(t)
	_, torrent := startFilm(t, 16<<20, s)
	content := s.content(t, filmName)
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func(random *rand.Rand) {
			defer all.Done()
			reader := NewReader(torrent, 0)
			defer reader.Close()
			for j := 0; j < 10; j++ {
				at := random.Int63n(filmSize - 1000)
				if _, err := reader.Seek(at, io.SeekStart); err != nil {
					t.Error(err)
					return
				}
				buf := make([]byte, 1000)
				if _, err := io.ReadFull(reader, buf); err != nil || !bytes.Equal(buf, content[at:at+1000]) {
					t.Errorf("at %d: %v", at, err)
					return
				}
			}
		}(rand.New(rand.NewSource(int64(i))))
	}
	all.Wait()
}

func TestAMagnetLinkGetsItsMetadataAndIsRead(t *testing.T) {
	s := startSeeder(t)
	session := startSession(t, 64<<20)
	torrent, err := session.AddMagnet(s.magnet)
	must(t, err)
	if _, err := torrent.Files(); !errors.Is(err, ErrNoMetadata) {
		t.Fatalf("files before the metadata: %v", err)
	}
	// It waits for the metadata by itself.
	reader := NewReader(torrent, 0)
	defer reader.Close()
	must(t, torrent.ConnectPeer(s.peer))
	must(t, torrent.WaitReady(soon(t)))
	files, err := torrent.Files()
	must(t, err)
	if len(files) != 1 || files[0].Name != filmName || files[0].Size != filmSize {
		t.Fatalf("files: %+v", files)
	}
	hash, err := torrent.InfoHash()
	must(t, err)
	if !hash.HasV1() || !hash.HasV2() || len(hash.V1Hex()) != 40 || len(hash.V2Hex()) != 64 || hash.ToString() != hash.V1Hex() {
		t.Fatalf("hashes: %v", hash)
	}
	if _, err := reader.Seek(-100, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(reader)
	must(t, err)
	if content := s.content(t, filmName); !bytes.Equal(got, content[len(content)-100:]) {
		t.Fatal("wrong bytes")
	}
	waitFor(t, session, "the alert about the metadata", func(a Alert) bool { _, is := a.(*MetadataReceivedAlert); return is })
}

func TestRemovingATorrentEndsReadsThatWait(t *testing.T) {
	session := startSession(t, 64<<20)
	s := startSeeder(t)
	torrent, err := session.AddTorrentFile(s.torrentFile) // nobody is connected, so nothing comes
	must(t, err)
	reader := NewReader(torrent, 0)
	defer reader.Close()
	ended := readInBackground(reader)
	must(t, session.RemoveTorrent(torrent))
	expectError(t, ended, ErrNoSuchTorrent)
	if _, err := reader.Read(make([]byte, 1)); !errors.Is(err, ErrNoSuchTorrent) {
		t.Fatalf("a read after the removal: %v", err)
	}
}

func TestReadsThatWaitEndWithTheirReaderSessionSeekAndContext(t *testing.T) {
	s := startSeeder(t)
	for name, c := range map[string]struct {
		end  func(*Reader, *Session, context.CancelFunc)
		want error
	}{
		"reader":  {func(r *Reader, _ *Session, _ context.CancelFunc) { r.Close() }, ErrClosed},
		"session": {func(_ *Reader, s *Session, _ context.CancelFunc) { s.Close() }, ErrClosed},
		"context": {func(_ *Reader, _ *Session, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"seek":    {func(r *Reader, _ *Session, _ context.CancelFunc) { r.Seek(1000, io.SeekStart) }, ErrCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			session := startSession(t, 64<<20)
			torrent, err := session.AddTorrentFile(s.torrentFile)
			must(t, err)
			must(t, torrent.WaitReady(soon(t)))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			reader := NewReaderContext(ctx, torrent, 0)
			defer reader.Close()
			ended := readInBackground(reader)
			c.end(reader, session, cancel)
			for i := int64(0); name == "seek" && len(ended) == 0; i++ { // the first may have come before the read
				_, err := reader.Seek(i%2, io.SeekStart)
				must(t, err)
				runtime.Gosched()
			}
			expectError(t, ended, c.want)
		})
	}
}

func TestAReadThatWaitsTooLongTimesOut(t *testing.T) {
	s := startSeeder(t)
	session := startSession(t, 64<<20)
	torrent, err := session.AddTorrentFile(s.torrentFile)
	must(t, err)
	must(t, torrent.WaitReady(soon(t)))
	reader := NewReaderWithOptions(context.Background(), torrent, 0, ReaderOptions{Timeout: 50 * time.Millisecond})
	defer reader.Close()
	if _, err := reader.Read(make([]byte, 10)); !errors.Is(err, ErrReadTimeout) {
		t.Fatalf("it ended with %v", err)
	}
}

func TestReadersSayWhatIsWrongWithThem(t *testing.T) {
	s := startSeeder(t)
	_, torrent := startFilm(t, 64<<20, s)
	for name, c := range map[string]struct {
		reader *Reader
		want   error
	}{
		"no such file":   {NewReader(torrent, 7), ErrNoSuchFile},
		"a file below 0": {NewReader(torrent, -1), ErrNoSuchFile},
		"no torrent":     {NewReader(nil, 0), ErrClosed},
	} {
		if _, err := c.reader.Read(make([]byte, 1)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		must(t, c.reader.Close())
	}
	reader := NewReader(torrent, 0)
	defer reader.Close()
	if _, err := reader.Seek(-1, io.SeekStart); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("before the start: %v", err)
	}
	if _, err := reader.Seek(0, 9); !errors.Is(err, ErrBadArgument) {
		t.Errorf("whence 9: %v", err)
	}
	if _, err := reader.Seek(1, io.SeekEnd); err != nil {
		t.Errorf("beyond the end: %v", err)
	}
	if n, err := reader.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("beyond the end: %d, %v", n, err)
	}
}

// A read that has begun to wait, or is about to: both must end.
func readInBackground(reader *Reader) chan error {
	ended := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		close(begun)
		_, err := reader.Read(make([]byte, 100))
		ended <- err
	}()
	<-begun
	return ended
}

func expectError(t *testing.T, ended chan error, want error) {
	t.Helper()
	select {
	case err := <-ended:
		if !errors.Is(err, want) {
			t.Fatalf("it ended with %v, not %v", err, want)
		}
	case <-time.After(patience):
		t.Fatal("it did not end")
	}
}
