package donjon_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestWhatIsSealedOpensWhereItBelongs(t *testing.T) {
	for source, s := range sealings(t) {
		for _, size := range sizes {
			plaintext := text(size)
			envelope := sealed(t, s, plaintext)
			opened, err := s.Open(here, envelope)
			ok(t, err)
			same(t, fmt.Sprintf("%s, %d", source, size), opened, plaintext)
			if opened == nil {
				t.Errorf("%s, %d: nothing is not empty", source, size)
			}
			for name, context := range elsewhere {
				opened, err := s.Open(context, envelope)
				mustNotOpen(t, source+", "+name, opened, err)
			}
			if again := sealed(t, s, plaintext); bytes.Equal(again, envelope) {
				t.Errorf("%s: sealed alike twice", source)
			}
		}
	}
}

func TestEnvelopeOfOneSourceOpensUnderNoOther(t *testing.T) {
	all, others := sealings(t), sealings(t)
	others["passphrase"] = passphraseSealer(t, "battery staple")
	others["external"] = externalSealer(t, strings.ToUpper(testDataKey), "kms/1", "wrapped")
	for source, s := range all {
		envelope := sealed(t, s, []byte("secret"))
		for name, other := range others {
			opened, err := other.Open(here, envelope)
			if source == "keyring" && name == source {
				if !errors.Is(err, donjon.ErrUnknownKey) || opened != nil {
					t.Errorf("another keyring: %v", err)
				}
				continue
			}
			mustNotOpen(t, source+" by "+name, opened, err)
		}
	}
}

func TestSealersOfAnExternalKeyAreToldApart(t *testing.T) {
	envelope := sealed(t, externalSealer(t, testDataKey, "kms/1", "wrapped"), nil)
	if _, err := externalSealer(t, testDataKey, "kms/2", "wrapped").Open(here, envelope); !errors.Is(err, donjon.ErrUnknownKey) {
		t.Errorf("another key id: %v", err)
	}
	opened, err := externalSealer(t, testDataKey, "kms/1", "unwrapped").Open(here, envelope)
	mustNotOpen(t, "another wrapped key", opened, err)
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	for source, s := range sealings(t) {
		envelope := sealed(t, s, []byte("secret"))
		info, err := donjon.InspectEnvelope(envelope)
		ok(t, err)
		for i := range envelope {
			if source == "passphrase" && i >= 22 && i < 34 {
				continue // Argon2id's parameters, which might ask for much: see below
			}
			for bit := range 8 {
				flipped := slices.Clone(envelope)
				flipped[i] ^= 1 << bit
				opened, err := s.Open(here, flipped)
				if i < info.HeaderLen && errors.Is(err, donjon.ErrUnknownKey) && opened == nil {
					continue // an id of which there is no key
				}
				mustNotOpen(t, fmt.Sprintf("%s, bit %d of byte %d", source, bit, i), opened, err)
			}
		}
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	for source, s := range sealings(t) {
		envelope := sealed(t, s, []byte("secret"))
		for n := range envelope {
			opened, err := s.Open(here, envelope[:n])
			mustNotOpen(t, fmt.Sprintf("%s, %d bytes", source, n), opened, err)
		}
		opened, err := s.Open(here, append(envelope, 0))
		mustNotOpen(t, source+", a byte more", opened, err)
	}
}

func TestChunksThatAreMovedAreNoticed(t *testing.T) {
	const chunk = 16384 + 16
	for source, s := range sealings(t) {
		envelope := sealed(t, s, text(3*16384))
		begin := len(envelope) - 3*chunk - 16
		a, b, c, end := envelope[begin:begin+chunk], envelope[begin+chunk:begin+2*chunk], envelope[begin+2*chunk:begin+3*chunk], envelope[begin+3*chunk:]
		for name, chunks := range map[string][][]byte{
			"swapped":    {b, a, c, end},
			"dropped":    {a, c, end},
			"repeated":   {a, b, b, c, end},
			"no end":     {a, b, c},
			"the end":    {end},
			"two ends":   {a, b, c, end, end},
			"a part":     {a, b, c[:100]},
			"no first":   {b, c, end},
			"no payload": nil,
		} {
			opened, err := s.Open(here, append(slices.Clone(envelope[:begin]), slices.Concat(chunks...)...))
			mustNotOpen(t, source+", "+name, opened, err)
		}
	}
}

// Kinds of envelopes do not pass for one another, though all are made with one key.
func TestPayloadOfOneKindIsNoneOfAnother(t *testing.T) {
	sealer := newSealer(t)
	key, wrapped, err := sealer.NewDataKey("acme")
	ok(t, err)
	defer key.Close()
	cell, envelope := sealed(t, key, []byte("secret")), sealed(t, sealer, []byte("secret"))
	payload := func(envelope []byte) ([]byte, []byte) {
		info, err := donjon.InspectEnvelope(envelope)
		ok(t, err)
		return envelope[:info.HeaderLen], envelope[info.HeaderLen:]
	}
	cellHeader, cellPayload := payload(cell)
	header, envelopePayload := payload(envelope)
	for name, c := range map[string]struct {
		s        sealing
		envelope []byte
	}{
		"a cell's payload in an envelope":    {sealer, slices.Concat(header, cellPayload)},
		"an envelope's payload in a cell":    {key, slices.Concat(cellHeader, envelopePayload)},
		"a cell under the data key's header": {sealer, slices.Concat(wrapped, cellPayload)},
		"a wrapped data key":                 {sealer, wrapped},
		"a cell by the sealer":               {sealer, cell},
		"an envelope by the data key":        {key, envelope},
	} {
		opened, err := c.s.Open(here, c.envelope)
		mustNotOpen(t, name, opened, err)
	}
	for name, envelope := range map[string][]byte{"a cell": cell, "an envelope": envelope, "nothing": nil} {
		if _, err := sealer.OpenDataKey(envelope, "acme"); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%s as a data key: %v", name, err)
		}
	}
}

