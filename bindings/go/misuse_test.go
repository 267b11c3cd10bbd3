package slipstream

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// Every exported method of a value, with zeros for its arguments: a nil context among them, but none that waits for ever.
func callEverything(t *testing.T, v interface{}) {
	value := reflect.ValueOf(v)
	for i := 0; i < value.NumMethod(); i++ {
		method := value.Method(i)
		var args []reflect.Value
		for j := 0; j < method.Type().NumIn(); j++ {
			args = append(args, reflect.Zero(method.Type().In(j)))
		}
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%v.%s: %v", value.Type(), value.Type().Method(i).Name, p)
				}
			}()
			results := method.Call(args)
			last := len(results) - 1
			if last < 0 || method.Type().Out(last) != reflect.TypeOf((*error)(nil)).Elem() || value.Type().Method(i).Name == "Close" {
				return
			}
			if err, _ := results[last].Interface().(error); err != nil && !errors.As(err, new(*Error)) {
				t.Errorf("%v.%s: %v", value.Type(), value.Type().Method(i).Name, err)
			}
		}()
	}
}

func TestNilAndZeroValuesAreErrorsAndNotPanics(t *testing.T) {
	for _, v := range []interface{}{(*Session)(nil), (*MemoryDisk)(nil), (*Reader)(nil), (*LookbehindManager)(nil), (*TorrentHandle)(nil),
		(*Storage)(nil), (*SettingsPack)(nil), (*SessionParams)(nil), &Session{}, &MemoryDisk{}, &Reader{}, &LookbehindManager{},
		&TorrentHandle{}, &Storage{}, &SettingsPack{}, &SessionParams{}, InfoHash{}} {
		callEverything(t, v)
	}
	DeleteSession(nil)
	if _, err := NewLookbehindManager(nil, 0); !errors.Is(err, ErrNoSuchTorrent) {
		t.Errorf("a manager of nothing: %v", err)
	}
	if err := (*SettingsPack)(nil).SetInt("connections_limit", 1); !errors.Is(err, ErrBadArgument) {
		t.Errorf("a setting of nothing: %v", err)
	}
	if n, err := (*SettingsPack)(nil).GetInt("connections_limit"); n != 200 || err != nil {
		t.Errorf("no settings are the defaults: %d, %v", n, err)
	}
}

func TestANilContextIsTheBackground(t *testing.T) {
	s := startSeeder(t)
	session, torrent := startFilm(t, 64<<20, s)
	var none context.Context
	must(t, torrent.WaitReady(none))
	_, err := torrent.ResumeData(none)
	must(t, err)
	must(t, session.PostSessionStats())
	_, err = session.WaitAlerts(none)
	must(t, err)
	reader := NewReaderContext(none, torrent, 0)
	defer reader.Close()
	_, err = io.ReadFull(reader, make([]byte, 10))
	must(t, err)
}

func TestSourcesThatAreEmptyAreNamedForWhatTheyAre(t *testing.T) {
	session := startSession(t, 8<<20)
	_, torrentFile := ParseTorrentFile(nil)
	_, link := ParseMagnetURI("")
	_, resume := ReadResumeData([]byte{})
	_, addedFile := session.AddTorrentFile(nil)
	_, addedLink := session.AddMagnet("")
	_, nothing := session.AddTorrent(NewAddTorrentParams())
	_, large := ReadResumeData(make([]byte, 33<<20))
	_, noFile := LoadTorrent("/nonexistent/film.torrent")
	_, noLink := LoadTorrent("magnet:?xt=urn:btih:zz")
	for name, c := range map[string]struct{ got, want error }{
		"ParseTorrentFile": {torrentFile, ErrBadTorrent}, "ParseMagnetURI": {link, ErrBadMagnet}, "ReadResumeData": {resume, ErrBadTorrent},
		"AddTorrentFile": {addedFile, ErrBadTorrent}, "AddMagnet": {addedLink, ErrBadMagnet}, "AddTorrent": {nothing, ErrBadArgument},
		"large resume data": {large, ErrTooLarge}, "no file": {noFile, os.ErrNotExist}, "no link": {noLink, ErrBadMagnet},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, not %v", name, c.got, c.want)
		}
	}
}

