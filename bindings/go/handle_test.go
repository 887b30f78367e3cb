package donjon

import (
	"bytes"
	"errors"
	"io"
	"net/http"
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
		"sealer":           func() error { _, err := new(Sealer).Seal(ContextOf(), nil); return err },
		"no sealer":        func() error { _, err := (*Sealer)(nil).NeedsRewrap(nil); return err },
		"sealer of none":   func() error { _, err := NewSealer(nil); return err },
		"data key":         func() error { _, err := new(DataKey).Open(ContextOf(), nil); return err },
		"data key of none": func() error { _, _, err := new(Sealer).NewDataKey(""); return err },
		"data key of nil":  func() error { _, _, err := (*Sealer)(nil).NewDataKey(""); return err },
		"opened by nil":    func() error { _, err := (*Sealer)(nil).OpenDataKey(nil, ""); return err },
		"rewrap by nil":    func() error { _, err := (*Sealer)(nil).RewrapDataKey(nil, "", nil); return err },
		"rewrap by none":   func() error { _, err := new(Sealer).Rewrap(nil, nil); return err },
		"writer":           func() error { _, err := new(SealWriter).Write([]byte("a")); return err },
		"writer's end":     func() error { return new(SealWriter).Close() },
		"no writer":        func() error { _, err := (*SealWriter)(nil).Write(nil); return err },
		"no writer's copy": func() error { _, err := (*SealWriter)(nil).ReadFrom(nil); return err },
		"no writer's end":  func() error { return (*SealWriter)(nil).Close() },
		"copy":             func() error { _, err := new(SealWriter).ReadFrom(new(bytes.Buffer)); return err },
		"reader":           func() error { _, err := new(SealedReader).Read(make([]byte, 1)); return err },
		"reader's all":     func() error { _, err := new(SealedReader).WriteTo(io.Discard); return err },
		"no reader":        func() error { _, err := (*SealedReader)(nil).Read(nil); return err },
		"no reader's all":  func() error { _, err := (*SealedReader)(nil).WriteTo(nil); return err },
		"no parts":         func() error { _, err := (*SealedReaderAt)(nil).ReadAt(nil, 0); return err },
		"reader of parts":  func() error { _, err := new(SealedReaderAt).ReadAt(make([]byte, 1), 0); return err },
		"blind index":      func() error { _, err := new(BlindIndex).Value(nil); return err },
		"fernet":           func() error { _, err := new(Fernet).Encrypt(nil); return err },
		"setting":          func() error { _, err := new(Keyring).SealSetting("", ""); return err },
		"limits":           func() error { _, err := new(Limits).Script(); return err },
		"no limits":        func() error { _, err := (*Limits)(nil).MarshalJSON(); return err },
		"table":            func() error { _, err := new(LimitTable).Stats(); return err },
		"limiter":          func() error { _, err := new(Limiter).Peek(t.Context(), nil, ""); return err },
		"lockout":          func() error { _, err := new(Lockout).Reserve(t.Context(), LogIn{}); return err },
		"lockout of none":  func() error { _, err := NewLockout(nil, nil, nil); return err },
		"attempt":          func() error { return new(Attempt).Succeeded(t.Context()) },
		"sessions":         func() error { _, err := new(Sessions).Keys("ann"); return err },
		"no sessions":      func() error { _, err := (*Sessions)(nil).ReadCookie(http.Header{"Cookie": {"a=b"}}); return err },
		"sessions of none": func() error { _, err := NewSessions(nil, SessionsOptions{}); return err },
		"manager":          func() error { _, err := new(SessionManager).Check(t.Context(), "", SessionClient{}); return err },
		"no manager":       func() error { return (*SessionManager)(nil).LogOut(t.Context(), "") },
		"manager of none":  func() error { _, err := NewSessionManager(nil, nil, SessionManagerOptions{}); return err },
		"manager, no keys": func() error {
			_, err := NewSessionManager(nil, new(MemoryRecords), SessionManagerOptions{})
			return err
		},
		"no revocations": func() error { return (*SessionManager)(nil).Revocations().Check(t.Context(), new(Claims)) },
		"revocations":    func() error { return new(Revocations).RevokeSubject(t.Context(), "ann") },
		"publishing":     func() error { _, err := new(Revocations).Publish(t.Context(), nil, 0); return err },
		"rules":          func() error { _, err := new(RevocationRules).Keys(RevocationQuery{}); return err },
		"no rules":       func() error { return (*RevocationRules)(nil).Check(RevocationQuery{}, nil, time.Time{}) },
		"set":            func() error { _, err := new(RevocationSet).Check(RevocationQuery{}); return err },
		"set of none":    func() error { _, err := OpenRevocationSet(nil, nil, 0); return err },
		"offline":        func() error { return new(OfflineRevocations).Check(t.Context(), new(Claims)) },
		"offline's set":  func() error { return (*OfflineRevocations)(nil).Update(nil) },
		"set client":     func() error { return new(RevocationSetClient).Check(t.Context(), new(Claims)) },
		"erasure":        func() error { _, err := (*Keyring)(nil).Erasure(nil, time.Time{}); return err },
	} {
		if err := use(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, nothing := range []io.Closer{
		new(Keyring), (*Keyring)(nil), new(Issuer), (*Issuer)(nil), new(Verifier), (*Verifier)(nil),
		new(PurposeTokens), (*PurposeTokens)(nil), new(Hasher), (*Hasher)(nil),
		new(Policy), (*Policy)(nil), new(Subject), (*Subject)(nil),
		new(Sealer), (*Sealer)(nil), new(DataKey), (*DataKey)(nil),
		new(SealedReader), (*SealedReader)(nil), new(SealedReaderAt), (*SealedReaderAt)(nil),
		new(BlindIndex), (*BlindIndex)(nil), new(Fernet), (*Fernet)(nil), new(Lockout), (*Lockout)(nil),
		new(Sessions), (*Sessions)(nil), new(SessionManager), (*SessionManager)(nil), new(RevocationRules), (*RevocationRules)(nil),
		new(Revocations), (*Revocations)(nil), new(RevocationSet), (*RevocationSet)(nil),
		new(OfflineRevocations), (*OfflineRevocations)(nil), new(RevocationSetClient), (*RevocationSetClient)(nil),
	} {
		if err := nothing.Close(); err != nil {
			t.Errorf("closing a %T: %v", nothing, err)
		}
	}
}