func TestAppendedToWhatIsThere(t *testing.T) {
	s := newDataKey(t)
	for _, room := range []int{0, 1, 1 << 20} {
		for _, size := range sizes {
			plaintext := text(size)
			before := func() []byte { return append(make([]byte, 0, room), "before"...) }
			envelope, err := s.AppendSeal(before(), here, plaintext)
			ok(t, err)
			same(t, "what was before the envelope", envelope[:6], []byte("before"))
			opened, err := s.AppendOpen(before(), here, envelope[6:])
			ok(t, err)
			same(t, "what was opened", opened, append([]byte("before"), plaintext...))
		}
	}
}

func TestOverlapIsRefused(t *testing.T) {
	s := newDataKey(t)
	room := make([]byte, 1000)
	copy(room, "secret")
	if _, err := s.AppendSeal(room[:0], here, room[:6]); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("sealed in place: %v", err)
	}
	envelope := sealed(t, s, []byte("secret"))
	if _, err := s.AppendOpen(envelope[:0], here, envelope); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("opened in place: %v", err)
	}
}

// Whatever is wrong is found out before a byte of it is given away.
func TestFailedOpenLeavesNoPlaintextBehind(t *testing.T) {
	secret := bytes.Repeat([]byte("secret"), 10_000)
	for source, s := range sealings(t) {
		envelope := sealed(t, s, secret)
		envelope[len(envelope)-1] ^= 1
		dst := make([]byte, 0, len(envelope))
		if opened, err := s.AppendOpen(dst, here, envelope); err == nil || opened != nil {
			t.Errorf("%s: opened", source)
		}
		if bytes.Contains(dst[:cap(dst)], []byte("secret")) {
			t.Errorf("%s: plaintext that is not authentic", source)
		}
	}
}

