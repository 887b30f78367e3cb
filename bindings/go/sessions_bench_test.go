package donjon_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func BenchmarkSessionManagerCheck(b *testing.B) {
	s := newSite(b, donjon.SessionsOptions{})
	in := s.logIn("ann")
	client := donjon.SessionClient{Address: "192.0.2.1", UserAgent: "test"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.manager.Check(b.Context(), in.ID, client); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOfflineRevocationsCheck(b *testing.B) {
	s := newSite(b, donjon.SessionsOptions{})
	f := fixtureOf(b, s.keys, donjon.EdDSA)
	revocations := s.manager.Revocations()
	for i := range 10_000 {
		ok(b, revocations.RevokeToken(b.Context(), "ann", fmt.Sprint(i), time.Now().Add(time.Hour)))
	}
	since, err := revocations.IssueSince(b.Context(), "ann")
	ok(b, err)
	token, err := f.issuer.Access(donjon.Grant{Subject: "ann", RevokedSince: since})
	ok(b, err)
	claims, err := f.verifier.Verify(token)
	ok(b, err)
	set, err := revocations.Publish(b.Context(), s.keys, time.Minute)
	ok(b, err)
	offline := donjon.NewOfflineRevocations(func() *donjon.Keyring { return s.keys }, donjon.OfflineRevocationsOptions{})
	defer offline.Close()
	ok(b, offline.Update(set))
	b.ReportAllocs()
	for b.Loop() {
		if err := offline.Check(b.Context(), claims); err != nil {
			b.Fatal(err)
		}
	}
}
