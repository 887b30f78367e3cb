package donjon

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type object struct {
	freed atomic.Int32
}

func newObject() (*object, *handle[*object]) {
	o := new(object)
	return o, own(new(Keyring), o, func(o *object) { o.freed.Add(1) })
}

func TestHandleFreesOnceWhenTheLastBorrowerIsGone(t *testing.T) {
	o, h := newObject()
	for range 2 {
		if got, err := h.borrow(); got != o || err != nil {
			t.Fatal(got, err)
		}
	}
	h.close()
	h.close()
	if _, err := h.borrow(); !errors.Is(err, ErrClosed) {
		t.Errorf("borrowed what is closed: %v", err)
	}
	for want := range int32(2) {
		if got := o.freed.Load(); got != 0 {
			t.Fatalf("freed under %d borrowers", 2-want)
		}
		h.giveBack()
	}
	if got := o.freed.Load(); got != 1 {
		t.Errorf("freed %d times", got)
	}
}

func TestHandleIsNeverFreedUnderABorrower(t *testing.T) {
	for range 200 {
		o, h := newObject()
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for {
					if _, err := h.borrow(); err != nil {
						return
					}
					if o.freed.Load() != 0 {
						t.Error("freed under a borrower")
					}
					h.giveBack()
				}
			})
		}
		for range 2 {
			group.Go(h.close)
		}
		group.Wait()
		if got := o.freed.Load(); got != 1 {
			t.Fatalf("freed %d times", got)
		}
	}
}

func TestUnreachableOwnerIsClosed(t *testing.T) {
	o, _ := newObject()
	for range 100 {
		runtime.GC()
		if o.freed.Load() == 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("never freed")
}

func TestZeroValuesAreClosed(t *testing.T) {
	for name, use := range map[string]func() error{
		"keyring":          func() error { _, err := new(Keyring).PublicJWKS(); return err },
		"no keyring":       func() error { _, err := (*Keyring)(nil).Summary(); return err },
		"verifier":         func() error { _, err := new(Verifier).Verify(""); return err },
		"verifier of none": func() error { _, err := ParseVerifier(nil, nil); return err },
		"issuer":           func() error { _, err := new(Issuer).Access(Grant{}); return err },
		"purpose tokens":   func() error { return new(PurposeTokens).Check("", Binding{}) },
		"hasher":           func() error { return new(Hasher).VerifyUnknownUser(t.Context(), nil) },
		"policy":           func() error { return new(Policy).CheckRole("admin") },
		"no policy":        func() error { _, err := (*Policy)(nil).Subject(nil, SubjectOptions{}); return err },
		"diff with none":   func() error { _, err := new(Policy).Diff(nil); return err },
	} {
		if err := use(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, nothing := range []io.Closer{
		new(Keyring), (*Keyring)(nil), new(Issuer), (*Issuer)(nil), new(Verifier), (*Verifier)(nil),
		new(PurposeTokens), (*PurposeTokens)(nil), new(Hasher), (*Hasher)(nil),
		new(Policy), (*Policy)(nil), new(Subject), (*Subject)(nil),
	} {
		if err := nothing.Close(); err != nil {
			t.Errorf("closing a %T: %v", nothing, err)
		}
	}
}
