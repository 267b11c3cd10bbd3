// Elementum_storage makes every call that Elementum makes to libtorrent's memory storage, by what is here instead: how large
// the memory is, reader, reserved and lookbehind pieces, direct reads, which pieces there are, resume data every ten seconds.
//
//	elementum_storage [-resume-every DURATION] FILE.torrent|MAGNET [PEER_ADDR:PORT ...]
//
// It plays the torrent's largest file once, says what it did, and ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"slipstream"
)

func main() {
	resumeEvery := flag.Duration("resume-every", 10*time.Second, "how often resume data is saved")
	flag.Parse()
	if flag.NArg() < 1 {
		fmt.Fprintln(os.Stderr, "usage: elementum_storage [-resume-every DURATION] FILE.torrent|MAGNET [PEER_ADDR:PORT ...]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), flag.Args()[1:], *resumeEvery); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, uri string, peers []string, resumeEvery time.Duration) error {
	settings, err := memorySettings()
	if err != nil {
		return err
	}
	params := slipstream.NewSessionParams()
	params.SetSettings(settings)
	params.SetMemoryDiskIO(memorySize(0)) // pieces are not known yet
	session, err := slipstream.CreateSessionWithParams(params)
	if err != nil {
		return err
	}
	defer session.Close()

	add, err := slipstream.LoadTorrent(uri)
	if err != nil {
		return err
	}
	add.Peers = peers
	add.Flags |= slipstream.FlagDefaultDontDownload // what the player needs is wanted, and nothing else
	torrent, err := session.AddTorrent(add)
	if err != nil {
		return err
	}
	if err := torrent.WaitReady(ctx); err != nil {
		return err
	}
	play, err := newPlayback(session, torrent)
	if err != nil {
		return err
	}
	defer play.close()

	saving, stopSaving := context.WithCancel(ctx)
	saved := make(chan int)
	go func() { saved <- saveResumeData(saving, torrent, resumeEvery) }()
	err = play.everything(ctx)
	stopSaving()
	times := <-saved
	if err != nil {
		return err
	}
	return play.report(times)
}

// memorySettings are those that Elementum uses in memory mode. What libtorrent 2 removed is not had, and setting it is an error.
func memorySettings() (*slipstream.SettingsPack, error) {
	pack := slipstream.NewSettingsPack()
	if err := pack.SetInt("cache_size", -1); !errors.Is(err, slipstream.ErrUnknownSetting) || pack.HasSetting("cache_size") {
		return nil, fmt.Errorf("libtorrent has a cache again: %v", err)
	}
	for _, err := range []error{
		pack.SetBool("close_redundant_connections", false),
		pack.SetBool("auto_sequential", false),
		pack.SetInt("share_ratio_limit", 0),
		pack.SetInt("seed_time_ratio_limit", 0),
		pack.SetInt("seed_time_limit", 0),
	} {
		if err != nil {
			return nil, err
		}
	}
	return pack, nil
}

// saveResumeData asks for resume data every so often, until the context is done, and says how often it came. Nothing in memory is
// lost by it.
func saveResumeData(ctx context.Context, torrent *slipstream.TorrentHandle, every time.Duration) (times int) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return times
		case <-ticker.C:
			data, err := torrent.ResumeData(ctx)
			if err == nil && len(data) > 0 {
				times++
			}
		}
	}
}