func TestAddressesWithBytesBehindThemAreNone(t *testing.T) {
	s := startSeeder(t)
	session, torrent := startFilm(t, 64<<20, s)
	for _, address := range []string{"", ":", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1\x00.example.org:80", "127.0.0.1:80\x00",
		"::1:80", "[::1]", "[127.0.0.1]:80", "\xff\xfe:80"} {
		if err := torrent.ConnectPeer(address); !errors.Is(err, ErrBadArgument) {
			t.Errorf("a peer at %q: %v", address, err)
		}
		params := NewAddTorrentParams()
		params.MagnetURI, params.Peers = s.magnet, []string{address}
		if _, err := session.AddTorrent(params); !errors.Is(err, ErrBadArgument) {
			t.Errorf("added with a peer at %q: %v", address, err)
		}
	}
	for _, host := range []string{"", "127.0.0.1\x00.example.org"} {
		if err := session.AddDHTNode(host, 80); !errors.Is(err, ErrBadArgument) {
			t.Errorf("a node at %q: %v", host, err)
		}
	}
}

func TestSizesThatCannotBeCountedAreTheLargest(t *testing.T) {
	torrent, _, n := playedFilm(t)
	manager, err := NewLookbehindManager(torrent, 0)
	must(t, err)
	defer manager.Close()
	must(t, manager.SetPosition(50))
	must(t, manager.SetBitrate(math.MaxInt64))
	for name, c := range map[string]struct {
		set  func() error
		want int
	}{
		"bytes":    {func() error { return manager.SetSizeBytes(math.MaxInt64) }, 50},
		"seconds":  {func() error { return manager.SetSizeSeconds(math.MaxInt64) }, 50},
		"duration": {func() error { return manager.SetSizeDuration(math.MaxInt64) }, 50},
		"position": {func() error {
			defer manager.SetPosition(50)
			must(t, manager.SetSizePieces(math.MaxInt64))
			must(t, manager.SetPositionBytes(math.MaxInt64))
			stats, err := manager.Stats()
			if stats.ProtectedPieces != n {
				t.Errorf("behind the end there are %d pieces, not %d", stats.ProtectedPieces, n)
			}
			return err
		}, 50},
	} {
		must(t, c.set())
		if stats, err := manager.Stats(); err != nil || stats.ProtectedPieces != c.want {
			t.Errorf("%s: %d pieces, not %d, %v", name, stats.ProtectedPieces, c.want, err)
		}
	}
	if err := manager.SetSizeSeconds(math.MinInt64); !errors.Is(err, ErrBadArgument) {
		t.Errorf("seconds below 0: %v", err)
	}
	disk := torrent.Session().MemoryDisk()
	for _, c := range []struct {
		size  int64
		piece int
	}{{math.MaxInt64, 1 << 16}, {1 << 30, math.MaxInt64}, {-1, 1 << 16}, {1, 0}} {
		if err := disk.RoomFor(c.size, c.piece); !errors.Is(err, ErrBadArgument) {
			t.Errorf("room for %d in pieces of %d: %v", c.size, c.piece, err)
		}
	}
	if err := disk.RoomFor(1<<48-1, 1); err != nil && !errors.Is(err, ErrNoSpace) {
		t.Errorf("the largest torrent: %v", err)
	}
}

func TestReadersMayAskForMoreThanThereIs(t *testing.T) {
	s := startSeeder(t)
	_, torrent := startFilm(t, 64<<20, s)
	reader := NewReaderWithOptions(context.Background(), torrent, 0,
		ReaderOptions{ReadAheadBytes: math.MaxInt64, LookbehindBytes: math.MaxInt64, Timeout: math.MaxInt64 - 1})
	defer reader.Close()
	// From the middle on, so that what is wanted is added to something.
	_, err := reader.Seek(filmSize/2, io.SeekStart)
	must(t, err)
	n, err := io.Copy(io.Discard, reader)
	must(t, err)
	if n != filmSize-filmSize/2 {
		t.Errorf("%d bytes", n)
	}
	storage, err := torrent.Storage()
	must(t, err)
	stats, err := storage.GetLookbehindStats()
	must(t, err)
	if stats.AvailablePieces < 40 {
		t.Errorf("behind it there is %+v", stats)
	}
	for _, offset := range []int64{math.MaxInt64, math.MinInt64} {
		if _, err := reader.Seek(offset, io.SeekEnd); !errors.Is(err, ErrOutOfRange) {
			t.Errorf("%d from the end: %v", offset, err)
		}
	}
	if at, err := reader.Seek(math.MaxInt64, io.SeekStart); err != nil || at != math.MaxInt64 {
		t.Errorf("far beyond the end: %d, %v", at, err)
	}
	if n, err := reader.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("far beyond the end: %d, %v", n, err)
	}
}