func TestContextHasToBeGiven(t *testing.T) {
	s := newSealer(t)
	envelope := sealed(t, s, nil)
	var none donjon.Context
	for name, context := range map[string]donjon.Context{"none": none, "none, and a row": none.With("42")} {
		_, sealing := s.Seal(context, nil)
		_, opening := s.Open(context, envelope)
		_, writing := s.NewWriter(new(bytes.Buffer), context, nil)
		_, reading := s.NewReader(bytes.NewReader(envelope), context, nil)
		_, readingAt := s.NewReaderAt(bytes.NewReader(envelope), int64(len(envelope)), context, nil)
		for _, err := range []error{sealing, opening, writing, reading, readingAt} {
			if !errors.Is(err, donjon.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	anywhere, err := s.Seal(donjon.ContextOf(), []byte("x"))
	ok(t, err)
	_, err = s.Open(donjon.ContextOf(), anywhere)
	ok(t, err)
}

func TestContextIsTheListOfItsParts(t *testing.T) {
	s := newDataKey(t)
	envelope := sealed(t, s, []byte("secret"))
	users := donjon.ContextOf("acme").With("users")
	for name, context := range map[string]donjon.Context{
		"part by part": users.With("email").With("42"),
		"with none":    users.With().With("email", "42"),
	} {
		if _, err := s.Open(context, envelope); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	names, emails := users.With("name"), users.With("email") // share nothing that one overwrites of the other
	if _, err := s.Open(emails.With("42"), envelope); err != nil {
		t.Error(err)
	}
	opened, err := s.Open(names.With("42"), envelope)
	mustNotOpen(t, "another column", opened, err)
}

func TestContextIsBounded(t *testing.T) {
	s := newDataKey(t)
	longest := strings.Repeat("a", donjon.MaxContextLen-4)
	for name, c := range map[string]struct {
		context donjon.Context
		want    error
	}{
		"the longest":        {donjon.ContextOf(longest), nil},
		"a byte more":        {donjon.ContextOf(longest + "a"), donjon.ErrTooLarge},
		"a part more":        {donjon.ContextOf(longest, ""), donjon.ErrTooLarge},
		"a part on it":       {donjon.ContextOf(longest).With(""), donjon.ErrTooLarge},
		"far more":           {donjon.ContextOf(strings.Repeat("a", 1<<20)), donjon.ErrTooLarge},
		"too much, and more": {donjon.ContextOf(longest, "a").With("b"), donjon.ErrTooLarge},
	} {
		if _, err := s.Seal(c.context, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestKeyRotationKeepsWhatIsSealed(t *testing.T) {
	keys := newKeys(t)
	old := sealerOf(t, keys)
	envelope := sealed(t, old, text(20_000))
	_, wrapped, err := old.NewDataKey("acme")
	ok(t, err)

	rotated, err := keys.Rotate(donjon.Rotation{Purpose: donjon.PurposeEnvelope})
	ok(t, err)
	defer rotated.Close()
	current := sealerOf(t, rotated)
	if current.KeyID() == old.KeyID() {
		t.Error("not rotated")
	}
	opened, err := current.OpenAt(here, envelope, time.Now().AddDate(100, 0, 0))
	ok(t, err)
	same(t, "opened in a hundred years", opened, text(20_000))

	for name, stored := range map[string][]byte{"an envelope": envelope, "a data key": wrapped} {
		for s, want := range map[*donjon.Sealer]bool{old: false, current: true} {
			got, err := s.NeedsRewrap(stored)
			ok(t, err)
			equal(t, name+" needs rewrap", got, want)
		}
	}
	rewrapped, err := current.Rewrap(envelope, nil)
	ok(t, err)
	needed, err := current.NeedsRewrap(rewrapped)
	ok(t, err)
	equal(t, "still needs rewrap", needed, false)
	info, err := donjon.InspectEnvelope(envelope)
	ok(t, err)
	same(t, "payload", rewrapped[len(rewrapped)-len(envelope)+info.HeaderLen:], envelope[info.HeaderLen:])

	ended, err := rotated.Destroy(old.KeyID())
	ok(t, err)
	defer ended.Close()
	survivor := sealerOf(t, ended)
	opened, err = survivor.Open(here, rewrapped)
	ok(t, err)
	same(t, "rewrapped", opened, text(20_000))
	if _, err := survivor.Open(here, envelope); !errors.Is(err, donjon.ErrKeyDestroyed) {
		t.Errorf("by a destroyed key: %v", err)
	}
}

func TestRotationForDataAtRestHasNoOverlap(t *testing.T) {
	keys := newKeys(t)
	for _, purpose := range []donjon.Purpose{donjon.PurposeEnvelope, donjon.PurposeBlindIndex, donjon.PurposeSettings} {
		for _, r := range []donjon.Rotation{{Purpose: purpose, Overlap: time.Hour}, {Purpose: purpose, NoOverlap: true}} {
			if _, err := keys.Rotate(r); !errors.Is(err, donjon.ErrConfig) {
				t.Errorf("%+v: %v", r, err)
			}
		}
	}
}

func TestKeysThatMayNotBeUsedAreSaidSo(t *testing.T) {
	keys := newKeys(t)
	old := sealerOf(t, keys)
	envelope := sealed(t, old, nil)
	rotated, err := keys.Rotate(donjon.Rotation{Purpose: donjon.PurposeEnvelope})
	ok(t, err)
	defer rotated.Close()
	ending, err := rotated.SetStatus(old.KeyID(), donjon.KeyVerifyOnly, at)
	ok(t, err)
	disabled, err := rotated.Disable(old.KeyID())
	ok(t, err)
	destroyed, err := rotated.Destroy(old.KeyID())
	ok(t, err)
	for name, c := range map[string]struct {
		keys *donjon.Keyring
		want error
	}{
		"ended":     {ending, donjon.ErrKeyExpired},
		"disabled":  {disabled, donjon.ErrKeyDisabled},
		"destroyed": {destroyed, donjon.ErrKeyDestroyed},
		"another":   {newKeys(t), donjon.ErrUnknownKey},
	} {
		s := sealerOf(t, c.keys)
		_, opening := s.Open(here, envelope)
		_, reading := s.NewReader(bytes.NewReader(envelope), here, nil)
		_, readingAt := s.NewReaderAt(bytes.NewReader(envelope), int64(len(envelope)), here, nil)
		_, rewrapping := s.Rewrap(envelope, nil)
		for _, err := range []error{opening, reading, readingAt, rewrapping} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	}
	s := sealerOf(t, ending)
	if _, err := s.OpenAt(here, envelope, at.Add(-time.Second)); err != nil {
		t.Errorf("before its end: %v", err)
	}
	if _, err := s.OpenAt(here, envelope, time.Time{}); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("at no time: %v", err)
	}
}

func TestRewrapChangesThePassphrase(t *testing.T) {
	old, next := passphraseSealer(t, "correct horse"), passphraseSealer(t, "battery staple")
	envelope := sealed(t, old, []byte("secret"))
	rewrapped, err := old.Rewrap(envelope, next)
	ok(t, err)
	opened, err := next.Open(here, rewrapped)
	ok(t, err)
	equal(t, "opened", string(opened), "secret")
	opened, err = old.Open(here, rewrapped)
	mustNotOpen(t, "by the old passphrase", opened, err)
	_, err = next.Rewrap(envelope, old)
	mustNotOpen(t, "rewrapped by who cannot open it", nil, err)
	if _, err := old.Rewrap(envelope, newSealer(t)); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("rewrapped as another kind: %v", err)
	}
	if _, err := old.Rewrap(envelope, new(donjon.Sealer)); !errors.Is(err, donjon.ErrClosed) {
		t.Errorf("rewrapped by nobody: %v", err)
	}
}

func TestPassphraseEnvelopeSaysWhatItCosts(t *testing.T) {
	envelope := sealed(t, passphraseSealer(t, "correct horse"), nil)
	info, err := donjon.InspectEnvelope(envelope)
	ok(t, err)
	equal(t, "kind", info.Kind, donjon.PassphraseEnvelope)
	equal(t, "key id", info.KeyID, "")
	equal(t, "parameters", info.Passphrase, *cheap)

	envelope[22] = 0xff // of the memory, in KiB
	began := time.Now()
	if _, err := passphraseSealer(t, "correct horse").Open(here, envelope); !errors.Is(err, donjon.ErrParamsOutOfBounds) {
		t.Errorf("4 TiB: %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("refused after %v", took)
	}
	for name, c := range map[string]struct {
		passphrase string
		opts       *donjon.PassphraseOptions
		want       error
	}{
		"no passphrase": {"", cheap, donjon.ErrInvalidArgument},
		"a long one":    {strings.Repeat("a", 4097), cheap, donjon.ErrTooLarge},
		"4 TiB":         {"a", &donjon.PassphraseOptions{MemoryKiB: 1<<32 - 1, TimeCost: 1, Parallelism: 1}, donjon.ErrParamsOutOfBounds},
		"no memory":     {"a", &donjon.PassphraseOptions{MemoryKiB: 7, TimeCost: 1, Parallelism: 1}, donjon.ErrParamsOutOfBounds},
	} {
		if _, err := donjon.SealerFromPassphrase([]byte(c.passphrase), c.opts); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestInspectionSaysWhatOpensAnEnvelope(t *testing.T) {
	sealer := newSealer(t)
	key, wrapped, err := sealer.NewDataKey("acme")
	ok(t, err)
	defer key.Close()
	external := externalSealer(t, testDataKey, "kms/1", "wrapped")
	for _, c := range []struct {
		envelope []byte
		kind     donjon.EnvelopeKind
		keyID    string
	}{
		{sealed(t, sealer, nil), donjon.SelfContainedEnvelope, sealer.KeyID()},
		{wrapped, donjon.DataKeyEnvelope, sealer.KeyID()},
		{sealed(t, key, nil), donjon.CellEnvelope, key.KeyID()},
		{sealed(t, external, nil), donjon.ExternalEnvelope, "kms/1"},
	} {
		info, err := donjon.InspectEnvelope(c.envelope)
		ok(t, err)
		equal(t, "kind", info.Kind, c.kind)
		equal(t, "key id", info.KeyID, c.keyID)
		equal(t, "parameters", info.Passphrase, donjon.PassphraseOptions{})
		if c.kind == donjon.ExternalEnvelope {
			equal(t, "wrapped key", string(info.WrappedKey), "wrapped")
		}
		prefix := c.envelope[:min(len(c.envelope), donjon.EnvelopePrefixMax)]
		again, err := donjon.InspectEnvelope(prefix)
		ok(t, err)
		equal(t, "header of the prefix", again.HeaderLen, info.HeaderLen)
	}
	for _, no := range hostile {
		if _, err := donjon.InspectEnvelope([]byte(no)); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%q: %v", no[:min(len(no), 20)], err)
		}
	}
}

func TestCellsAreSmall(t *testing.T) {
	key := newDataKey(t)
	for _, size := range sizes {
		equal(t, "overhead", len(sealed(t, key, text(size)))-size, 96+size/16384*16)
	}
}

func TestDataKeyIsWrappedForItsScope(t *testing.T) {
	for source, s := range map[string]*donjon.Sealer{
		"keyring": newSealer(t), "passphrase": passphraseSealer(t, "correct horse"), "external": externalSealer(t, testDataKey, "kms/1", "wrapped"),
	} {
		key, wrapped, err := s.NewDataKey("acme")
		ok(t, err)
		defer key.Close()
		cell := sealed(t, key, []byte("secret"))

		unwrapped, err := s.OpenDataKey(wrapped, "acme")
		ok(t, err)
		defer unwrapped.Close()
		equal(t, source+": id", unwrapped.KeyID(), key.KeyID())
		opened, err := unwrapped.Open(here, cell)
		ok(t, err)
		equal(t, source+": opened", string(opened), "secret")

		for _, scope := range []string{"", "acm", "acme ", "emca"} {
			if _, err := s.OpenDataKey(wrapped, scope); !errors.Is(err, donjon.ErrDecryptFailed) {
				t.Errorf("%s, scope %q: %v", source, scope, err)
			}
		}
		for n := range wrapped {
			if _, err := s.OpenDataKey(wrapped[:n], "acme"); !errors.Is(err, donjon.ErrDecryptFailed) {
				t.Errorf("%s, %d bytes of it: %v", source, n, err)
			}
		}
		opened, err = s.Open(here, wrapped)
		mustNotOpen(t, source+": a data key as an envelope", opened, err)

		other, _, err := s.NewDataKey("acme")
		ok(t, err)
		defer other.Close()
		opened, err = other.Open(here, cell)
		mustNotOpen(t, source+": by another data key", opened, err)

		rewrapped, err := s.RewrapDataKey(wrapped, "acme", nil)
		ok(t, err)
		if bytes.Equal(rewrapped, wrapped) {
			t.Errorf("%s: rewrapped alike", source)
		}
		_, err = s.OpenDataKey(rewrapped, "acme")
		ok(t, err)

		to := newSealer(t)
		moved, err := s.RewrapDataKey(wrapped, "acme", to)
		ok(t, err)
		again, err := to.OpenDataKey(moved, "acme")
		ok(t, err)
		defer again.Close()
		equal(t, source+": id after rewrapping", again.KeyID(), key.KeyID())
		if _, err := s.RewrapDataKey(wrapped, "emca", to); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%s: rewrapped for another scope: %v", source, err)
		}
	}
}

func TestSealerNeedsItsKeys(t *testing.T) {
	tokens, err := donjon.GenerateKeyring(nil)
	ok(t, err)
	defer tokens.Close()
	_, sealer := donjon.NewSealer(tokens)
	_, index := donjon.NewBlindIndex(tokens, donjon.BlindIndexOptions{Table: "users", Column: "email", Bits: 32})
	for name, err := range map[string]error{"sealer": sealer, "blind index": index} {
		var refusal *donjon.ConfigError
		if !errors.As(err, &refusal) || !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tokens.SealSetting("A", "b"); !errors.Is(err, donjon.ErrConfig) {
		t.Errorf("setting: %v", err)
	}
	for name, key := range map[string]donjon.ExternalKey{
		"none":            {},
		"a short key":     {DataKey: []byte("short"), KeyID: "kms/1", Wrapped: []byte("w")},
		"no id":           {DataKey: []byte(testDataKey), Wrapped: []byte("w")},
		"a new line":      {DataKey: []byte(testDataKey), KeyID: "kms\n1", Wrapped: []byte("w")},
		"nothing wrapped": {DataKey: []byte(testDataKey), KeyID: "kms/1"},
		"too much":        {DataKey: []byte(testDataKey), KeyID: "kms/1", Wrapped: make([]byte, 6145)},
	} {
		if _, err := donjon.SealerFromExternal(key); !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("external key, %s: %v", name, err)
		}
	}
}

func TestClosedSealerSealsNothing(t *testing.T) {
	for source, s := range sealings(t) {
		envelope := sealed(t, s, []byte("secret"))
		s.Close()
		s.Close()
		_, sealing := s.Seal(here, nil)
		_, opening := s.Open(here, envelope)
		_, writing := s.NewWriter(new(bytes.Buffer), here, nil)
		_, reading := s.NewReader(bytes.NewReader(envelope), here, nil)
		_, storing := donjon.EncryptedString{Cell: s.Cell(here)}.Value()
		for _, err := range []error{sealing, opening, writing, reading, storing} {
			if !errors.Is(err, donjon.ErrClosed) {
				t.Errorf("%s: %v", source, err)
			}
		}
	}
}

func TestChunkedMessagesOpen(t *testing.T) {
	key := []byte(testDataKey)
	for _, size := range sizes {
		message, err := donjon.ChunkedSeal(key, []byte("context"), text(size))
		ok(t, err)
		opened, err := donjon.ChunkedOpen(key, []byte("context"), message)
		ok(t, err)
		same(t, "opened", opened, text(size))
		opened, err = donjon.ChunkedOpen(key, []byte("contexu"), message)
		mustNotOpen(t, "another context", opened, err)
		opened, err = donjon.ChunkedOpen(key, []byte("context"), message[:len(message)-1])
		mustNotOpen(t, "cut off", opened, err)
		opened, err = donjon.ChunkedOpen([]byte(strings.ToUpper(testDataKey)), []byte("context"), message)
		mustNotOpen(t, "another key", opened, err)
	}
	for _, size := range []int{0, 31, 33, 64} {
		if _, err := donjon.ChunkedSeal(make([]byte, size), nil, nil); !errors.Is(err, donjon.ErrInvalidArgument) {
			t.Errorf("a key of %d bytes: %v", size, err)
		}
	}
}
