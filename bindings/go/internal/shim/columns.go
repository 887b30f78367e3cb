package shim

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
)

func withKeyring(keys []byte, use func(*donjon.Keyring) error) error {
	keyring, err := donjon.ParseKeyring(keys)
	if err != nil {
		return err
	}
	defer keyring.Close()
	return use(keyring)
}

func blindIndex(r *request) func(*answer) error {
	keys, now := r.raw("keyring"), time.Unix(r.optionalInt("now_s", 0), 0)
	column := donjon.BlindIndexOptions{
		Tenant: r.text("tenant"), Table: r.text("table"), Column: r.text("column"), Bits: r.u32("bits"),
	}
	value := r.hex("value_hex")
	return func(a *answer) error {
		return withKeyring(keys, func(keyring *donjon.Keyring) error {
			index, err := donjon.NewBlindIndex(keyring, column)
			if err != nil {
				return err
			}
			defer index.Close()
			stored, err := index.ValueAt(value, now)
			if err != nil {
				return err
			}
			candidates, err := index.CandidatesAt(value, now)
			texts := make([]string, len(candidates))
			for i, candidate := range candidates {
				texts[i] = hex.EncodeToString(candidate)
			}
			a.hex("index_hex", stored)
			a.strings("candidates_hex", texts)
			return err
		})
	}
}

func settingSeal(r *request) func(*answer) error {
	keys, now := r.raw("keyring"), time.Unix(r.optionalInt("now_s", 0), 0)
	name, value, entropy := r.text("name"), r.text("value"), r.hex("entropy_hex")
	return func(a *answer) error {
		return withKeyring(keys, func(keyring *donjon.Keyring) error {
			return drawing(entropy, func() error {
				text, err := keyring.SealSettingAt(name, value, now)
				a.string("text", text)
				return err
			})
		})
	}
}

func settingOpen(r *request) func(*answer) error {
	keys, now := r.raw("keyring"), time.Unix(r.optionalInt("now_s", 0), 0)
	name, text := r.text("name"), r.text("text")
	return func(a *answer) error {
		return withKeyring(keys, func(keyring *donjon.Keyring) error {
			value, err := keyring.OpenSettingAt(name, text, now)
			a.string("value", value)
			return err
		})
	}
}

func erasure(r *request) func(*answer) error {
	keys, ids := r.raw("keyring"), r.texts("key_ids")
	backups, now := r.timeOrNull("backups_expire_s"), time.Unix(r.int("now_s"), 0)
	return func(a *answer) error {
		return withKeyring(keys, func(keyring *donjon.Keyring) error {
			text, err := keyring.ErasureJSONAt(ids, backups, now)
			if err != nil {
				return err
			}
			var verdict map[string]json.RawMessage
			if err := json.Unmarshal(text, &verdict); err != nil {
				return err
			}
			for _, member := range []string{"erased", "by", "alive", "backups_expire_s"} {
				a.raw(member, string(verdict[member]))
			}
			return nil
		})
	}
}

func withFernet(keys string, use func(*donjon.Fernet) error) error {
	fernet, err := donjon.NewFernet(strings.Split(keys, ",")...)
	if err != nil {
		return err
	}
	defer fernet.Close()
	return use(fernet)
}

func fernetEncrypt(r *request) func(*answer) error {
	keys, now := r.text("key"), time.Unix(r.int("now_s"), 0)
	iv, plaintext := r.hex("iv_hex"), r.hex("plaintext_hex")
	return func(a *answer) error {
		return withFernet(keys, func(fernet *donjon.Fernet) error {
			return drawing(iv, func() error {
				token, err := fernet.EncryptAt(plaintext, now)
				a.string("token", token)
				return err
			})
		})
	}
}

func fernetDecrypt(r *request) func(*answer) error {
	keys, token, now := r.text("key"), r.text("token"), time.Unix(r.int("now_s"), 0)
	ttl := donjon.NoTTL
	if string(r.raw("ttl_s")) != "null" {
		ttl = duration(r.int("ttl_s"), time.Second)
	}
	return func(a *answer) error {
		return withFernet(keys, func(fernet *donjon.Fernet) error {
			plaintext, err := fernet.DecryptAt(token, ttl, now)
			a.hex("plaintext_hex", plaintext)
			return err
		})
	}
}

func fernetRotate(r *request) func(*answer) error {
	keys, token, iv := r.text("key"), r.text("token"), r.hex("iv_hex")
	return func(a *answer) error {
		return withFernet(keys, func(fernet *donjon.Fernet) error {
			return drawing(iv, func() error {
				rotated, err := fernet.Rotate(token)
				a.string("token", rotated)
				return err
			})
		})
	}
}

func fernetTimestamp(r *request) func(*answer) error {
	keys, token := r.text("key"), r.text("token")
	return func(a *answer) error {
		return withFernet(keys, func(fernet *donjon.Fernet) error {
			made, err := fernet.Timestamp(token)
			a.int("timestamp_s", made.Unix())
			return err
		})
	}
}

func fernetDeriveKey(r *request) func(*answer) error {
	password, salt, iterations := r.hex("password_hex"), r.hex("salt_hex"), r.u32("iterations")
	return func(a *answer) error {
		key, err := donjon.DeriveFernetKey(password, salt, iterations)
		a.string("key", key)
		return err
	}
}

var paddings = map[string]donjon.AESEnginePadding{
	"pkcs5":        donjon.PaddingPKCS5,
	"naive":        donjon.PaddingNaive,
	"oneandzeroes": donjon.PaddingOneAndZeroes,
	"zeroes":       donjon.PaddingZeroes,
}

func aesEngineOpen(r *request) func(*answer) error {
	secret, text := r.hex("secret_hex"), r.text("text")
	padding, ok := paddings[r.text("padding")]
	if !ok {
		r.bad()
	}
	return func(a *answer) error {
		plaintext, err := donjon.OpenAESEngine(secret, padding, text)
		a.hex("plaintext_hex", plaintext)
		return err
	}
}
