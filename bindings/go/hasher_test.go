package donjon_test

import (
	"context"
	"errors"
	"os"
	"regexp"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// quick are options of a hasher that tests do not wait for.
var quick = donjon.HasherOptions{MemoryKiB: 64, TimeCost: 1, AllowWeak: true}

func newHasher(t testing.TB, opts donjon.HasherOptions) *donjon.Hasher {
	t.Helper()
	hasher, err := donjon.NewHasher(opts)
	ok(t, err)
	t.Cleanup(func() { hasher.Close() })
	return hasher
}

func hashOf(t testing.TB, hasher *donjon.Hasher, password string) string {
	t.Helper()
	hash, err := hasher.Hash(t.Context(), []byte(password))
	ok(t, err)
	return hash
}

func TestPasswordIsVerifiedByItsHash(t *testing.T) {
	hasher := newHasher(t, donjon.HasherOptions{})
	hash := hashOf(t, hasher, "correct horse")
	if !regexp.MustCompile(`^\$argon2id\$v=19\$m=65536,t=3,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`).MatchString(hash) {
		t.Errorf("hashed to %s", hash)
	}
	verification, err := hasher.Verify(t.Context(), hash, []byte("correct horse"))
	ok(t, err)
	equal(t, "verification", verification, donjon.Verification{})
	if _, err := hasher.Verify(t.Context(), hash, []byte("correct horsf")); !errors.Is(err, donjon.ErrPasswordMismatch) {
		t.Error(err)
	}
	needed, err := hasher.NeedsRehash(hash)
	ok(t, err)
	equal(t, "need to rehash", needed, false)
	if hashOf(t, hasher, "correct horse") == hash {
		t.Error("the same salt twice")
	}
}

// The reference implementation's own vectors (phc-winner-argon2, src/test.c).
func TestHashesOfTheReferenceImplementationVerify(t *testing.T) {
	hasher := newHasher(t, donjon.HasherOptions{Legacy: []donjon.LegacyScheme{donjon.LegacyArgon2i}})
	for _, hash := range []string{
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
	} {
		verification, err := hasher.Verify(t.Context(), hash, []byte("password"))
		ok(t, err)
		equal(t, "need to rehash "+hash, verification.NeedsRehash, true)
	}
}

func TestPasswordsAreBytesAndNeverCut(t *testing.T) {
	hasher := newHasher(t, quick)
	longest := strings.Repeat("a", 4096)
	for _, password := range []string{"", "a\x00b", "\x00", "\xff\xfe", "pässwörd", longest} {
		hash := hashOf(t, hasher, password)
		_, err := hasher.Verify(t.Context(), hash, []byte(password))
		ok(t, err)
		for _, other := range []string{password + "\x00", password + "a", "a", "a\x00c", "a\x00", "\xff\xfd", longest[1:], "passwörd"} {
			if _, err := hasher.Verify(t.Context(), hash, []byte(other)); err == nil {
				t.Errorf("%.20q passes for %.20q", other, password)
			}
		}
	}
}

func TestHugePasswordIsRefusedUnhashed(t *testing.T) {
	hasher := newHasher(t, donjon.HasherOptions{})
	ctx := t.Context()
	hash := hashOf(t, hasher, "a")
	began := time.Now()
	for _, huge := range [][]byte{make([]byte, 4097), make([]byte, 1<<20)} {
		for range 100 {
			_, err := hasher.Hash(ctx, huge)
			_, verifyErr := hasher.Verify(ctx, hash, huge)
			for _, err := range []error{err, verifyErr, hasher.VerifyUnknownUser(ctx, huge)} {
				if !errors.Is(err, donjon.ErrTooLarge) {
					t.Fatal(err)
				}
			}
		}
	}
	if took := time.Since(began); took > 5*time.Second { // 600 hashes take a minute
		t.Errorf("took %v", took)
	}
}

func TestHostileHashesAreRefused(t *testing.T) {
	hasher := newHasher(t, donjon.HasherOptions{})
	const salt, hash = "MDEyMzQ1Njc4OWFiY2RlZg", "cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M"
	argon := func(params string) string { return "$argon2id$v=19$" + params + "$" + salt + "$" + hash }
	began := time.Now()
	for hash, want := range map[string]error{
		argon("m=4194304,t=3,p=1"):        donjon.ErrParamsOutOfBounds,
		argon("m=2097152,t=1,p=1"):        donjon.ErrParamsOutOfBounds, // over the budget
		argon("m=4294967295,t=1,p=1"):     donjon.ErrParamsOutOfBounds,
		argon("m=65536,t=4294967295,p=1"): donjon.ErrParamsOutOfBounds,
		argon("m=65536,t=101,p=1"):        donjon.ErrParamsOutOfBounds,
		argon("m=262144,t=100,p=1"):       donjon.ErrParamsOutOfBounds, // hours of work
		argon("m=65536,t=3,p=0"):          donjon.ErrParamsOutOfBounds,
		argon("m=65536,t=3,p=16777215"):   donjon.ErrParamsOutOfBounds,
		argon("m=65536,t=0,p=1"):          donjon.ErrParamsOutOfBounds,
		argon("m=7,t=3,p=1"):              donjon.ErrParamsOutOfBounds,
		argon("m=31,t=3,p=4"):             donjon.ErrParamsOutOfBounds,

		argon("m=99999999999999999999,t=1,p=1"): donjon.ErrParamsOutOfBounds,
		argon("m=65536,m=65536,t=3,p=1"):        donjon.ErrInvalidHash,
		argon("m=65536,t=3,t=3,p=1"):            donjon.ErrInvalidHash,
		argon("m=65536,t=3,p=1,x=1"):            donjon.ErrInvalidHash,
		argon("m=65536,t=3,p=1,data=AAAA"):      donjon.ErrInvalidHash,
		argon("m=65536,t=3"):                    donjon.ErrInvalidHash,
		argon("t=3,m=65536,p=1"):                donjon.ErrInvalidHash,
		argon("m=065536,t=3,p=1"):               donjon.ErrInvalidHash,
		argon("m=+65536,t=3,p=1"):               donjon.ErrInvalidHash,
		argon("m=-1,t=3,p=1"):                   donjon.ErrInvalidHash,
		argon("m=65536,t=3,p=1 "):               donjon.ErrInvalidHash,
		argon("m=65536,t=3,p=1") + "=":          donjon.ErrInvalidHash,
		argon("m=65536,t=3,p=1") + "\n":         donjon.ErrInvalidHash,
		argon("m=65536,t=3,p=1") + "$":          donjon.ErrInvalidHash,

		"$argon2id$v=19$m=65536,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZh$" + hash: donjon.ErrInvalidHash, // bits left over
		"$argon2id$v=19$m=65536,t=3,p=1$MDEyMzQ1Ng$" + hash:             donjon.ErrInvalidHash, // 7 bytes of salt
		"$argon2id$v=19$m=65536,t=3,p=1$" + salt + "$MDEyMzQ1Njc4OWE":   donjon.ErrInvalidHash, // 11 bytes of hash
		"$argon2id$v=19$m=65536,t=3,p=1$" + salt + "$":                  donjon.ErrInvalidHash,
		"$argon2id$v=16$m=65536,t=3,p=1$" + salt + "$" + hash:           donjon.ErrInvalidHash,
		"$argon2id$m=65536,t=3,p=1$" + salt + "$" + hash:                donjon.ErrInvalidHash,
		"$Argon2id$v=19$m=65536,t=3,p=1$" + salt + "$" + hash:           nil, // any error
		"$argon2id$v=19$m=65536,t=3,p=1$" + salt + "$\x00" + hash:       donjon.ErrInvalidHash,
		"":                              nil,
		"\x00":                          nil,
		"plain text":                    nil,
		strings.Repeat("$", 1<<20):      nil,
		argon(strings.Repeat("m", 600)): nil,
	} {
		_, err := hasher.Verify(t.Context(), hash, []byte("correct horse"))
		_, again := hasher.NeedsRehash(hash)
		for _, err := range []error{err, again} {
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%.80q: %v", hash, err)
			}
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestWeakHashVerifiesAndAsksToBeRehashed(t *testing.T) {
	weak := newHasher(t, donjon.HasherOptions{MemoryKiB: 8, TimeCost: 1, SaltLen: 8, HashLen: 12, AllowWeak: true})
	hash := hashOf(t, weak, "correct horse")
	strong := newHasher(t, donjon.HasherOptions{})
	verification, err := strong.Verify(t.Context(), hash, []byte("correct horse"))
	ok(t, err)
	equal(t, "verification", verification, donjon.Verification{NeedsRehash: true})
	needed, err := strong.NeedsRehash(hash)
	ok(t, err)
	equal(t, "need to rehash", needed, true)
}

func TestWeakOrContradictoryOptionsAreRefused(t *testing.T) {
	for name, opts := range map[string]donjon.HasherOptions{
		"little memory":     {MemoryKiB: 7167},
		"one pass":          {MemoryKiB: 19456, TimeCost: 1},
		"a short salt":      {SaltLen: 15},
		"a short hash":      {HashLen: 15},
		"no such preset":    {Preset: "strong"},
		"no such scheme":    {Legacy: []donjon.LegacyScheme{"md5"}},
		"too small a sum":   {MemoryBudgetKiB: 65535},
		"half a moment":     {MaxWait: time.Microsecond},
		"an hour":           {MaxWait: time.Hour},
		"waiting, and not":  {MaxWait: time.Second, NoWait: true},
		"waiting backwards": {MaxWait: -time.Second},
		"no room for it":    {Preset: donjon.PresetRFC9106},
	} {
		if _, err := donjon.NewHasher(opts); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	newHasher(t, donjon.HasherOptions{MemoryKiB: 64, TimeCost: 1, AllowWeak: true})
	for _, preset := range []donjon.HashPreset{donjon.PresetDefault, donjon.PresetOWASP, donjon.PresetRFC9106LowMemory} {
		newHasher(t, donjon.HasherOptions{Preset: preset})
	}
	newHasher(t, donjon.HasherOptions{Preset: donjon.PresetRFC9106, MemoryBudgetKiB: 2 << 20})
}

// Hashes of "correct horse", made by crypt(3) and by Python's hashlib.
var legacyHashes = map[donjon.LegacyScheme][]string{
	donjon.LegacyBcrypt: {"$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"},
	donjon.LegacyPBKDF2: {
		"$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M",
		"$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$OM0FAoIqCVK1sWtxDiffVlBejtLa.ks4TP71JiecwuSZCG8iLbnlIEPOMoVX.i2B2wkSxjQ8CRGR9OkNGuIPMQ",
		"pbkdf2_sha256$1000$0123456789abcdef$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M=",
	},
	donjon.LegacyScrypt: {
		"$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
		"scrypt$1024$0123456789abcdef$8$1$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67O6y9Bv3Wwmz9isfvUwH/G4zXJYS65bOgwHS3m025dyrg==",
	},
}

func TestLegacyHashesVerifyWhereTheyAreAskedFor(t *testing.T) {
	none := newHasher(t, donjon.HasherOptions{})
	for scheme, hashes := range legacyHashes {
		opts := donjon.HasherOptions{Legacy: []donjon.LegacyScheme{scheme}}
		hasher := newHasher(t, opts)
		for _, hash := range hashes {
			verification, err := hasher.Verify(t.Context(), hash, []byte("correct horse"))
			if err != nil {
				t.Errorf("%s: %v", hash, err)
			}
			equal(t, hash, verification, donjon.Verification{NeedsRehash: true})
			if _, err := hasher.Verify(t.Context(), hash, []byte("correct horsf")); !errors.Is(err, donjon.ErrPasswordMismatch) {
				t.Errorf("%s: %v", hash, err)
			}
			if _, err := none.Verify(t.Context(), hash, []byte("correct horse")); !errors.Is(err, donjon.ErrUnsupported) {
				t.Errorf("%s, not asked for: %v", hash, err)
			}
		}
		if hash := hashOf(t, hasher, "a"); !strings.HasPrefix(hash, "$argon2id$") {
			t.Errorf("made with %s", hash)
		}
	}
}

// CVE-2025-22228: what bcrypt does not look at, the answer says.
func TestBcryptSaysWhatItDoesNotLookAt(t *testing.T) {
	hasher := newHasher(t, donjon.HasherOptions{Legacy: []donjon.LegacyScheme{donjon.LegacyBcrypt}})
	const hash = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe" // of 72 letters
	for length, truncated := range map[int]bool{72: false, 73: true, 100: true} {
		verification, err := hasher.Verify(t.Context(), hash, []byte(strings.Repeat("a", length)))
		ok(t, err)
		equal(t, strconv.Itoa(length)+" letters", verification, donjon.Verification{NeedsRehash: true, Truncated: truncated})
	}
	if _, err := hasher.Verify(t.Context(), hash, []byte(strings.Repeat("a", 71))); !errors.Is(err, donjon.ErrPasswordMismatch) {
		t.Error(err)
	}
}

func TestUnknownUserCostsWhatAKnownOneDoes(t *testing.T) {
	hasher := newHasher(t, donjon.HasherOptions{MemoryKiB: 8192, TimeCost: 3, AllowWeak: true})
	hash := hashOf(t, hasher, "correct horse")
	took := func(f func() error) time.Duration {
		began := time.Now()
		if err := f(); !errors.Is(err, donjon.ErrPasswordMismatch) {
			t.Error(err)
		}
		return time.Since(began)
	}
	known, unknown := time.Hour, time.Hour
	for range 30 { // in turns, for other programs to slow both down
		known = min(known, took(func() error { _, err := hasher.Verify(t.Context(), hash, []byte("wrong")); return err }))
		unknown = min(unknown, took(func() error { return hasher.VerifyUnknownUser(t.Context(), []byte("wrong")) }))
	}
	// Nothing short of leaving the work out makes three times the difference; a busy machine may make half of it.
	if unknown < known/3 || known < unknown/3 {
		t.Errorf("%v for a known user, %v for an unknown one", known, unknown)
	}
}

func peppers(t testing.TB) *donjon.Keyring {
	t.Helper()
	keys, err := donjon.GenerateKeyring(map[donjon.Purpose]donjon.Algorithm{donjon.PurposePasswordPepper: donjon.HS256})
	ok(t, err)
	return keys
}

func TestPepperIsRotatedWithoutLockingAnyoneOut(t *testing.T) {
	keys := peppers(t)
	withPeppers := func(keys *donjon.Keyring) *donjon.Hasher {
		opts := quick
		opts.Peppers = keys
		return newHasher(t, opts)
	}
	hasher := withPeppers(keys)
	password := []byte("correct horse")
	hash := hashOf(t, hasher, "correct horse")
	if !strings.Contains(hash, ",keyid=") {
		t.Errorf("no key id in %s", hash)
	}
	verification, err := hasher.Verify(t.Context(), hash, password)
	ok(t, err)
	equal(t, "verification", verification, donjon.Verification{})

	rotated, err := keys.Rotate(donjon.Rotation{Purpose: donjon.PurposePasswordPepper, Overlap: time.Hour})
	ok(t, err)
	next := withPeppers(rotated)
	verification, err = next.Verify(t.Context(), hash, password)
	ok(t, err)
	equal(t, "after the rotation", verification, donjon.Verification{NeedsRehash: true})
	if _, err := next.VerifyAt(t.Context(), hash, password, time.Now().Add(2*time.Hour)); !errors.Is(err, donjon.ErrKeyExpired) {
		t.Errorf("after the overlap: %v", err)
	}
	if _, err := next.NeedsRehashAt(hash, time.Now().Add(2*time.Hour)); !errors.Is(err, donjon.ErrKeyExpired) {
		t.Errorf("after the overlap, rehash: %v", err)
	}
	needed, err := next.NeedsRehashAt(hash, time.Now())
	ok(t, err)
	equal(t, "need to rehash", needed, true)

	if _, err := newHasher(t, quick).Verify(t.Context(), hash, password); !errors.Is(err, donjon.ErrUnknownKey) {
		t.Errorf("without peppers: %v", err)
	}
	if _, err := withPeppers(peppers(t)).Verify(t.Context(), hash, password); !errors.Is(err, donjon.ErrUnknownKey) {
		t.Errorf("with other peppers: %v", err)
	}
	plain := hashOf(t, newHasher(t, quick), "correct horse")
	verification, err = hasher.Verify(t.Context(), plain, password)
	ok(t, err)
	equal(t, "a hash without pepper", verification, donjon.Verification{NeedsRehash: true})
	if _, err := donjon.NewHasher(donjon.HasherOptions{Peppers: newFixture(t).keys}); !errors.Is(err, donjon.ErrConfig) {
		t.Errorf("keys for something else: %v", err)
	}
}

// Sixty-four log-ins at once share a budget of four, and few threads.
func TestManyLogInsShareTheBudget(t *testing.T) {
	const budget = 64 << 10
	hasher := newHasher(t, donjon.HasherOptions{MemoryKiB: 16 << 10, TimeCost: 3, MemoryBudgetKiB: budget, AllowWeak: true, MaxWait: time.Minute})
	hash := hashOf(t, hasher, "correct horse")
	peakMemory(t)
	before, threads := peakMemory(t), pprof.Lookup("threadcreate").Count()
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			password, want := "correct horse", error(nil)
			if i%2 == 1 {
				password, want = "wrong", donjon.ErrPasswordMismatch
			}
			if _, err := hasher.Verify(t.Context(), hash, []byte(password)); !errors.Is(err, want) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if grown := peakMemory(t) - before; grown > budget+16<<10 {
		t.Errorf("grew by %d KiB on a budget of %d", grown, budget)
	}
	if more := pprof.Lookup("threadcreate").Count() - threads; more > 16 {
		t.Errorf("%d more threads", more)
	}
}

// peakMemory is the most that the process has had since it was last asked, in
// KiB.
func peakMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc")
	}
	kib, err := strconv.Atoi(string(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)[1]))
	ok(t, err)
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // resets VmHWM
		t.Skip(err)
	}
	return kib
}

