package shim

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// moment is a time in milliseconds, which the package takes as [time.Time].
func moment(ms int64) time.Time { return time.UnixMilli(ms) }

// revocationRules are what is asked about revocations.
type revocationRules struct {
	keyring, config []byte
}

func readRevocationRules(r *request) revocationRules {
	return revocationRules{r.raw("keyring"), r.members["config"]}
}

func (f revocationRules) with(use func(*donjon.RevocationRules) error) error {
	return withKeyring(f.keyring, func(keyring *donjon.Keyring) error {
		rules, err := donjon.ParseRevocationRules(keyring, f.config)
		if err != nil {
			return err
		}
		defer rules.Close()
		return use(rules)
	})
}

func readRevocationQuery(r *request) donjon.RevocationQuery {
	return donjon.RevocationQuery{
		Subject: r.text("subject"), TokenID: r.text("token_id"), Family: r.text("family"), KeyID: r.text("key_id"),
	}
}

var revocationKinds = map[string]donjon.RevocationKind{
	"token":   donjon.RevokedToken,
	"family":  donjon.RevokedFamily,
	"subject": donjon.RevokedSubject,
	"key":     donjon.RevokedKey,
}

func readRevocationKind(r *request) donjon.RevocationKind {
	kind, ok := revocationKinds[r.text("kind")]
	if !ok {
		r.bad()
	}
	return kind
}

func revocationKeys(r *request) func(*answer) error {
	rules, query := readRevocationRules(r), readRevocationQuery(r)
	return func(a *answer) error {
		return rules.with(func(rules *donjon.RevocationRules) error {
			keys, err := rules.Keys(query)
			a.strings("keys", keys)
			return err
		})
	}
}

func revocationRecordCheck(r *request) func(*answer) error {
	rules, query := readRevocationRules(r), readRevocationQuery(r)
	query.IssuedAt = r.timeOrNull("issued_at_s")
	values, since := r.hexes("values_hex"), moment(r.int("store_since_ms"))
	return func(*answer) error {
		return rules.with(func(rules *donjon.RevocationRules) error { return rules.Check(query, values, since) })
	}
}

func revocationIssueSince(r *request) func(*answer) error {
	rules, subject := readRevocationRules(r), r.text("subject")
	values, since := r.hexes("values_hex"), moment(r.int("store_since_ms"))
	return func(a *answer) error {
		return rules.with(func(rules *donjon.RevocationRules) error {
			outlived, err := rules.IssueSince(subject, values, since)
			a.timeOrNull("since_s", outlived)
			return err
		})
	}
}

func revocationKey(r *request) func(*answer) error {
	rules, kind, subject, name := readRevocationRules(r), readRevocationKind(r), r.text("subject"), r.text("name")
	return func(a *answer) error {
		return rules.with(func(rules *donjon.RevocationRules) error {
			key, err := rules.Key(kind, subject, name)
			a.string("key", key)
			return err
		})
	}
}

func revocationRevoke(r *request) func(*answer) error {
	rules, kind, subject, name := readRevocationRules(r), readRevocationKind(r), r.text("subject"), r.text("name")
	stored, until := r.hex("stored_hex"), r.timeOrNull("until_s")
	now, since := moment(r.int("now_ms")), moment(r.int("store_since_ms"))
	return func(a *answer) error {
		return rules.with(func(rules *donjon.RevocationRules) error {
			value, keep, err := rules.Revoke(kind, subject, name, stored, until, now, since)
			a.hex("value_hex", value)
			a.int("keep_ms", keep.Milliseconds())
			return err
		})
	}
}

// storeMarker asks the kernel what every store of the package asks it: the
// package offers the stores, not the decision.
func storeMarker(r *request) func(*answer) error {
	stored, seen := r.hex("stored_hex"), r.hex("seen_hex")
	silence, now := r.int("max_silence_ms"), r.int("now_ms")
	return func(a *answer) error {
		verdict, status := abi.StoreMarker(abi.Text(stored), abi.Text(seen), silence, now)
		if status != abi.StatusOK {
			return &donjon.Error{Code: donjon.Code(status)}
		}
		if verdict.Write == abi.WriteNothing {
			verdict.Marker = stored
		}
		a.hex("marker_hex", verdict.Marker)
		a.int("since_ms", verdict.SinceMS)
		a.int("keep_ms", verdict.KeepMS)
		a.int("write", int64(verdict.Write))
		a.int("reason", int64(verdict.Reason))
		return nil
	}
}

