// Streamer plays a torrent over HTTP, from memory: streamer 'magnet:?xt=...'|FILE.torrent LISTEN_ADDR [PEER_ADDR:PORT ...]
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"
	"slipstream"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: streamer 'magnet:?xt=...'|FILE.torrent LISTEN_ADDR [PEER_ADDR:PORT ...]")
	}
	add := must(slipstream.LoadTorrent(os.Args[1]))
	add.Peers = os.Args[3:]
	torrent := must(must(slipstream.NewSession(nil, slipstream.DefaultSessionFlags)).AddTorrent(add)) // on 256 MiB
	must(0, torrent.WaitReady(context.Background()))
	listener := must(net.Listen("tcp", os.Args[2]))
	for _, file := range must(torrent.Files()) {
		file := file
		http.HandleFunc("/"+file.Name, func(w http.ResponseWriter, r *http.Request) {
			reader := slipstream.NewReaderContext(r.Context(), torrent, file.Index)
			defer reader.Close()
			http.ServeContent(w, r, file.Name, time.Time{}, reader)
		})
		log.Printf("http://%s/%s", listener.Addr(), file.Name)
	}
	must(0, http.Serve(listener, nil))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