func TestMoreHashesThanTheBudgetAreBusy(t *testing.T) {
	hasher := newHasher(t, donjon.HasherOptions{MemoryKiB: 64 << 10, TimeCost: 3, MemoryBudgetKiB: 64 << 10, NoWait: true})
	var group sync.WaitGroup
	outcomes := make(chan error, 16)
	for range cap(outcomes) {
		group.Go(func() {
			_, err := hasher.Hash(t.Context(), []byte("correct horse"))
			outcomes <- err
		})
	}
	group.Wait()
	close(outcomes)
	hashed, busy := 0, 0
	for err := range outcomes {
		switch {
		case err == nil:
			hashed++
		case errors.Is(err, donjon.ErrBusy):
			busy++
		default:
			t.Error(err)
		}
	}
	if hashed == 0 || busy == 0 {
		t.Errorf("%d hashed, %d busy", hashed, busy)
	}
	hashOf(t, hasher, "afterwards")
}

func TestWaitingCallLeavesWhenItsContextEnds(t *testing.T) {
	opts := donjon.HasherOptions{MemoryKiB: 64 << 10, TimeCost: 15, MemoryBudgetKiB: 64 << 10, MaxWait: time.Minute}
	hasher := newHasher(t, opts)
	var first time.Duration
	began := time.Now()
	var group sync.WaitGroup
	group.Go(func() {
		hashOf(t, hasher, "a hash of seconds")
		first = time.Since(began)
	})
	time.Sleep(100 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := hasher.Hash(ctx, []byte("another")); err != context.DeadlineExceeded {
		t.Error(err)
	}
	second := time.Since(began)
	group.Wait()
	if second >= first {
		t.Errorf("left after %v, the hash before took %v", second, first)
	}
}

func TestCancelledCallDoesNotHash(t *testing.T) {
	hasher := newHasher(t, quick)
	hash := hashOf(t, hasher, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := hasher.Hash(ctx, []byte("a"))
	_, verifyErr := hasher.Verify(ctx, hash, []byte("a"))
	for _, err := range []error{err, verifyErr, hasher.VerifyUnknownUser(ctx, []byte("a"))} {
		if err != context.Canceled {
			t.Error(err)
		}
	}
}

// A time that nobody has set would make every expired pepper good again.
func TestHasherWantsATime(t *testing.T) {
	hasher := newHasher(t, quick)
	hash, never := hashOf(t, hasher, "a"), time.Time{}
	_, err := hasher.HashAt(t.Context(), []byte("a"), never)
	_, verifyErr := hasher.VerifyAt(t.Context(), hash, []byte("a"), never)
	_, needsErr := hasher.NeedsRehashAt(hash, never)
	for _, err := range []error{err, verifyErr, needsErr, hasher.VerifyUnknownUserAt(t.Context(), []byte("a"), never)} {
		if !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Error(err)
		}
	}
}

func TestClosedHasherHashesNothing(t *testing.T) {
	hasher := newHasher(t, quick)
	hash := hashOf(t, hasher, "a")
	hasher.Close()
	_, err := hasher.Hash(t.Context(), []byte("a"))
	_, verifyErr := hasher.Verify(t.Context(), hash, []byte("a"))
	_, needsErr := hasher.NeedsRehash(hash)
	for _, err := range []error{err, verifyErr, needsErr, hasher.VerifyUnknownUser(t.Context(), nil)} {
		if !errors.Is(err, donjon.ErrClosed) {
			t.Error(err)
		}
	}
	var none *donjon.Hasher
	if err := none.VerifyUnknownUser(t.Context(), nil); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("no hasher: %v", err)
	}
	if _, err := none.NeedsRehash(hash); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("no hasher: %v", err)
	}
	keys := peppers(t)
	keys.Close()
	if _, err := donjon.NewHasher(donjon.HasherOptions{Peppers: keys}); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("with closed peppers: %v", err)
	}
}

