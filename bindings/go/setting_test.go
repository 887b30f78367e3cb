package donjon_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestSettingOpensUnderItsName(t *testing.T) {
	keys := newKeys(t)
	for _, value := range []string{"", "postgres://user:secret@db/app", strings.Repeat("é", 10_000)} {
		text, err := keys.SealSetting("DATABASE_URL", value)
		ok(t, err)
		if !strings.HasPrefix(text, "sealed:") || value != "" && strings.Contains(text, value) {
			t.Errorf("sealed as %s", text)
		}
		opened, err := keys.OpenSetting("DATABASE_URL", text)
		ok(t, err)
		equal(t, "value", opened, value)
		for _, name := range []string{"", "DATABASE_URL2", "database_url"} {
			if _, err := keys.OpenSetting(name, text); !errors.Is(err, donjon.ErrDecryptFailed) {
				t.Errorf("as %q: %v", name, err)
			}
		}
		if _, err := newKeys(t).OpenSetting("DATABASE_URL", text); !errors.Is(err, donjon.ErrUnknownKey) {
			t.Errorf("by another key: %v", err)
		}
		for n := len("sealed:"); n < len(text); n += 13 {
			if _, err := keys.OpenSetting("DATABASE_URL", text[:n]); err == nil {
				t.Errorf("opened %d of %d characters", n, len(text))
			}
		}
	}
}

func TestSettingInTheClearIsNoSealedOne(t *testing.T) {
	keys := newKeys(t)
	for _, text := range []string{"", "postgres://evil", "SEALED:", "sealed", " sealed:"} {
		if _, err := keys.OpenSetting("DATABASE_URL", text); !errors.Is(err, donjon.ErrMalformed) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSettingsAreOpenedWhereTheyAreSealed(t *testing.T) {
	keys := newKeys(t)
	url, err := keys.SealSetting("DATABASE_URL", "postgres://secret")
	ok(t, err)
	settings := map[string]string{"DATABASE_URL": url, "PORT": "8080", "EMPTY": ""}
	opened, err := keys.OpenSettings(settings)
	ok(t, err)
	if !maps.Equal(opened, map[string]string{"DATABASE_URL": "postgres://secret", "PORT": "8080", "EMPTY": ""}) {
		t.Errorf("opened %v", opened)
	}
	equal(t, "what was passed", settings["DATABASE_URL"], url)

	settings["OTHER_URL"] = url
	opened, err = keys.OpenSettings(settings)
	if !errors.Is(err, donjon.ErrDecryptFailed) || !strings.Contains(err.Error(), "OTHER_URL") || opened != nil {
		t.Errorf("moved to another name: %v", err)
	}
}
