package donjon_test

import (
	"bytes"
	"errors"
	"io"
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

func TestSealerIsSharedAndClosedDuringCalls(t *testing.T) {
	for range 100 {
		sealer := newSealer(t)
		key, wrapped, err := sealer.NewDataKey("acme")
		ok(t, err)
		cell := sealed(t, key, []byte("secret"))
		var group sync.WaitGroup
		until := func(call func() error) {
			group.Go(func() {
				for {
					if err := call(); errors.Is(err, donjon.ErrClosed) {
						return
					} else if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		until(func() error { _, err := key.Open(here, cell); return err })
		until(func() error { _, err := key.Seal(here, cell); return err })
		until(func() error { _, err := openStream(key, bytes.NewReader(cell), nil); return err })
		until(func() error {
			again, err := sealer.OpenDataKey(wrapped, "acme")
			again.Close()
			return err
		})
		for range 2 {
			group.Go(func() {
				runtime.Gosched()
				key.Close()
				sealer.Close()
			})
		}
		group.Wait()
	}
}

func TestWriterIsClosedDuringWrites(t *testing.T) {
	key := newDataKey(t)
	for i := range 100 {
		var envelope bytes.Buffer
		w, err := key.NewWriter(&envelope, here, nil)
		ok(t, err)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				for {
					if _, err := w.Write(make([]byte, 1000)); err != nil {
						if !errors.Is(err, donjon.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		group.Go(func() { _, _ = w.ReadFrom(endlessReader{}) })
		runtime.Gosched()
		if i%2 == 0 {
			group.Go(func() { _ = w.Close() })
		}
		group.Go(w.Abort)
		group.Wait()
		plaintext, err := key.Open(here, envelope.Bytes())
		if closed := w.Close() == nil; closed != (err == nil) {
			t.Errorf("closed: %t, but opened %d bytes, %v", closed, len(plaintext), err)
		}
	}
}

// endlessReader reads zeros.
type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) { return min(len(p), 1000), nil }

func TestReaderIsClosedDuringReads(t *testing.T) {
	key := newDataKey(t)
	envelope := sealed(t, key, text(1<<20))
	for range 100 {
		r, err := key.NewReader(bytes.NewReader(envelope), here, nil)
		ok(t, err)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if _, err := io.Copy(io.Discard, r); err != nil && !errors.Is(err, donjon.ErrClosed) {
					t.Error(err)
				}
			})
		}
		for range 2 {
			group.Go(func() {
				runtime.Gosched()
				r.Close()
			})
		}
		group.Wait()
	}
}

func TestUnreachableStreamIsNotFreedUnderACall(t *testing.T) {
	plaintext := text(20_000)
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
	for range 50 {
		key := newUnownedKey(t)
		var stored bytes.Buffer
		w, err := key.NewWriter(&stored, here, nil)
		ok(t, err)
		_, err = w.Write(plaintext)
		ok(t, err)
		ok(t, w.Close())
		r, err := key.NewReader(&stored, here, nil)
		ok(t, err)
		opened, err := io.ReadAll(r)
		ok(t, err)
		same(t, "opened", opened, plaintext)
		cell := key.Cell(here) // keeps the key
		value, err := donjon.EncryptedBytes{Cell: cell, Bytes: plaintext}.Value()
		ok(t, err)
		ok(t, (&donjon.EncryptedBytes{Cell: cell}).Scan(value))
	}
	close(done)
}

// newUnownedKey is a data key that nobody closes.
func newUnownedKey(t testing.TB) *donjon.DataKey {
	t.Helper()
	sealer, err := donjon.SealerFromExternal(donjon.ExternalKey{DataKey: []byte(testDataKey), KeyID: "kms/1", Wrapped: []byte("wrapped")})
	ok(t, err)
	key, _, err := sealer.NewDataKey("acme")
	ok(t, err)
	return key
}
