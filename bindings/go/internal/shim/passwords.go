package shim

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

const legacySchemes = `,"legacy":["bcrypt","pbkdf2","scrypt","argon2i","argon2d"]`

// hasherFields are what makes a hasher, and when it is asked.
type hasherFields struct {
	config  []byte
	peppers string // none if it is empty
	now     time.Time
}

// readHasher reads them. A request with a configuration of its own has that
// instead of the one made of its fields.
func readHasher(r *request, config string) hasherFields {
	if raw, ok := r.members["config"]; ok {
		config = string(raw)
	}
	return hasherFields{[]byte(config), r.optional("keyring"), time.Unix(r.optionalInt("now_s", 0), 0)}
}

// verifying has the default parameters, with room for every hash that is read.
func verifying(r *request) hasherFields {
	legacy := ""
	if r.bool("legacy") {
		legacy = legacySchemes
	}
	return readHasher(r, `{"memory_budget_kib":2097152`+legacy+`}`)
}

func (f hasherFields) with(use func(*donjon.Hasher) error) error {
	var peppers *donjon.Keyring
	if f.peppers != "" {
		keyring, err := donjon.ParseKeyring([]byte(f.peppers))
		if err != nil {
			return err
		}
		defer keyring.Close()
		peppers = keyring
	}
	hasher, err := donjon.ParseHasher(peppers, f.config)
	if err != nil {
		return err
	}
	defer hasher.Close()
	return use(hasher)
}

func passwordHash(r *request) func(*answer) error {
	password, salt := r.hex("password_hex"), r.hex("salt_hex")
	const config = `{"memory_kib":%d,"time_cost":%d,"parallelism":%d,"salt_len":%d,"memory_budget_kib":2097152,"allow_weak":true}`
	fields := readHasher(r, fmt.Sprintf(config, r.int("m_kib"), r.int("t"), r.int("p"), len(salt)))
	return func(a *answer) error {
		return fields.with(func(hasher *donjon.Hasher) error {
			var hash string
			var err error
			if status := abi.WithEntropy(salt, func() { hash, err = hasher.HashAt(context.Background(), password, fields.now) }); status != abi.StatusOK {
				return &donjon.Error{Code: donjon.Code(status)}
			}
			if err != nil {
				return err
			}
			a.string("hash", hash)
			return nil
		})
	}
}

func passwordVerify(r *request) func(*answer) error {
	password, hash := r.hex("password_hex"), r.text("hash")
	fields := verifying(r)
	return func(a *answer) error {
		return fields.with(func(hasher *donjon.Hasher) error {
			verified, err := hasher.VerifyAt(context.Background(), hash, password, fields.now)
			if err != nil && !errors.Is(err, donjon.ErrPasswordMismatch) {
				return err
			}
			a.bool("match", err == nil)
			a.bool("needs_rehash", verified.NeedsRehash)
			a.bool("truncated", verified.Truncated)
			return nil
		})
	}
}

func passwordUnknownUser(r *request) func(*answer) error {
	password, fields := r.hex("password_hex"), verifying(r)
	return func(*answer) error {
		return fields.with(func(hasher *donjon.Hasher) error {
			return hasher.VerifyUnknownUserAt(context.Background(), password, fields.now)
		})
	}
}

func passwordNeedsRehash(r *request) func(*answer) error {
	hash, fields := r.text("hash"), verifying(r)
	return func(a *answer) error {
		return fields.with(func(hasher *donjon.Hasher) error {
			needsRehash, err := hasher.NeedsRehashAt(hash, fields.now)
			if err != nil {
				return err
			}
			a.bool("needs_rehash", needsRehash)
			return nil
		})
	}
}

func passwordStrength(r *request) func(*answer) error {
	password, inputs := r.text("password"), r.optionalTexts("user_inputs")
	profile := donjon.StrengthProfile(r.optionalText("profile"))
	return func(a *answer) error {
		strength, err := donjon.CheckStrength([]byte(password), inputs, profile)
		if err != nil {
			return err
		}
		a.bool("valid", strength.Valid)
		a.raw("score", strconv.FormatFloat(strength.Score, 'g', -1, 64))
		var checks answer
		for _, name := range []string{"length", "uppercase", "lowercase", "digits", "special", "common"} {
			if passed, ok := strength.Checks[name]; ok {
				checks.bool(name, passed)
			}
		}
		a.raw("checks", string(checks.end()))
		a.strings("feedback", strength.Feedback)
		return nil
	}
}

func breachPrefix(r *request) func(*answer) error {
	password := r.hex("password_hex")
	return func(a *answer) error {
		prefix, err := donjon.BreachPrefix(password)
		if err != nil {
			return err
		}
		a.string("prefix", prefix)
		return nil
	}
}

func breachCount(r *request) func(*answer) error {
	password, body := r.hex("password_hex"), r.text("range")
	return func(a *answer) error {
		count, err := donjon.BreachCount(password, []byte(body))
		if err != nil {
			return err
		}
		a.raw("count", strconv.FormatUint(count, 10))
		return nil
	}
}