func TestCloseDuringHashingIsNoUseAfterFree(t *testing.T) {
	for range 20 {
		hasher, err := donjon.NewHasher(quick)
		ok(t, err)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for {
					hash, err := hasher.Hash(t.Context(), []byte("a"))
					if errors.Is(err, donjon.ErrClosed) {
						return
					}
					if err != nil || hash == "" {
						t.Error(hash, err)
						return
					}
				}
			})
		}
		time.Sleep(time.Millisecond)
		hasher.Close()
		group.Wait()
	}
}

func TestHasherReadsTheDocumentOfTheKernel(t *testing.T) {
	hasher, err := donjon.ParseHasher(nil, []byte(`{"memory_kib":64,"time_cost":1,"allow_weak":true,"max_wait_ms":0}`))
	ok(t, err)
	defer hasher.Close()
	if hash := hashOf(t, hasher, "a"); !strings.Contains(hash, "$m=64,t=1,p=1$") {
		t.Errorf("hashed to %s", hash)
	}
	for _, config := range []string{"[]", "{", `{"memory":1}`, `{"MAX_WAIT_MS":0}`, `{"max_wait_ms":-1}`, `{"max_wait_ms":1.5}`} {
		if _, err := donjon.ParseHasher(nil, []byte(config)); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%s: %v", config, err)
		}
	}
}

