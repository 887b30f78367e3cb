// The demo's Go service. It has no accounts of its own: it serves whoever
// brings an access token of the Python service, with what the policy of both
// lets the token's roles do.
//
//	DONJON_MASTER=... go run . -listen 127.0.0.1:8081 -policy ../policy.json -keyring keyring.json
//
// SIGHUP moves it to the next epoch of keys, SIGUSR1 has it read its policy
// again, SIGUSR2 its keyring.
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
	policy := flag.String("policy", "../policy.json", "the file that says who may do what")
	keyring := flag.String("keyring", "keyring.json", "the file with the keys of data at rest")
	revoked := flag.String("revocations", "http://127.0.0.1:8080/.well-known/revocation-set", "where revocations are published")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := serve(*listen, *policy, *keyring, *revoked, log); err != nil {
		log.Error("cannot serve", "error", err)
		os.Exit(1)
	}
}

func serve(listen, policyFile, keyringFile, revoked string, log *slog.Logger) error {
	keys, err := newKeys()
	if err != nil {
		return err
	}
	policies, err := newPolicies(policyFile)
	if err != nil {
		return err
	}
	phones, err := newPhones(keyringFile, log)
	if err != nil {
		return err
	}
	limits, err := newLimits(log)
	if err != nil {
		return err
	}
	revocations, err := newRevocations(keys, revoked, log)
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: listen, ReadHeaderTimeout: 5 * time.Second,
		Handler: routes(keys, revocations, policies, phones, limits, log),
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangup, user1, user2 := make(chan os.Signal, 1), make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	signal.Notify(user1, syscall.SIGUSR1)
	signal.Notify(user2, syscall.SIGUSR2)

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
		case <-user1:
			changes, err := policies.replace()
			if err != nil {
				log.Error("policy refused", "error", err)
				continue
			}
			log.Info("policy replaced", "changes", changes)
			log.Info("policy digest=" + policies.digest())
		case <-user2:
			if err := phones.readKeyring(); err != nil {
				log.Error("keyring refused", "error", err)
				continue
			}
			log.Info("keyring read")
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			return server.Shutdown(ctx)
		}
	}
}
