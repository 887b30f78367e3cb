package donjon_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestEverythingIsSharedAmongGoroutines(t *testing.T) {
	f := newFixture(t)
	tokens := newPurposeTokens(t, f.keys)
	binding := donjon.Binding{Purpose: "invite", Subject: "u", State: "s"}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				token, err := f.issuer.Access(donjon.Grant{Subject: "u", Permissions: []string{"a"}})
				if err != nil {
					t.Error(err)
					return
				}
				claims, err := f.verifier.Verify(token)
				if err != nil || claims.Subject() != "u" || len(claims.Permissions()) != 1 {
					t.Error(claims, err)
				}
				invitation, err := tokens.Mint(binding, time.Minute)
				if err != nil || tokens.Check(invitation, binding) != nil {
					t.Error(err)
				}
				if _, err := f.keys.PublicJWKS(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func TestCloseDuringVerifyIsNoUseAfterFree(t *testing.T) {
	f := newFixture(t)
	token := f.access(t, "u")
	for range 200 {
		verifier, err := donjon.NewVerifier(f.keys, expecting(donjon.AccessToken, donjon.EdDSA))
		ok(t, err)
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				for {
					claims, err := verifier.Verify(token)
					if errors.Is(err, donjon.ErrClosed) {
						return
					}
					if err != nil || claims.Subject() != "u" {
						t.Error(claims, err)
						return
					}
				}
			})
		}
		for range 2 {
			group.Go(func() {
				runtime.Gosched()
				verifier.Close()
			})
		}
		group.Wait()
	}
}

func TestWhatIsMadeWithAKeyringOutlivesIt(t *testing.T) {
	f := newFixture(t)
	f.keys.Close()
	f.keys.Close()
	claims, err := f.verifier.Verify(f.access(t, "u"))
	ok(t, err)
	f.verifier.Close()
	runtime.GC()
	equal(t, "subject after closing", claims.Subject(), "u")
}

func TestUnreachableVerifierIsNotFreedUnderACall(t *testing.T) {
	f := newFixture(t)
	token := f.access(t, "u")
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	}()
	for range 200 {
		verifier, err := donjon.NewVerifier(f.keys, expecting(donjon.AccessToken, donjon.EdDSA))
		ok(t, err)
		if _, err := verifier.Verify(token); err != nil {
			t.Error(err)
		}
	}
	close(done)
}
