package donjon_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// testMaster is the base64url text of 32 bytes that are no secret.
const testMaster = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU"

func TestOneMasterMakesOneKeyring(t *testing.T) {
	t.Setenv("DONJON_TEST_MASTER", testMaster)
	one, err := donjon.KeyringFromMaster(testMaster)
	ok(t, err)
	defer one.Close()
	other, err := donjon.KeyringFromEnv("DONJON_TEST_MASTER")
	ok(t, err)
	defer other.Close()
	token := fixtureOf(t, one, donjon.EdDSA).access(t, "u")
	if _, err := fixtureOf(t, other, donjon.EdDSA).verifier.Verify(token); err != nil {
		t.Error(err)
	}
	if _, err := donjon.KeyringFromEnv("DONJON_TEST_NO_MASTER"); !errors.Is(err, donjon.ErrConfig) {
		t.Errorf("a missing variable: %v", err)
	}
}

func TestEpochsRotateAMaster(t *testing.T) {
	epoch := func(e donjon.Epoch) *donjon.Keyring {
		e.Purpose, e.Algorithm = donjon.PurposeToken, donjon.EdDSA
		keys, err := donjon.KeyringFromMaster(testMaster, e)
		ok(t, err)
		return keys
	}
	token := fixtureOf(t, epoch(donjon.Epoch{Current: 1}), donjon.EdDSA).access(t, "u")
	for name, c := range map[string]struct {
		epoch donjon.Epoch
		want  error
	}{
		"oldest kept": {donjon.Epoch{Current: 2, Oldest: 1}, nil},
		"forgotten":   {donjon.Epoch{Current: 2}, donjon.ErrUnknownKey},
		"disabled":    {donjon.Epoch{Current: 2, Oldest: 1, Disabled: []uint32{1}}, donjon.ErrKeyDisabled},
	} {
		if _, err := fixtureOf(t, epoch(c.epoch), donjon.EdDSA).verifier.Verify(token); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestRotationLogsNobodyOut(t *testing.T) {
	f := newFixture(t)
	token := f.access(t, "u")
	now := time.Now()
	rotated, err := f.keys.Rotate(donjon.Rotation{Overlap: time.Hour, Now: now})
	ok(t, err)
	g := fixtureOf(t, rotated, donjon.EdDSA)
	if _, err := g.verifier.Verify(token); err != nil {
		t.Errorf("the old token: %v", err)
	}
	newer := g.access(t, "u")
	if _, err := g.verifier.Verify(newer); err != nil {
		t.Errorf("the new token: %v", err)
	}
	if _, err := f.verifier.Verify(newer); err != nil {
		t.Errorf("the new token, where the rotation is not known yet: %v", err)
	}
	if _, err := g.verifier.VerifyAt(token, now.Add(2*time.Hour)); !errors.Is(err, donjon.ErrKeyExpired) {
		t.Errorf("the old token after the overlap: %v", err)
	}
}

func TestRotationSaysWhatBecomesOfTheOldKey(t *testing.T) {
	f := newFixture(t)
	for _, r := range []donjon.Rotation{{}, {Overlap: time.Hour, NoOverlap: true}} {
		if _, err := f.keys.Rotate(r); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if _, err := f.keys.Rotate(donjon.Rotation{NoOverlap: true}); err != nil {
		t.Error(err)
	}
}

func TestDisabledAndDestroyedKeysRefuse(t *testing.T) {
	f := newFixture(t)
	token := f.access(t, "u")
	claims, err := f.verifier.Verify(token)
	ok(t, err)
	rotated, err := f.keys.Rotate(donjon.Rotation{Overlap: time.Hour})
	ok(t, err)
	defer rotated.Close()
	for want, change := range map[error]func(string) (*donjon.Keyring, error){
		donjon.ErrKeyDisabled:  rotated.Disable,
		donjon.ErrKeyDestroyed: rotated.Destroy,
	} {
		keys, err := change(claims.KeyID())
		ok(t, err)
		if _, err := fixtureOf(t, keys, donjon.EdDSA).verifier.Verify(token); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if _, err := rotated.Disable("no such key"); err == nil {
		t.Error("disabled a key that is not there")
	}
}

func TestSecretsAreExportedOnlyAsSecrets(t *testing.T) {
	f := newFixture(t)
	secret, err := f.keys.SecretJWKS()
	ok(t, err)
	copied, err := donjon.ParseKeyring(secret)
	ok(t, err)
	if _, err := fixtureOf(t, copied, donjon.EdDSA).verifier.Verify(f.access(t, "u")); err != nil {
		t.Errorf("a keyring that was written and read: %v", err)
	}

	var set struct{ Keys []map[string]any }
	ok(t, json.Unmarshal(secret, &set))
	public, err := f.keys.PublicJWKS()
	ok(t, err)
	summary, err := f.keys.SummaryJSON()
	ok(t, err)
	shown := fmt.Sprintf("%v %+v %#v", f.keys, f.issuer, f.verifier)
	for _, key := range set.Keys {
		for _, member := range []string{"d", "k"} {
			material, has := key[member].(string)
			if has && (bytes.Contains(public, []byte(material)) || bytes.Contains(summary, []byte(material)) || strings.Contains(shown, material)) {
				t.Errorf("the material of %v is not kept", key["kid"])
			}
		}
	}
}

func TestSummaryDescribesTheKeys(t *testing.T) {
	f := newFixture(t)
	keys, err := f.keys.Summary()
	ok(t, err)
	equal(t, "number of keys", len(keys), 4)
	primaries := 0
	for _, key := range keys {
		if key.Status == donjon.KeyPrimary {
			primaries++
		} else {
			equal(t, "status of the next key", key.Status, donjon.KeyActive)
		}
		switch key.Purpose {
		case donjon.PurposeToken:
			equal(t, "token key", fmt.Sprint(key.KeyType, key.Algorithm), fmt.Sprint("OKP", donjon.EdDSA))
			if key.Thumbprint == "" {
				t.Error("no thumbprint")
			}
		case donjon.PurposeStateBinding:
			equal(t, "binding key", key.KeyType, "oct")
		default:
			t.Errorf("purpose %q", key.Purpose)
		}
		if age := time.Since(key.Created); age < 0 || age > time.Minute {
			t.Errorf("made %v ago", age)
		}
		equal(t, "end", key.NotAfter, time.Time{})
	}
	equal(t, "number of primary keys", primaries, 2)
}

func TestWeakSecretsAreRefused(t *testing.T) {
	for _, secret := range []string{"", "short", strings.Repeat("a", 32), strings.Repeat("changeme", 4)} {
		if _, err := donjon.KeyringFromSecret([]byte(secret), donjon.HS256, ""); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

func TestSecretWithoutIDSignsAndVerifies(t *testing.T) {
	keys, err := donjon.KeyringFromSecret([]byte("0e9a53c1b6f84d27a1c0d5e8937b46f2"), donjon.HS256, "")
	ok(t, err)
	f := fixtureOf(t, keys, donjon.HS256)
	claims, err := f.verifier.Verify(f.access(t, "u"))
	ok(t, err)
	equal(t, "key id", claims.KeyID(), "")
}

// testPEM is the private key of RFC 8410, section 10.3.
const testPEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
`

func TestPEMKeySignsAndVerifies(t *testing.T) {
	keys, err := donjon.KeyringFromPEM([]byte(testPEM), donjon.EdDSA, "pem")
	ok(t, err)
	f := fixtureOf(t, keys, donjon.EdDSA)
	claims, err := f.verifier.Verify(f.access(t, "u"))
	ok(t, err)
	equal(t, "key id", claims.KeyID(), "pem")
	for _, pem := range []string{"", "-----BEGIN PRIVATE KEY-----", testPEM[:60]} {
		if _, err := donjon.KeyringFromPEM([]byte(pem), donjon.EdDSA, ""); !errors.Is(err, donjon.ErrConfig) {
			t.Errorf("%q: %v", pem, err)
		}
	}
}

func TestImportedKeyVerifies(t *testing.T) {
	f, g := newFixture(t), newFixture(t)
	var set struct{ Keys []json.RawMessage }
	public, err := g.keys.PublicJWKS()
	ok(t, err)
	ok(t, json.Unmarshal(public, &set))
	both, err := f.keys.Import(set.Keys[0])
	ok(t, err)
	h := fixtureOf(t, both, donjon.EdDSA)
	for _, token := range []string{f.access(t, "u"), g.access(t, "u")} {
		if _, err := h.verifier.Verify(token); err != nil {
			t.Error(err)
		}
	}
}

func TestJWSIsVerifiedWithItsPayload(t *testing.T) {
	f := newFixture(t)
	token, err := f.keys.SignClaims("", "", []byte(`{"b":1,"a":[ ]}`))
	ok(t, err)
	jws, err := f.keys.VerifyJWS(token, donjon.EdDSA)
	ok(t, err)
	equal(t, "payload", string(jws.Payload), `{"b":1,"a":[]}`)
	equal(t, "algorithm", jws.Algorithm, donjon.EdDSA)
	if _, err := f.keys.VerifyJWS(token, donjon.HS256); err == nil {
		t.Error("verified by an algorithm that is not allowed")
	}
	if _, err := f.keys.VerifyJWS(token); !errors.Is(err, donjon.ErrConfig) {
		t.Errorf("no algorithms: %v", err)
	}
	header, err := donjon.UnverifiedHeader(token)
	ok(t, err)
	if !json.Valid(header) {
		t.Errorf("header is %s", header)
	}
}
