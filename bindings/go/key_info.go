package donjon

import (
	"encoding/json"
	"time"
)

// A Purpose is what a key is for. A key serves one purpose.
type Purpose string

// The purposes that keys are needed for.
const (
	PurposeToken          Purpose = "token"           // signs and verifies tokens
	PurposeStateBinding   Purpose = "state-binding"   // binds refresh and purpose tokens to a state
	PurposePasswordPepper Purpose = "password-pepper" // goes into password hashes, so that stolen ones cannot be guessed at
	PurposeEnvelope       Purpose = "envelope"        // wraps the data keys of envelopes; see [Sealer]
	PurposeBlindIndex     Purpose = "blind-index"     // finds equal values in encrypted columns; see [BlindIndex]
	PurposeSettings       Purpose = "settings"        // seals settings; see [Keyring.SealSetting]
	PurposeDevice         Purpose = "device"          // hides whose log-ins are counted and whose sessions are stored; see [Lockout], [Sessions]
	PurposeCSRF           Purpose = "csrf"            // shows that a request is from a session's own pages; see [Sessions.CSRFToken]
)

// A KeyStatus is what a key may do.
type KeyStatus string

// The statuses of keys.
const (
	KeyPrimary    KeyStatus = "primary"     // signs and verifies
	KeyActive     KeyStatus = "active"      // verifies, is published, and is the next to sign
	KeyVerifyOnly KeyStatus = "verify-only" // verifies until a time
	KeyDisabled   KeyStatus = "disabled"    // refuses
	KeyDestroyed  KeyStatus = "destroyed"   // refuses, and has no material any more
)

// A KeyInfo describes a key without its material.
type KeyInfo struct {
	KeyID      string    // empty if the key has no id
	KeyType    string    // as in RFC 7517: "oct", "OKP", "EC" or "RSA"
	Algorithm  Algorithm // empty if the key does not say
	Purpose    Purpose
	Status     KeyStatus
	Created    time.Time // zero if not known
	NotAfter   time.Time // zero if there is no such time
	Thumbprint string    // RFC 7638, base64url; empty for symmetric keys
}

// Summary describes the keys, for logs and operators.
func (k *Keyring) Summary() ([]KeyInfo, error) {
	text, err := k.SummaryJSON()
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []struct {
			KeyID      string    `json:"kid"`
			KeyType    string    `json:"kty"`
			Algorithm  Algorithm `json:"alg"`
			Purpose    Purpose   `json:"purpose"`
			Status     KeyStatus `json:"status"`
			Created    *int64    `json:"created_s"`
			NotAfter   *int64    `json:"not_after_s"`
			Thumbprint string    `json:"thumbprint"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	keys := make([]KeyInfo, len(set.Keys))
	for i, key := range set.Keys {
		keys[i] = KeyInfo{
			KeyID: key.KeyID, KeyType: key.KeyType, Algorithm: key.Algorithm,
			Purpose: key.Purpose, Status: key.Status,
			Created: unix(key.Created), NotAfter: unix(key.NotAfter),
			Thumbprint: key.Thumbprint,
		}
	}
	return keys, nil
}

func unix(s *int64) time.Time {
	if s == nil {
		return time.Time{}
	}
	return time.Unix(*s, 0)
}

// SummaryJSON is [Keyring.Summary] as a JSON object.
func (k *Keyring) SummaryJSON() ([]byte, error) {
	keys, err := k.borrow()
	if err != nil {
		return nil, err
	}
	defer k.handle.giveBack()
	text, status := keys.Summary()
	return text, failure(status)
}