func TestResumeDataWithAnotherTorrentsFileIsRefused(t *testing.T) {
	s, other := startSeeder(t), startSeeder(t, "v1", "65536", "0", "other.bin:200000")
	session, torrent := startFilm(t, 64<<20, s)
	data, err := torrent.ResumeData(soon(t))
	must(t, err)
	must(t, session.RemoveTorrent(torrent))
	params := NewAddTorrentParams()
	params.ResumeData, params.TorrentFile = data, other.torrentFile
	if _, err := session.AddTorrent(params); !errors.Is(err, ErrBadTorrent) {
		t.Errorf("another torrent's: %v", err)
	}
	params.TorrentFile = s.torrentFile
	_, err = session.AddTorrent(params)
	must(t, err)
}

// In a process of its own, which may then be short of memory.
func TestNoMemoryForWhatIsHandedOverIsAnError(t *testing.T) {
	if os.Getenv("SLIPSTREAM_TEST_SANITIZED") != "" {
		t.Skip("sanitizers end a program that is out of memory")
	}
	if os.Getenv("SLIPSTREAM_TEST_SHORT_OF_MEMORY") == "" {
		command := exec.Command(os.Args[0], "-test.run=^TestNoMemoryForWhatIsHandedOverIsAnError$", "-test.v")
		command.Env = append(os.Environ(), "SLIPSTREAM_TEST_SHORT_OF_MEMORY=1")
		if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	// Never touched, so never there.
	const size = 4 << 30
	reserved, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	must(t, err)
	var text string
	header := (*reflect.StringHeader)(unsafe.Pointer(&text))
	header.Data, header.Len = uintptr(unsafe.Pointer(&reserved[0])), size
	_, err = ParseInfoHash("") // what is loaded once, is
	if err == nil {
		t.Fatal("no error")
	}
	status, err := os.ReadFile("/proc/self/statm")
	must(t, err)
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_AS, &limit))
	limit.Cur = pagesOf(status)*uint64(os.Getpagesize()) + 1<<30
	must(t, syscall.Setrlimit(syscall.RLIMIT_AS, &limit))
	if _, err := ParseMagnetURI(text); !errors.Is(err, ErrInternal) {
		t.Errorf("a link of 4 GiB: %v", err)
	}
}

func pagesOf(statm []byte) (pages uint64) {
	for _, c := range strings.Fields(string(statm))[0] {
		pages = pages*10 + uint64(c-'0')
	}
	return pages
}

func TestAnAlertsTorrentMayBeGoneWhenItIsPopped(t *testing.T) {
	s := startSeeder(t)
	session := startSession(t, 64<<20)
	const times = 20
	for i := 0; i < times; i++ {
		torrent, err := session.AddTorrentFile(s.torrentFile)
		must(t, err)
		must(t, session.RemoveTorrent(torrent))
	}
	for ctx := soon(t); ; runtime.Gosched() { // libtorrent lets go of them some time after
		stats, err := session.MemoryDisk().Stats()
		must(t, err)
		if stats.Torrents == 0 || ctx.Err() != nil {
			break
		}
	}
	alerts, err := session.PopAlerts()
	must(t, err)
	added := 0
	for _, a := range alerts {
		if add, is := a.(*AddTorrentAlert); is && !add.InfoHash().IsZero() && !add.Torrent().IsValid() {
			added++
		}
	}
	if added != times {
		t.Errorf("%d of %d alerts came", added, times)
	}
}
