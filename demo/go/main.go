// The demo's Go service. It has no accounts of its own: it serves whoever
// brings an access token of the Python service.
//
//	DONJON_MASTER=... go run . -listen 127.0.0.1:8081
//
// SIGHUP moves it to the next epoch of keys.
package main

import (
	"context"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "the address to serve at")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := serve(*listen, log); err != nil {
		log.Error("cannot serve", "error", err)
		os.Exit(1)
	}
}

func serve(listen string, log *slog.Logger) error {
	keys, err := newKeys()
	if err != nil {
		return err
	}
	server := &http.Server{Addr: listen, Handler: routes(keys, log), ReadHeaderTimeout: 5 * time.Second}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)

	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	for {
		select {
		case err := <-failed:
			return err
		case <-hangup:
			if err := keys.rotate(); err != nil {
				log.Error("keys not rotated", "error", err)
				continue
			}
			log.Info("keys rotated", "epoch", keys.epoch)
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			return server.Shutdown(ctx)
		}
	}
}