// A reset is bound to the stored hash: the first use changes it.
func TestPasswordIsResetOnce(t *testing.T) {
	f := newFixture(t)
	tokens, hasher := newPurposeTokens(t, f.keys), newHasher(t, quick)
	store := &memoryStore{states: map[string][]byte{"ann": []byte(hashOf(t, hasher, "old"))}}
	ctx := t.Context()
	current := func() donjon.Binding {
		hash, err := store.Load(ctx, "ann")
		ok(t, err)
		return donjon.Binding{Purpose: "reset", Subject: "ann", State: string(hash)}
	}
	reset := func(token, password string) error {
		binding := current()
		return tokens.Consume(ctx, token, binding, func(ctx context.Context) (bool, error) {
			hash, err := hasher.Hash(ctx, []byte(password))
			if err != nil {
				return false, err
			}
			return store.Swap(ctx, "ann", []byte(binding.State), []byte(hash))
		})
	}
	for range 20 {
		token, err := tokens.Mint(current(), time.Hour)
		ok(t, err)
		var group sync.WaitGroup
		outcomes := make(chan error, 4)
		for i := range cap(outcomes) {
			group.Go(func() { outcomes <- reset(token, "new "+strconv.Itoa(i)) })
		}
		group.Wait()
		close(outcomes)
		used := 0
		for err := range outcomes {
			if err == nil {
				used++
			} else if !errors.Is(err, donjon.ErrInvalid) {
				t.Error(err)
			}
		}
		equal(t, "uses of one token", used, 1)
		if err := reset(token, "again"); !errors.Is(err, donjon.ErrInvalid) {
			t.Errorf("used again: %v", err)
		}
	}

	binding := current()
	token, err := tokens.Mint(binding, time.Hour)
	ok(t, err)
	other := binding
	other.Subject = "bob"
	purpose := binding
	purpose.Purpose = "verify-email"
	for name, err := range map[string]error{
		"another user":    tokens.Check(token, other),
		"another purpose": tokens.Check(token, purpose),
		"after its time":  tokens.CheckAt(token, binding, time.Now().Add(time.Hour)),
	} {
		if !errors.Is(err, donjon.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	store.states["ann"] = []byte(hashOf(t, hasher, "changed meanwhile"))
	if err := reset(token, "too late"); !errors.Is(err, donjon.ErrInvalid) {
		t.Errorf("after a change of the password: %v", err)
	}
}
