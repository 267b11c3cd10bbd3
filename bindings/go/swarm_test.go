package slipstream

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const patience = 90 * time.Second

// A C++ program that seeds files of noise on loopback (tests/bindings/seeder.cpp), one for each test that asks.
type seeder struct {
	torrentFile []byte
	magnet      string
	peer        string
	folder      string
}

const (
	filmName  = "film.bin"
	filmSize  = 6<<20 + 12345
	filmPiece = "65536"
)

func startSeeder(t testing.TB, args ...string) *seeder {
	t.Helper()
	program := os.Getenv("SLIPSTREAM_TEST_SEEDER")
	if program == "" {
		t.Skip("SLIPSTREAM_TEST_SEEDER does not name the seeder (make test does)")
	}
	if len(args) == 0 {
		args = []string{"hybrid", filmPiece, "0", "film.bin:6303801"}
	}
	command := exec.Command(program, args...)
	// It is apart from what a sanitizer is preloaded for.
	command.Env = append(os.Environ(), "LD_PRELOAD=")
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	must(t, err)
	stdout, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() {
		stdin.Close()
		command.Wait()
	})
	s := &seeder{}
	lines := bufio.NewScanner(stdout)
	for s.peer == "" && lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "torrent":
			s.torrentFile, err = os.ReadFile(rest)
			must(t, err)
		case "magnet":
			s.magnet = rest
		case "folder":
			s.folder = rest
		case "peer":
			s.peer = rest
		}
	}
	if s.peer == "" {
		t.Fatal("the seeder does not seed")
	}
	return s
}

func (s *seeder) content(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(s.folder, name))
	must(t, err)
	return content
}

// Defaults, but on loopback, and without what looks for the world outside.
func quietSettings(t testing.TB) *SettingsPack {
	t.Helper()
	p := NewSettingsPack()
	must(t, p.SetStr("listen_interfaces", "127.0.0.1:0"))
	for _, off := range []string{"enable_dht", "enable_lsd", "enable_upnp", "enable_natpmp"} {
		must(t, p.SetBool(off, false))
	}
	must(t, p.SetBool("allow_multiple_connections_per_ip", true))
	must(t, p.SetBool("close_redundant_connections", false))
	must(t, p.SetInt("alert_mask", int(AlertCategoryError|AlertCategoryStatus|AlertCategoryStorage|AlertCategoryConnect)))
	must(t, p.SetInt("min_reconnect_time", 1))
	must(t, p.SetInt("max_failcount", 100))
	must(t, p.SetInt("stop_tracker_timeout", 1))
	return p
}

func startSession(t testing.TB, capacity int64) *Session {
	t.Helper()
	params := NewSessionParams()
	params.SetSettings(quietSettings(t))
	params.SetMemoryDiskIO(capacity)
	s, err := CreateSessionWithParams(params)
	must(t, err)
	t.Cleanup(func() { DeleteSession(s) })
	return s
}

// A session with the seeder's torrent in it, connected to the seeder and ready to be read.
func startFilm(t testing.TB, capacity int64, s *seeder) (*Session, *TorrentHandle) {
	t.Helper()
	session := startSession(t, capacity)
	torrent, err := session.AddTorrentFile(s.torrentFile)
	must(t, err)
	must(t, torrent.ConnectPeer(s.peer))
	must(t, torrent.WaitReady(soon(t)))
	return session, torrent
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// waitFor waits until an alert is what the function wants.
func waitFor(t testing.TB, s *Session, what string, wanted func(Alert) bool) {
	t.Helper()
	ctx := soon(t)
	for {
		alerts, err := s.WaitAlerts(ctx)
		if err != nil {
			t.Fatalf("waited for %s: %v", what, err)
		}
		for _, a := range alerts {
			if wanted(a) {
				return
			}
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