// revocationSetSign asks the kernel what [donjon.Revocations.Publish] asks it,
// which takes what it signs from a store.
func revocationSetSign(r *request) func(*answer) error {
	keys, records := r.raw("keyring"), r.hexes("records_hex")
	spec := abi.RevocationSetSpec{
		Sequence: uint64(r.size("sequence")), StoreSinceMS: r.int("store_since_ms"), Skew: r.int("skew_s"),
		IssuedAt: r.int("issued_at_s"), ValidUntil: r.int("valid_until_s"),
	}
	entropy := r.hex("entropy_hex")
	return func(a *answer) error {
		keyring, status := abi.KeyringFromJWKS(abi.Text(keys))
		if status != abi.StatusOK {
			return &donjon.Error{Code: donjon.Code(status)}
		}
		defer keyring.Free()
		return drawing(entropy, func() error {
			set, status := keyring.RevocationSetSign(spec, joined(records))
			if status != abi.StatusOK {
				return &donjon.Error{Code: donjon.Code(status)}
			}
			a.hex("set_hex", set)
			return nil
		})
	}
}

// signedSet is a set, and what it is opened with.
type signedSet struct {
	keyring, set []byte
	lastSequence uint64
	now          time.Time
}

func readSignedSet(r *request) signedSet {
	return signedSet{r.raw("keyring"), r.hex("set_hex"), uint64(r.size("last_sequence")), time.Unix(r.int("now_s"), 0)}
}

func (f signedSet) with(use func(*donjon.RevocationSet) error) error {
	return withKeyring(f.keyring, func(keyring *donjon.Keyring) error {
		set, err := donjon.OpenRevocationSetAt(f.set, keyring, f.lastSequence, f.now)
		if err != nil {
			return err
		}
		defer set.Close()
		return use(set)
	})
}

func revocationSetOpen(r *request) func(*answer) error {
	set := readSignedSet(r)
	return func(*answer) error { return set.with(func(*donjon.RevocationSet) error { return nil }) }
}

func revocationSetInfo(r *request) func(*answer) error {
	set := readSignedSet(r)
	return func(a *answer) error {
		return set.with(func(set *donjon.RevocationSet) error {
			info, err := set.Info()
			if err != nil {
				return err
			}
			var told answer
			told.raw("sequence", strconv.FormatUint(info.Sequence, 10))
			told.int("issued_at_s", info.IssuedAt.Unix())
			told.int("valid_until_s", info.ValidUntil.Unix())
			told.int("store_since_s", secondsOrZero(info.StoreSince))
			told.int("ids", int64(info.IDs))
			told.int("subjects", int64(info.Subjects))
			told.int("keys", int64(info.Keys))
			told.int("bytes", int64(info.Bytes))
			told.raw("false_positive_rate", exactly(info.FalsePositiveRate))
			a.raw("info", string(told.end()))
			return nil
		})
	}
}

// joined is values one after the other, each after its length.
func joined(values [][]byte) string {
	var all []byte
	for _, value := range values {
		all = binary.BigEndian.AppendUint32(all, uint32(len(value)))
		all = append(all, value...)
	}
	return abi.Text(all)
}

func secondsOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// exactly spells a fraction with all of its digits.
func exactly(x float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(x, 'f', 80, 64), "0"), ".")
}

func revocationSetCheck(r *request) func(*answer) error {
	set, query := readSignedSet(r), readRevocationQuery(r)
	query.IssuedAt = r.timeOrNull("issued_at_s")
	at := time.Unix(r.int("at_s"), 0)
	return func(a *answer) error {
		return set.with(func(set *donjon.RevocationSet) error {
			isProbable, err := set.CheckAt(query, at)
			status := "ok"
			var refusal *donjon.Error
			if errors.As(err, &refusal) {
				status = refusal.Code.String()
			}
			a.string("status", status)
			a.bool("probable", isProbable)
			return nil
		})
	}
}
