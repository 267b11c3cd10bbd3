package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"slipstream"
)

// Elementum's settings, its defaults: what is loaded before playing begins, and from the end of the file (its index).
const (
	startBuffer int64 = 20 << 20
	endBuffer   int64 = 4 << 20
)

// memorySize is Elementum's rule: 8 % of RAM, between 40 and 400 MB, at least both buffers and 8 MiB, at least 10 pieces.
func memorySize(pieceLength int64) int64 {
	size := totalRAM() * 8 / 100
	size = larger(40<<20, smaller(size, 400<<20))
	return larger(size, larger(startBuffer+endBuffer+8<<20, 10*pieceLength))
}

// lookbehindSize is what its port asks for: 30 seconds, at most half of the memory, off below 10 MB.
func lookbehindSize(bytesPerSecond, memory int64) int64 {
	size := smaller(30*bytesPerSecond, memory/2)
	if size < 10<<20 {
		return 0
	}
	return size
}

func totalRAM() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 1 << 30
	}
	fields := strings.Fields(string(text)) // MemTotal: N kB
	kib, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 1 << 30
	}
	return kib << 10
}

func larger(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}

func smaller(a, b int64) int64 { return a + b - larger(a, b) }

// A file that is played, as Elementum does it: by pieces.
type playback struct {
	torrent     *slipstream.TorrentHandle
	storage     *slipstream.Storage
	lookbehind  *slipstream.LookbehindManager
	file        slipstream.File
	pieceLength int64
	read        int64
}

func newPlayback(session *slipstream.Session, torrent *slipstream.TorrentHandle) (*playback, error) {
	files, err := torrent.Files()
	if err != nil {
		return nil, err
	}
	p := &playback{torrent: torrent}
	for _, f := range files {
		if !f.Pad && f.Size > p.file.Size {
			p.file = f
		}
	}
	length, err := torrent.PieceLength()
	if err != nil {
		return nil, err
	}
	p.pieceLength = int64(length)
	if err := session.MemoryDisk().SetCapacity(memorySize(p.pieceLength)); err != nil { // set_memory_size
		return nil, err
	}
	if p.storage, err = torrent.Storage(); err != nil { // by info-hash, never by a guessed index
		return nil, err
	}
	if p.lookbehind, err = slipstream.NewLookbehindManager(torrent, p.file.Index); err != nil {
		return nil, err
	}
	capacity, err := session.MemoryDisk().Capacity()
	if err != nil {
		return nil, err
	}
	const bytesPerSecond = 3 << 20 // as ffprobe would say
	if err := p.lookbehind.SetSizeBytes(lookbehindSize(bytesPerSecond, capacity)); err != nil {
		return nil, err
	}
	return p, p.reserve()
}

func (p *playback) close() { p.lookbehind.Close() }

// reserve keeps the end of the file, where players look for its index, and asks for it.
func (p *playback) reserve() error {
	var pieces []int
	for piece := p.pieceAt(larger(0, p.file.Size-endBuffer)); piece < p.file.EndPiece; piece++ {
		pieces = append(pieces, piece)
		if err := p.torrent.SetPiecePriority(piece, 7); err != nil {
			return err
		}
	}
	_, err := p.storage.SetReservedPieces(pieces) // set_reserved_pieces
	return err
}

func (p *playback) pieceAt(offset int64) int { return int((p.file.Offset + offset) / p.pieceLength) }

// window says what is read next, and wants it: set_reader_pieces, and priorities and deadlines.
func (p *playback) window(piece int) error {
	var pieces []int
	for i := piece; i < p.file.EndPiece && int64(i-piece)*p.pieceLength <= startBuffer; i++ {
		pieces = append(pieces, i)
	}
	if err := p.lookbehind.SetPosition(piece); err != nil { // set_lookbehind_pieces
		return err
	}
	granted, err := p.storage.SetReaderPieces(pieces)
	if err != nil {
		return err
	}
	for _, i := range pieces[:granted.Pieces] {
		if p.storage.HasPiece(i) {
			continue
		}
		if err := p.torrent.SetPiecePriority(i, 6); err != nil {
			return err
		}
	}
	return p.torrent.SetPiecePriority(piece, 7)
}

// everything reads the file from start to end: directly from storage what is there, through a reader what must be waited for. No
// polling: the reader is woken by the piece.
func (p *playback) everything(ctx context.Context) error {
	reader := slipstream.NewReaderWithOptions(ctx, p.torrent, p.file.Index, slipstream.ReaderOptions{LookbehindBytes: -1})
	defer reader.Close()
	buf := make([]byte, 256<<10)
	for piece := p.file.FirstPiece; piece < p.file.EndPiece; {
		if p.read%p.pieceLength == 0 || p.read == 0 {
			if err := p.window(piece); err != nil {
				return err
			}
		}
		want := smaller(int64(len(buf)), p.file.Size-p.read)
		n, err := p.storage.Read(buf[:want], piece, int((p.file.Offset+p.read)%p.pieceLength)) // read
		if errors.Is(err, slipstream.ErrNotInMemory) || errors.Is(err, slipstream.ErrNotVerified) {
			if _, err = reader.Seek(p.read, io.SeekStart); err == nil {
				n, err = reader.Read(buf)
			}
		}
		if err != nil {
			return err
		}
		p.read += int64(n)
		if p.read == p.file.Size {
			return nil
		}
		piece = p.pieceAt(p.read)
	}
	return nil
}

func (p *playback) report(resumeDataSaved int) error {
	status, err := p.torrent.StatusWithPieces() // status.pieces
	if err != nil {
		return err
	}
	have := 0
	for _, has := range status.Pieces {
		if has {
			have++
		}
	}
	lookbehind, err := p.lookbehind.Stats()
	if err != nil {
		return err
	}
	log.Printf("read %d of %d bytes of %q", p.read, p.file.Size, p.file.Name)
	log.Printf("libtorrent has %d of %d pieces, lookbehind %d pieces (%d bytes), resume data saved %d times", have,
		len(status.Pieces), lookbehind.AvailablePieces, lookbehind.AvailableBytes, resumeDataSaved)
	if p.read != p.file.Size {
		return fmt.Errorf("read %d bytes of %d", p.read, p.file.Size)
	}
	return nil
}
