// Package examples runs the example programs against the C++ seeder, as the README says to.
package examples

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func seed(t *testing.T) (torrent, peer string, content []byte) {
	t.Helper()
	program := os.Getenv("SLIPSTREAM_TEST_SEEDER")
	if program == "" {
		t.Skip("SLIPSTREAM_TEST_SEEDER does not name the seeder (make test does)")
	}
	command := exec.Command(program, "hybrid", "65536", "0", "film.mkv:5000000")
	stdin, err := command.StdinPipe()
	must(t, err)
	stdout, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() {
		stdin.Close()
		command.Wait()
	})
	for lines := bufio.NewScanner(stdout); peer == "" && lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "torrent":
			torrent = rest
		case "folder":
			content, err = os.ReadFile(filepath.Join(rest, "film.mkv"))
			must(t, err)
		case "peer":
			peer = rest
		}
	}
	return torrent, peer, content
}

func build(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	out, err := exec.Command("go", "build", "-o", program, "./"+name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheStreamerServesAFilm(t *testing.T) {
	torrent, peer, content := seed(t)
	command := exec.Command(build(t, "streamer"), torrent, "127.0.0.1:0", peer)
	said, err := command.StderrPipe()
	must(t, err)
	must(t, command.Start())
	defer command.Wait()
	defer command.Process.Kill()
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		at := strings.Index(lines.Text(), "http://")
		if at < 0 {
			t.Fatal(lines.Text())
		}
		answer, err := http.Get(lines.Text()[at:])
		must(t, err)
		defer answer.Body.Close()
		got, err := io.ReadAll(answer.Body)
		must(t, err)
		if !bytes.Equal(got, content) {
			t.Fatalf("%s: %d bytes that are not the film's", answer.Status, len(got))
		}
		return
	}
	t.Fatal("it says no address")
}

func TestElementumsCallsPlayAFilm(t *testing.T) {
	torrent, peer, _ := seed(t)
	out, err := exec.Command(build(t, "elementum_storage"), "-resume-every", "100ms", torrent, peer).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "read 5000000 of 5000000 bytes") {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
