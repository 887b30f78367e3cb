package donjon_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

// hostile are texts that no correct caller passes.
var hostile = []string{
	"", "\x00", "a\x00b", "\xff\xfe", "\xed\xa0\x80", ".", "..", "...", "....", "a.b.c", strings.Repeat(".", 100_000),
	strings.Repeat("a", 1<<20), strings.Repeat("é", 1<<10), "{}", "[]", "null", `{"keys":`, "\u202e", `"`, `\`,
	strings.Repeat("[", 100_000), `{"keys":[{}]}`, `{"keys":[{"kty":"oct","k":""}]}`,
}

// Nothing that is passed in as a text makes the kernel crash, or pass.
func TestHostileTextsAreRefused(t *testing.T) {
	f := newFixture(t)
	tokens := newPurposeTokens(t, f.keys)
	policy := newPolicy(t, documents)
	good := f.access(t, "u")
	stored := newKeys(t)
	sealer := sealerOf(t, stored)
	for _, text := range hostile {
		shown := text[:min(len(text), 20)]
		refused := func(what string, err error) {
			t.Helper()
			var kernel *donjon.Error
			if !errors.As(err, &kernel) {
				t.Errorf("%s of %q: %v", what, shown, err)
			}
		}
		_, err := f.verifier.Verify(text)
		refused("verify", err)
		_, err = f.verifier.Verify(good + text + ".")
		refused("verify", err)
		_, err = f.keys.VerifyJWS(text, donjon.EdDSA)
		refused("verify JWS", err)
		_, err = f.keys.VerifyJWS(good, donjon.Algorithm(text))
		refused("algorithm", err)
		_, err = donjon.UnverifiedHeader(text)
		refused("header", err)
		_, err = donjon.ParseKeyring([]byte(text))
		refused("parse keyring", err)
		_, err = donjon.KeyringFromPEM([]byte(text), donjon.EdDSA, "")
		refused("PEM", err)
		_, err = donjon.KeyringFromPEM([]byte(testPEM), donjon.Algorithm(text), "")
		refused("algorithm of PEM", err)
		_, err = donjon.KeyringFromMaster(text)
		refused("master", err)
		_, err = f.keys.Import([]byte(text))
		refused("import", err)
		_, err = f.keys.Disable(text)
		refused("disable", err)
		_, err = f.keys.Rotate(donjon.Rotation{Algorithm: donjon.Algorithm("x" + text), NoOverlap: true})
		refused("rotate", err)
		_, err = donjon.ParseVerifier(f.keys, []byte(text))
		refused("verifier", err)
		_, err = donjon.ParseIssuer(f.keys, []byte(text))
		refused("issuer", err)
		_, err = f.keys.SignClaims("x"+text, "", []byte("{}"))
		refused("sign by key", err)
		if !strings.HasPrefix(text, "{") || !json.Valid([]byte(text)) {
			_, err = f.keys.SignClaims("", "", []byte(text))
			refused("sign", err)
		}
		_, err = tokens.Mint(donjon.Binding{Purpose: "Q" + text, Subject: "u"}, time.Minute)
		refused("purpose", err)
		refused("check", tokens.Check(text, donjon.Binding{Purpose: "reset", Subject: "u"}))
		_, err = donjon.DecideRefresh(donjon.RefreshUse{State: []byte("x" + text), Family: text})
		refused("refresh state", err)
		verdict, err := donjon.DecideRefresh(donjon.RefreshUse{Family: text})
		refused("refresh", cmp.Or(err, verdict.Refusal))
		if text != "" && text != "{}" {
			_, err = donjon.ParseHasher(nil, []byte(text))
			refused("hasher", err)
		}
		_, err = donjon.NewHasher(donjon.HasherOptions{Preset: donjon.HashPreset("x" + text)})
		refused("preset", err)
		_, err = donjon.CheckStrength(nil, nil, donjon.StrengthProfile("x"+text))
		refused("profile", err)
		_, err = donjon.BreachCount(nil, []byte(text))
		refused("breach", err)
		_, err = donjon.ParsePolicy([]byte(text))
		refused("policy", err)
		_, err = donjon.ShippedPolicy(text)
		refused("shipped policy", err)
		refused("permission", policy.CheckPermission(text))
		refused("role", policy.CheckRole(text))
		refused("assignment", policy.CheckAssignment([]string{text}, text, 0))
		if text != "" {
			_, _, err = donjon.ImportCasbin([]byte(text))
			refused("casbin", err)
		}
		for _, s := range []sealing{sealer, newDataKey(t), passphraseSealer(t, "a")} {
			_, err = s.Open(here, []byte(text))
			refused("envelope", err)
			_, err = s.NewReader(strings.NewReader(text), here, nil)
			refused("stream", err)
			_, err = s.NewReaderAt(strings.NewReader(text), int64(len(text)), here, nil)
			refused("file", err)
		}
		_, err = sealer.OpenDataKey([]byte(text), text)
		refused("data key", err)
		_, err = sealer.Rewrap([]byte(text), nil)
		refused("rewrap", err)
		_, err = sealer.NeedsRewrap([]byte(text))
		refused("needs rewrap", err)
		_, err = stored.OpenSetting("a", text)
		refused("setting", err)
		_, err = stored.OpenSetting("a", "sealed:"+text)
		refused("sealed setting", err)
		_, err = stored.Erasure([]string{text}, time.Time{})
		refused("erasure", err)
		_, err = donjon.ParseLimits(text)
		refused("limits", err)
		_, err = donjon.NewLimits(donjon.LimitsOptions{Limits: "5/minute", Algorithm: donjon.LimitAlgorithm("x" + text)})
		refused("algorithm of limits", err)
		_, err = donjon.LimitProfile(text)
		refused("profile of limits", err)
		_, err = donjon.LimitsFromConfig([]byte(text))
		refused("configuration of limits", err)
		_, err = donjon.NewProxies(donjon.ProxiesOptions{Header: donjon.ProxyHeader("x" + text)})
		refused("header", err)
		_, err = donjon.NewProxies(donjon.ProxiesOptions{Header: donjon.Forwarded, Trusted: []string{text}})
		refused("trusted", err)
		_, err = (*donjon.Proxies)(nil).ClientOf(text, []string{text, text})
		refused("peer", err)
		_, err = donjon.NewFernet(text)
		refused("fernet key", err)
		_, err = donjon.ChunkedOpen([]byte(testDataKey), []byte(text), []byte(text))
		refused("chunked", err)
	}
}

// What is granted is minted as it is, or refused: never cut, never repaired.
func TestHostileGrantsAreMintedExactlyOrNotAtAll(t *testing.T) {
	f := newFixture(t)
	for _, text := range hostile {
		shown := text[:min(len(text), 20)]
		for what, grant := range map[string]donjon.Grant{
			"subject":    {Subject: text},
			"permission": {Subject: "u", Permissions: []string{text}},
			"role":       {Subject: "u", Roles: []string{text, text}},
		} {
			token, err := f.issuer.Access(grant)
			if err != nil {
				continue
			}
			claims, err := f.verifier.Verify(token)
			if err != nil {
				t.Errorf("%s %q was minted, but not verified: %v", what, shown, err)
				continue
			}
			equal(t, "subject", claims.Subject(), grant.Subject)
			equal(t, "permissions", strings.Join(claims.Permissions(), "|"), strings.Join(grant.Permissions, "|"))
			equal(t, "roles", strings.Join(claims.Roles(), "|"), strings.Join(grant.Roles, "|"))
		}
	}
	for name, grant := range map[string]donjon.Grant{
		"nobody":                {},
		"a registered claim":    {Subject: "u", Claims: map[string]any{"exp": 1}},
		"permissions twice":     {Subject: "u", Permissions: []string{"a"}, Claims: map[string]any{"permissions": []string{"b"}}},
		"permissions, no list":  {Subject: "u", Claims: map[string]any{"permissions": "a"}},
		"a claim not UTF-8":     {Subject: "u", Claims: map[string]any{"\xff": 1}},
		"a huge claim":          {Subject: "u", Claims: map[string]any{"a": strings.Repeat("a", 10<<20)}},
		"a life in the past":    {Subject: "u", TTL: -time.Second},
		"a life under a second": {Subject: "u", TTL: time.Millisecond},
		"no JSON":               {Subject: "u", Claims: map[string]any{"a": func() {}}},
	} {
		if token, err := f.issuer.Access(grant); err == nil {
			t.Errorf("%s: minted %s", name, token)
		}
	}
}
