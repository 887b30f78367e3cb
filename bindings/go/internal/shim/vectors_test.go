package shim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

const vectors = "../../../../tests/vectors"

// A vector is a request, and what is to come of it.
type vector struct {
	Name    string
	Request json.RawMessage
	Answer  map[string]any
}

func TestVectors(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var suite struct{ Cases []vector }
			if err := json.Unmarshal(text, &suite); err != nil {
				t.Fatal(err)
			}
			if len(suite.Cases) == 0 {
				t.Fatal("no cases")
			}
			for _, v := range suite.Cases {
				t.Run(v.Name, v.check)
			}
		})
	}
}

// drawingOps are the operations whose answers depend on what they draw.
var drawingOps = []string{
	"purpose_mint", "password_hash", "chunked_seal", "envelope_seal", "envelope_rewrap", "passphrase_seal",
	"external_seal", "data_key_new", "data_key_rewrap", "cell_seal", "stream_seal", "setting_seal",
	"fernet_encrypt", "fernet_rotate", "lockout_device_token",
	"session_create", "session_check", "session_rotate", "session_begin_family", "session_refresh", "session_revoke",
	"session_csrf_token", "revocation_set_sign",
}

func (v vector) check(t *testing.T) {
	var request struct{ Op string }
	_ = json.Unmarshal(v.Request, &request)
	switch {
	case request.Op == "signature_verify":
		t.Skip("of the Rust shim only")
	case slices.Contains(drawingOps, request.Op) && !choosesEntropy():
		t.Skip("needs the library that is built for the shim")
	}
	var got map[string]any
	if err := json.Unmarshal(Dispatch(v.Request), &got); err != nil {
		t.Fatal(err)
	}
	want := v.Answer
	if allowed, ok := want["error_in"].([]any); ok {
		if got["ok"] != false || !slices.Contains(allowed, got["error"]) {
			t.Errorf("answered %v, want one of %v", got, allowed)
		}
		return
	}
	for member, value := range want {
		if !reflect.DeepEqual(got[member], value) {
			t.Errorf("%s is %v, want %v (answered %v)", member, got[member], value, got)
		}
	}
}

func choosesEntropy() bool { return abi.WithEntropy(nil, func() {}) == abi.StatusOK }
